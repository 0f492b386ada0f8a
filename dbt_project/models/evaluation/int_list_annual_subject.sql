-- 附件2 的研判对象，逐年度：九个地区、口径内的每个高校、科研机构、医院，三类机构整体，以及全市（只列示）。
-- 部门缺报（记名决定后照样发布）的年度，其单位取它最近一次报送年度的名单，各格都是缺数：从不悄悄不见。
-- 整行已计入别处（UNIT_DUP）的单位，其部门照样研判；市本级没有地区生产总值，不是对象。
with

periods as (
    select * from {{ ref('dim_period') }}
    where period_kind = 'year'
),

received as (
    select * from {{ ref('int_detect_received') }}
),

received_periods as (
    select distinct period from received
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
),

-- 每个年度、每类机构的名单取自哪一年：本年度报了即本年度，否则是报过的最近一年
frame_years as (
    select
        periods.period,
        periods.year,
        sectors.subject,
        max(reported.year) as frame_year
    from periods
    inner join received_periods on periods.period = received_periods.period
    cross join sectors
    inner join received on sectors.subject = received.subject
    inner join periods as reported
        on
            received.period = reported.period
            and periods.year >= reported.year
    group by periods.period, periods.year, sectors.subject
)

select
    periods.period,
    periods.year,
    case areas.area_type when 'city' then 'city' else 'area' end as subject_type,
    areas.area_key as subject_key,
    areas.area_name as subject_name,
    areas.sort_order,
    periods.year as frame_year
from periods
inner join received_periods on periods.period = received_periods.period
inner join areas on {{ is_valid_in('areas', 'periods') }}
where areas.is_ranked or areas.area_type = 'city'
union all
select
    frame_years.period,
    frame_years.year,
    units.subject as subject_type,
    units.unit_code as subject_key,
    units.unit_name as subject_name,
    cast(
        row_number() over (partition by frame_years.period, units.subject order by units.unit_code) as integer
    ) as sort_order,
    frame_years.frame_year
from frame_years
inner join periods on frame_years.frame_year = periods.year
inner join units
    on
        periods.period = units.period
        and frame_years.subject = units.subject
union all
select
    periods.period,
    periods.year,
    'sector' as subject_type,
    sectors.subject as subject_key,
    sectors.subject_name,
    sectors.sort_order,
    periods.year as frame_year
from periods
inner join received_periods on periods.period = received_periods.period
cross join sectors
