-- “Laying”一节，T1 落在谁的数上：r 自己的部分（int_fill_matched）；溢出的逐 p 合计，按代码升序落在被转给过 p 的单位上，各至其 kept 所余。
-- 几个首个收款单位的溢出，按其代码、再按付款企业升序依次落。付款企业不止一个的键，落在他人身上的行不写付款企业。
with

filled as (
    select * from {{ ref('int_fill_matched') }}
),

kept as (
    select * from {{ ref('int_compute_kept') }}
    where received_wan > 0
),

demands as (
    select
        *,
        {{ sum_before('over_wan', 'period, reason, reference_no', 'first_recipient, payer_code') }} as start_wan
    from filled
    where over_wan > 0
),

-- 被转给过 p 的单位，其 kept 在自己的 d(r, p) 之后所余
rooms as (
    select
        kept.period,
        kept.reason,
        kept.unit_code,
        kept.reference_no,
        cast(max(kept.kept_wan) - coalesce(sum(filled.laid_wan), 0) as decimal(20, 6)) as left_wan
    from kept
    left join filled
        on
            kept.period = filled.period
            and kept.reason = filled.reason
            and kept.unit_code = filled.first_recipient
            and kept.reference_no = filled.reference_no
    group by kept.period, kept.reason, kept.unit_code, kept.reference_no
),

receivers as (
    select
        *,
        {{ sum_before('left_wan', 'period, reason, reference_no', 'unit_code') }} as start_wan
    from rooms
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
)

select
    period,
    reason,
    'T1' as tier,
    first_recipient as unit_code,
    first_recipient,
    payer_code as counterparty_code,
    reference_no,
    laid_wan
from filled
where laid_wan > 0
union all
-- 有溢出的 r 自己已落满 kept，不会又在这里
select
    period,
    reason,
    'T1' as tier,
    unit_code,
    first_recipient,
    counterparty_code,
    reference_no,
    {{ sum_wan('laid_wan') }} as laid_wan
from on_receivers
where laid_wan > 0
group by period, reason, unit_code, first_recipient, counterparty_code, reference_no
