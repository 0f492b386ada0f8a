-- 步骤 1 之后留下的执行单位：每个报告期每个代码至多一行；以后各步只数它们的流水，剔除合计不超过其科技活动费用合计。
with

units as (
    select * from {{ ref('int_union_performer_unit') }}
    where is_in_frame
),

removed as (
    select * from {{ ref('int_eliminate_unit_dup') }}
)

select
    units.period,
    units.subject,
    units.provider,
    units.unit_code,
    units.area_key,
    units.row_id,
    cast(greatest(coalesce(units.sti_activity_wan, 0), 0) as decimal(20, 6)) as activity_wan
from units
left join removed
    on
        units.period = removed.period
        and units.provider = removed.provider
        and units.unit_code = removed.unit_code
where removed.unit_code is null
