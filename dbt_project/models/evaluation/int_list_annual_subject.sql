-- 附件2 的研判对象，逐年度：九个地区、口径内的每个高校、科研机构、医院，三类机构整体，以及全市（只列示）。
-- 整行已计入别处（UNIT_DUP）的单位，其部门照样研判；市本级没有地区生产总值，不是对象。
with

periods as (
    select * from {{ ref('dim_period') }}
    where period_kind = 'year'
),

received_periods as (
    select distinct period from {{ ref('int_detect_received') }}
),

areas as (
    select * from {{ ref('dim_area') }}
),

units as (
    select * from {{ ref('int_union_performer_unit') }}
    where is_in_frame
),

sectors as (
    select * from {{ ref('sector') }}
    where subject_group = 'other'
)

select
    periods.period,
    periods.year,
    case areas.area_type when 'city' then 'city' else 'area' end as subject_type,
    areas.area_key as subject_key,
    areas.area_name as subject_name,
    areas.sort_order
from periods
inner join received_periods on periods.period = received_periods.period
inner join areas on {{ is_valid_in('areas', 'periods') }}
where areas.is_ranked or areas.area_type = 'city'
union all
select
    periods.period,
    periods.year,
    units.subject as subject_type,
    units.unit_code as subject_key,
    units.unit_name as subject_name,
    cast(row_number() over (partition by units.period, units.subject order by units.unit_code) as integer) as sort_order
from units
inner join periods on units.period = periods.period
union all
select
    periods.period,
    periods.year,
    'sector' as subject_type,
    sectors.subject as subject_key,
    sectors.subject_name,
    sectors.sort_order
from periods
inner join received_periods on periods.period = received_periods.period
cross join sectors
