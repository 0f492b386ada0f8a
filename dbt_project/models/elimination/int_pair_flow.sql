-- 步骤 3、4 的两边，同一形状，逐 (付方, 首个收款单位, 编号)，三层之前：
-- OG 为拨付（不含附项、对下转移支付）对 r 自报的 local 收入（剔出附项之后），付方写 ''；OE 为口径内企业的委托研发明细对 u 自报的企业合同收入。
-- is_matched：T1 键，编号不空白且两边都大于 0。
with

kept as (
    select * from {{ ref('int_keep_performer') }}
),

enterprises as (
    select * from {{ ref('int_list_enterprise') }}
),

payments as (
    select * from {{ ref('int_read_payment') }}
),

contracts as (
    select * from {{ ref('stg_statistics_bureau__enterprise_contract') }}
),

aliases as (
    select * from {{ ref('int_read_as_parent') }}
),

set_aside as (
    select * from {{ ref('int_set_aside_memo') }}
),

inflows as (
    select * from {{ ref('int_read_inflow') }}
),

-- 受托单位按步骤 1a 读
signed as (
    select
        contracts.row_id,
        contracts.period,
        contracts.payer_code,
        coalesce(aliases.read_as_code, contracts.payee_code) as payee_code,
        coalesce(contracts.contract_no, '') as contract_no,
        cast(coalesce(contracts.amount_wan, 0) as decimal(20, 6)) as amount_wan
    from contracts
    left join aliases
        on
            contracts.period = aliases.period
            and contracts.payee_code = aliases.unit_code
),

both_sides as (
    select
        payments.period,
        'OG' as reason,
        '' as payer_code,
        payments.payee_code as first_recipient,
        payments.project_no as reference_no,
        payments.amount_wan as funder_wan,
        cast(0 as decimal(20, 6)) as performer_wan,
        payments.row_id as funder_row_ids,
        cast(null as varchar) as performer_row_ids
    from payments
    inner join kept
        on
            payments.period = kept.period
            and payments.payee_code = kept.unit_code
    where not payments.is_memo
    union all
    select
        inflows.period,
        'OG' as reason,
        '' as payer_code,
        inflows.unit_code as first_recipient,
        inflows.project_no as reference_no,
        cast(0 as decimal(20, 6)) as funder_wan,
        inflows.amount_wan as performer_wan,
        cast(null as varchar) as funder_row_ids,
        inflows.row_id as performer_row_ids
    from inflows
    left join set_aside
        on
            inflows.period = set_aside.period
            and inflows.unit_code = set_aside.unit_code
            and inflows.project_no = set_aside.project_no
    -- 整键以附项拨来的，没有这一边
    where inflows.money_class = 'local' and (set_aside.left_wan is null or set_aside.left_wan > 0)
    union all
    select
        period,
        'OG' as reason,
        '' as payer_code,
        unit_code as first_recipient,
        project_no as reference_no,
        cast(0 as decimal(20, 6)) as funder_wan,
        -set_aside_wan as performer_wan,
        cast(null as varchar) as funder_row_ids,
        cast(null as varchar) as performer_row_ids
    from set_aside
    where left_wan > 0
    union all
    select
        signed.period,
        'OE' as reason,
        signed.payer_code,
        signed.payee_code as first_recipient,
        signed.contract_no as reference_no,
        signed.amount_wan as funder_wan,
        cast(0 as decimal(20, 6)) as performer_wan,
        signed.row_id as funder_row_ids,
        cast(null as varchar) as performer_row_ids
    from signed
    inner join enterprises
        on
            signed.period = enterprises.period
            and signed.payer_code = enterprises.enterprise_code
    inner join kept
        on
            signed.period = kept.period
            and signed.payee_code = kept.unit_code
    union all
    select
        inflows.period,
        'OE' as reason,
        inflows.payer_code,
        inflows.unit_code as first_recipient,
        inflows.contract_no as reference_no,
        cast(0 as decimal(20, 6)) as funder_wan,
        inflows.amount_wan as performer_wan,
        cast(null as varchar) as funder_row_ids,
        inflows.row_id as performer_row_ids
    from inflows
    inner join enterprises
        on
            inflows.period = enterprises.period
            and inflows.payer_code = enterprises.enterprise_code
    where inflows.money_class = 'contract'
),

pairs as (
    select
        period,
        reason,
        payer_code,
        first_recipient,
        reference_no,
        {{ sum_wan('funder_wan') }} as funder_wan,
        {{ sum_wan('performer_wan') }} as performer_wan,
        {{ gather_row_ids('funder_row_ids') }} as funder_row_ids,
        {{ gather_row_ids('performer_row_ids') }} as performer_row_ids
    from both_sides
    group by period, reason, payer_code, first_recipient, reference_no
)

select
    period,
    reason,
    payer_code,
    first_recipient,
    reference_no,
    funder_wan,
    performer_wan,
    reference_no <> '' and funder_wan > 0 and performer_wan > 0 as is_matched,
    funder_row_ids,
    performer_row_ids
from pairs
