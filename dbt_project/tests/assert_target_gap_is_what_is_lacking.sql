-- 差距 = 目标值 − 现值；状态与差距相符：不低于（或高于）目标值的才是已达到，够不着的从不是。
with

progress as (
    select * from {{ ref('mart_target_progress') }}
)

select
    period,
    target_id,
    area_key,
    target_value,
    value,
    gap,
    state_code
from progress
where
    (target_value is not null and value is not null and (gap is null or gap <> target_value - value))
    or (gap is not null and (target_value is null or value is null))
    or (state_code = 'reached' and (gap is null or gap > 0 or (comparison = 'above' and gap = 0)))
    or (state_code in ('missed', 'on_track', 'behind') and (gap is null or gap < 0))
    or (value is null and value_note is null)
