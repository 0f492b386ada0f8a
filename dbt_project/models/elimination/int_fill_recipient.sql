-- “Laying”一节，T2、T3 合在一起（T2 在前，层内按付款企业升序）：先落在 r 自己身上，至“T1 未配上的自己的收入（整键） − h”。
-- OE 的 T1 键含付款企业：另一企业以同一编号付来而 T1 未配上的，也在其中。
-- 余下的 over_wan 落在谁身上，见 int_fill_receiver、int_lay_unmatched。
with

duplicates as (
    select * from {{ ref('int_cap_duplicate') }}
    where tier <> 'T1' and amount_wan > 0
),

pairs as (
    select * from {{ ref('int_pair_flow') }}
    where not is_matched and performer_wan > 0
),

parts as (
    select * from {{ ref('int_sum_hand_on_part') }}
),

own_by_unit as (
    select
        period,
        reason,
        first_recipient as unit_code,
        {{ sum_wan('performer_wan') }} as own_wan
    from pairs
    group by period, reason, first_recipient
),

handed_by_unit as (
    select
        period,
        reason,
        unit_code,
        {{ sum_wan('part_wan') }} as handed_wan
    from parts
    group by period, reason, unit_code
),

ordered as (
    select
        duplicates.period,
        duplicates.reason,
        duplicates.tier,
        duplicates.payer_code,
        duplicates.first_recipient,
        duplicates.amount_wan,
        coalesce(own_by_unit.own_wan, 0) - coalesce(handed_by_unit.handed_wan, 0) as room_wan,
        {{ sum_before(
            'duplicates.amount_wan',
            'duplicates.period, duplicates.reason, duplicates.first_recipient',
            'duplicates.tier, duplicates.payer_code'
        ) }} as before_wan
    from duplicates
    left join own_by_unit
        on
            duplicates.period = own_by_unit.period
            and duplicates.reason = own_by_unit.reason
            and duplicates.first_recipient = own_by_unit.unit_code
    left join handed_by_unit
        on
            duplicates.period = handed_by_unit.period
            and duplicates.reason = handed_by_unit.reason
            and duplicates.first_recipient = handed_by_unit.unit_code
),

filled as (
    select
        *,
        {{ fill_up_to('amount_wan', 'room_wan', 'before_wan') }} as laid_wan
    from ordered
)

select
    period,
    reason,
    tier,
    payer_code,
    first_recipient,
    amount_wan,
    laid_wan,
    cast(amount_wan - laid_wan as decimal(20, 6)) as over_wan
from filled
