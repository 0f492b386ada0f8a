-- 有报数的报告期：每个地区（含全市）每个有效指标恰有一行，缺数也以空值出现而不是缺行。
with

received as (
    select distinct period from {{ ref('int_detect_received') }}
),

periods as (
    select * from {{ ref('dim_period') }}
),

areas as (
    select * from {{ ref('dim_area') }}
),

indicators as (
    select * from {{ ref('dim_indicator') }}
),

monitoring as (
    select * from {{ ref('int_assemble_monitoring') }}
)

select
    periods.period,
    areas.area_key,
    indicators.indicator_id
from received
inner join periods on received.period = periods.period
inner join areas on {{ is_valid_in('areas', 'periods') }}
inner join indicators on {{ is_valid_in('indicators', 'periods') }}
left join monitoring
    on
        periods.period = monitoring.period
        and areas.area_key = monitoring.area_key
        and indicators.indicator_id = monitoring.indicator_id
where monitoring.period is null
