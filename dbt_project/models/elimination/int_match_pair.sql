-- 步骤 3、4 的三层，两步同一规则：T1 按编号，两边都有，取小者；T2 为 T1 无对方的全部行（无编号的一律无对方），两边之和取小者；
-- T3 为 T2 之后执行单位余下的自报数（只有一方申报）。和不大于 0 的键没有那一边，其行落入 T2，在那里相抵。
with

pairs as (
    select * from {{ ref('int_pair_flow') }}
),

left_over as (
    select
        period,
        reason,
        payer_code,
        first_recipient,
        {{ sum_wan('funder_wan') }} as funder_wan,
        {{ sum_wan('performer_wan') }} as performer_wan
    from pairs
    where not is_matched
    group by period, reason, payer_code, first_recipient
),

tiers as (
    select
        period,
        reason,
        'T1' as tier,
        payer_code,
        first_recipient,
        reference_no,
        funder_wan,
        performer_wan,
        least(funder_wan, performer_wan) as claimed_wan
    from pairs
    where is_matched
    union all
    select
        period,
        reason,
        'T2' as tier,
        payer_code,
        first_recipient,
        '' as reference_no,
        funder_wan,
        performer_wan,
        greatest(least(funder_wan, performer_wan), 0) as claimed_wan
    from left_over
    union all
    select
        period,
        reason,
        'T3' as tier,
        payer_code,
        first_recipient,
        '' as reference_no,
        cast(0 as decimal(20, 6)) as funder_wan,
        greatest(performer_wan, 0) - greatest(least(funder_wan, performer_wan), 0) as performer_wan,
        greatest(performer_wan, 0) - greatest(least(funder_wan, performer_wan), 0) as claimed_wan
    from left_over
)

select
    period,
    reason,
    tier,
    payer_code,
    first_recipient,
    reference_no,
    cast(funder_wan as decimal(20, 6)) as funder_wan,
    cast(performer_wan as decimal(20, 6)) as performer_wan,
    cast(claimed_wan as decimal(20, 6)) as claimed_wan
from tiers
