-- 步骤 2 OO：留下的单位 u 转给留下的单位 v 的钱，u 的转出对 v 的单位转拨收入，取小者，从 u 剔除。
-- T1 按 (u, v, 编号) 两边都有；T2 按 (u, v)，T1 无对方的全部行。T1 的差额只作差异，不落入 T2。
-- 剔除额按 v 的最终来源渠道分类，混合时依次填满 local、contract、其余。
with

reported_outflows as (
    {% for provider in ['education_bureau', 'science_bureau', 'health_commission'] %}
        select
            row_id,
            period,
            '{{ provider }}' as provider,
            unit_code,
            payee_code,
            project_no,
            contract_no,
            amount_wan
        from {{ ref('stg_' ~ provider ~ '__outflow') }}
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

inflows as (
    select * from {{ ref('int_read_inflow') }}
),

kept as (
    select * from {{ ref('int_keep_performer') }}
),

aliases as (
    select * from {{ ref('int_read_as_parent') }}
),

-- 只数留下的单位的转出；收款单位按步骤 1a 读，编号为项目编号，空白则为合同编号
outflows as (
    select
        reported_outflows.row_id,
        reported_outflows.period,
        reported_outflows.unit_code,
        coalesce(aliases.read_as_code, reported_outflows.payee_code, '') as payee_code,
        coalesce(reported_outflows.project_no, reported_outflows.contract_no, '') as reference_no,
        cast(coalesce(reported_outflows.amount_wan, 0) as decimal(20, 6)) as amount_wan
    from reported_outflows
    inner join kept
        on
            reported_outflows.period = kept.period
            and reported_outflows.provider = kept.provider
            and reported_outflows.unit_code = kept.unit_code
    left join aliases
        on
            reported_outflows.period = aliases.period
            and reported_outflows.payee_code = aliases.unit_code
),

rows_of_both_sides as (
    select
        period,
        unit_code as payer_code,
        payee_code,
        reference_no,
        row_id,
        amount_wan as out_wan,
        cast(0 as decimal(20, 6)) as in_wan,
        'out' as final_class,
        cast(null as varchar) as contract_no
    from outflows
    union all
    select
        period,
        payer_code,
        unit_code as payee_code,
        reference_no,
        row_id,
        cast(0 as decimal(20, 6)) as out_wan,
        amount_wan as in_wan,
        final_class,
        contract_no
    from inflows
    where money_class = 'hand_on'
),

keys as (
    select
        united.period,
        united.payer_code,
        united.payee_code,
        united.reference_no,
        {{ sum_wan('united.out_wan') }} as out_wan,
        {{ sum_wan('united.in_wan') }} as in_wan,
        {{ sum_wan("case when united.final_class = 'local' then united.in_wan end") }} as local_wan,
        {{ sum_wan("case when united.final_class = 'contract' then united.in_wan end") }} as contract_wan,
        -- 收方各行的合同编号相同且无空白，才是该笔的合同编号（out 一边为空值，不参与）
        case
            when min(united.contract_no) = max(united.contract_no) then nullif(min(united.contract_no), '')
        end as contract_no,
        {{ gather_row_ids('united.row_id') }} as row_ids
    from rows_of_both_sides as united
    inner join kept as payers
        on
            united.period = payers.period
            and united.payer_code = payers.unit_code
    inner join kept as payees
        on
            united.period = payees.period
            and united.payee_code = payees.unit_code
    where united.payer_code <> united.payee_code
    group by united.period, united.payer_code, united.payee_code, united.reference_no
),

tiered as (
    select
        *,
        case when reference_no <> '' and out_wan > 0 and in_wan > 0 then 'T1' else 'T2' end as tier
    from keys
),

sides as (
    select
        period,
        tier,
        payer_code,
        payee_code,
        reference_no,
        out_wan,
        in_wan,
        local_wan,
        contract_wan,
        coalesce(contract_no, reference_no) as contract_no,
        row_ids
    from tiered
    where tier = 'T1'
    union all
    select
        period,
        tier,
        payer_code,
        payee_code,
        '' as reference_no,
        {{ sum_wan('out_wan') }} as out_wan,
        {{ sum_wan('in_wan') }} as in_wan,
        {{ sum_wan('local_wan') }} as local_wan,
        {{ sum_wan('contract_wan') }} as contract_wan,
        '' as contract_no,
        {{ gather_row_ids('row_ids') }} as row_ids
    from tiered
    where tier = 'T2'
    group by period, tier, payer_code, payee_code
),

matched as (
    select
        *,
        cast(greatest(least(out_wan, in_wan), 0) as decimal(20, 6)) as amount_wan
    from sides
)

select
    period,
    tier,
    payer_code,
    payee_code,
    reference_no,
    contract_no,
    out_wan,
    in_wan,
    amount_wan,
    {{ fill_up_to('amount_wan', 'greatest(local_wan, 0)', '0') }} as local_wan,
    {{ fill_up_to('greatest(contract_wan, 0)', 'amount_wan', 'greatest(local_wan, 0)') }} as contract_wan,
    row_ids
from matched
