-- “Laying”一节，T2、T3 落在谁的数上：r 自己的部分（int_fill_recipient），加上溢出依次填入各去处（int_fill_receiver）的部分。
-- 两把累计的尺子重叠之处，就是这一笔落在这个单位的数额。
with

filled as (
    select * from {{ ref('int_fill_recipient') }}
),

receivers as (
    select * from {{ ref('int_fill_receiver') }}
),

demands as (
    select
        *,
        {{ sum_before('over_wan', 'period, reason, first_recipient', 'tier, payer_code') }} as start_wan
    from filled
    where over_wan > 0
),

places as (
    select
        *,
        {{ sum_before('laid_wan', 'period, reason, first_recipient', 'unit_code, reference_no') }} as start_wan
    from receivers
),

united as (
    select
        period,
        reason,
        tier,
        first_recipient as unit_code,
        first_recipient,
        payer_code as counterparty_code,
        laid_wan
    from filled
    where laid_wan > 0
    union all
    select
        demands.period,
        demands.reason,
        demands.tier,
        places.unit_code,
        demands.first_recipient,
        demands.payer_code as counterparty_code,
        {{ overlap_wan('demands.start_wan', 'demands.over_wan', 'places.start_wan', 'places.laid_wan') }} as laid_wan
    from demands
    inner join places
        on
            demands.period = places.period
            and demands.reason = places.reason
            and demands.first_recipient = places.first_recipient
            and demands.start_wan < places.start_wan + places.laid_wan
            and places.start_wan < demands.start_wan + demands.over_wan
)

select
    period,
    reason,
    tier,
    unit_code,
    first_recipient,
    counterparty_code,
    '' as reference_no,
    {{ sum_wan('laid_wan') }} as laid_wan
from united
group by period, reason, tier, unit_code, first_recipient, counterparty_code
