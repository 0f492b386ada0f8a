-- 只有执行单位（高校、科研机构、医院）；规上企业的单位数据为限制级，从不进入对外的表。
with

units as (
    select * from {{ ref('int_union_performer_unit') }}
),

periods as (
    select * from {{ ref('dim_period') }}
),

ordered as (
    select
        units.*,
        row_number() over (
            partition by units.unit_key
            order by periods.ends_on, units.period, units.row_id
        ) as nth,
        row_number() over (
            partition by units.unit_key
            order by periods.ends_on desc, units.period desc, units.row_id desc
        ) as nth_last
    from units
    inner join periods on units.period = periods.period
),

first_seen as (
    select
        unit_key,
        period
    from ordered
    where nth = 1
)

select
    latest.unit_key,
    latest.subject,
    latest.provider,
    latest.unit_code,
    latest.unit_name,
    latest.area_key,
    latest.parent_code,
    latest.is_in_parent,
    latest.is_in_frame,
    first_seen.period as first_period,
    latest.period as last_period
from ordered as latest
inner join first_seen on latest.unit_key = first_seen.unit_key
where latest.nth_last = 1
