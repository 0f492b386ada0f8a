-- “Laying”一节，T2、T3 溢出的去处：r 的步骤 2 T2 各收款单位，各至其金额；h 中每个编号 p，被转给过 p 的单位（r 除外），
-- 各至 kept(·, p) 在 T1 之后所余，合计至该 p 在 h 中的部分。
with

filled as (
    select * from {{ ref('int_fill_recipient') }}
),

parts as (
    select * from {{ ref('int_sum_hand_on_part') }}
),

hand_ons as (
    select * from {{ ref('int_class_hand_on') }}
),

kept as (
    select * from {{ ref('int_compute_kept') }}
),

laid_matched as (
    select * from {{ ref('int_lay_matched') }}
),

overs as (
    select
        period,
        reason,
        first_recipient,
        {{ sum_wan('over_wan') }} as over_wan
    from filled
    where over_wan > 0
    group by period, reason, first_recipient
),

open_parts as (
    select
        overs.period,
        overs.reason,
        overs.first_recipient,
        overs.over_wan,
        parts.reference_no,
        parts.part_wan
    from overs
    inner join parts
        on
            overs.period = parts.period
            and overs.reason = parts.reason
            and overs.first_recipient = parts.unit_code
),

-- 被转给过 p 的单位，其 kept 在 T1 之后所余
holders as (
    select
        open_parts.period,
        open_parts.reason,
        open_parts.first_recipient,
        open_parts.over_wan,
        open_parts.reference_no,
        open_parts.part_wan,
        kept.unit_code,
        cast(kept.kept_wan - coalesce(sum(laid_matched.laid_wan), 0) as decimal(20, 6)) as left_wan
    from open_parts
    inner join kept
        on
            open_parts.period = kept.period
            and open_parts.reason = kept.reason
            and open_parts.reference_no = kept.reference_no
            and open_parts.first_recipient <> kept.unit_code
    left join laid_matched
        on
            kept.period = laid_matched.period
            and kept.reason = laid_matched.reason
            and kept.unit_code = laid_matched.unit_code
            and kept.reference_no = laid_matched.reference_no
    where kept.received_wan > 0
    group by
        open_parts.period,
        open_parts.reason,
        open_parts.first_recipient,
        open_parts.over_wan,
        open_parts.reference_no,
        open_parts.part_wan,
        kept.unit_code,
        kept.kept_wan
)

select
    open_parts.period,
    open_parts.reason,
    open_parts.first_recipient,
    open_parts.over_wan,
    open_parts.reference_no,
    open_parts.part_wan,
    hand_ons.payee_code as unit_code,
    hand_ons.amount_wan as left_wan
from open_parts
inner join hand_ons
    on
        open_parts.period = hand_ons.period
        and open_parts.reason = hand_ons.reason
        and open_parts.first_recipient = hand_ons.payer_code
where open_parts.reference_no = '' and hand_ons.tier = 'T2'
union all
select
    period,
    reason,
    first_recipient,
    over_wan,
    reference_no,
    part_wan,
    unit_code,
    left_wan
from holders
where left_wan > 0
