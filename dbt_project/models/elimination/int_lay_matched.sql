-- “Laying”一节，T1：d(r, p) 先落在 r 上，至 kept(r, p)；溢出的逐 p 合计，按代码升序落在被转给过 p 的单位上，各至其 kept 所余。
-- 几个首个收款单位的溢出，按其代码、再按付款企业升序依次落。付款企业不止一个的键，落在他人身上的行不写付款企业。
with

duplicates as (
    select * from {{ ref('int_cap_duplicate') }}
    where tier = 'T1' and amount_wan > 0
),

kept as (
    select * from {{ ref('int_compute_kept') }}
),

ordered as (
    select
        duplicates.period,
        duplicates.reason,
        duplicates.payer_code,
        duplicates.first_recipient,
        duplicates.reference_no,
        duplicates.amount_wan,
        kept.kept_wan,
        count(*) over (
            partition by
                duplicates.period, duplicates.reason, duplicates.first_recipient, duplicates.reference_no
        ) as payer_count,
        {{ sum_before(
            'duplicates.amount_wan',
            'duplicates.period, duplicates.reason, duplicates.first_recipient, duplicates.reference_no',
            'duplicates.payer_code'
        ) }} as before_wan
    from duplicates
    inner join kept
        on
            duplicates.period = kept.period
            and duplicates.reason = kept.reason
            and duplicates.first_recipient = kept.unit_code
            and duplicates.reference_no = kept.reference_no
),

on_recipient as (
    select
        period,
        reason,
        payer_code,
        first_recipient,
        reference_no,
        payer_count,
        amount_wan,
        {{ fill_up_to('amount_wan', 'kept_wan', 'before_wan') }} as laid_wan
    from ordered
),

demands as (
    select
        period,
        reason,
        payer_code,
        first_recipient,
        reference_no,
        payer_count,
        cast(amount_wan - laid_wan as decimal(20, 6)) as over_wan,
        {{ sum_before(
            'amount_wan - laid_wan', 'period, reason, reference_no', 'first_recipient, payer_code'
        ) }} as start_wan
    from on_recipient
    where amount_wan > laid_wan
),

laid_by_key as (
    select
        period,
        reason,
        first_recipient,
        reference_no,
        {{ sum_wan('laid_wan') }} as laid_wan
    from on_recipient
    group by period, reason, first_recipient, reference_no
),

receivers as (
    select
        kept.period,
        kept.reason,
        kept.unit_code,
        kept.reference_no,
        cast(kept.kept_wan - coalesce(laid_by_key.laid_wan, 0) as decimal(20, 6)) as left_wan,
        {{ sum_before(
            'kept.kept_wan - coalesce(laid_by_key.laid_wan, 0)',
            'kept.period, kept.reason, kept.reference_no',
            'kept.unit_code'
        ) }} as start_wan
    from kept
    left join laid_by_key
        on
            kept.period = laid_by_key.period
            and kept.reason = laid_by_key.reason
            and kept.unit_code = laid_by_key.first_recipient
            and kept.reference_no = laid_by_key.reference_no
    where kept.received_wan > 0
),

on_receivers as (
    select
        demands.period,
        demands.reason,
        receivers.unit_code,
        demands.first_recipient,
        case when demands.payer_count = 1 then demands.payer_code else '' end as counterparty_code,
        demands.reference_no,
        {{ overlap_wan(
            'demands.start_wan', 'demands.over_wan', 'receivers.start_wan', 'receivers.left_wan'
        ) }} as laid_wan
    from demands
    inner join receivers
        on
            demands.period = receivers.period
            and demands.reason = receivers.reason
            and demands.reference_no = receivers.reference_no
            and demands.start_wan < receivers.start_wan + receivers.left_wan
            and receivers.start_wan < demands.start_wan + demands.over_wan
),

united as (
    select
        period,
        reason,
        first_recipient as unit_code,
        first_recipient,
        payer_code as counterparty_code,
        reference_no,
        laid_wan
    from on_recipient
    where laid_wan > 0
    union all
    select
        period,
        reason,
        unit_code,
        first_recipient,
        counterparty_code,
        reference_no,
        laid_wan
    from on_receivers
    where laid_wan > 0
)

select
    period,
    reason,
    'T1' as tier,
    unit_code,
    first_recipient,
    counterparty_code,
    reference_no,
    {{ sum_wan('laid_wan') }} as laid_wan
from united
group by period, reason, unit_code, first_recipient, counterparty_code, reference_no
