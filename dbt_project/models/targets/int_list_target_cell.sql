-- 应当判断的格：有报数的报告期 × 当期有效的目标 × 地区；任务指标表里计划外的行也各成一格。
with

periods as (
    select
        *,
        {{ period_series() }} as series
    from {{ ref('dim_period') }}
),

areas as (
    select * from {{ ref('dim_area') }}
),

targets as (
    select * from {{ ref('target') }}
),

commitments as (
    select * from {{ ref('int_match_commitment') }}
),

sectors as (
    select * from {{ ref('sector') }}
),

received as (
    select
        reported.period,
        sectors.provider
    from {{ ref('int_detect_received') }} as reported
    inner join sectors on reported.subject = sectors.subject
    union
    select
        period,
        'sti_office' as provider
    from commitments
),

received_periods as (
    select distinct period from received
),

cities as (
    select
        periods.period,
        city.area_key as city_key
    from periods
    inner join areas as city on {{ is_valid_in('city', 'periods') }}
    where city.area_type = 'city'
),

planned as (
    select
        periods.period,
        targets.target_id,
        areas.area_key,
        targets.target_name,
        targets.rule_kind,
        targets.comparison,
        targets.provider,
        targets.measure,
        targets.denominator,
        targets.compare_measure,
        case targets.compare_scope when 'city' then cities.city_key else areas.area_key end as compare_area_key,
        targets.threshold,
        targets.unit,
        targets.target_year,
        targets.data_year_offset,
        targets.source_clause,
        targets.source_text,
        commitments.reported_target_value,
        true as is_planned,
        targets.in_force_from <= periods.ends_on as is_in_force,
        targets.sort_order
    from received_periods
    inner join periods on received_periods.period = periods.period
    inner join cities on periods.period = cities.period
    inner join targets
        on
            {{ is_valid_in('targets', 'periods') }}
            and list_contains(string_split(targets.period_kinds, '|'), periods.period_kind)
    inner join areas
        on
            {{ is_valid_in('areas', 'periods') }}
            and (targets.scope = 'area' or areas.area_type = 'city')
    left join commitments
        on
            periods.period = commitments.period
            and targets.target_id = commitments.target_id
),

unplanned as (
    select
        commitments.period,
        commitments.target_id,
        cities.city_key as area_key,
        commitments.target_name,
        'commitment' as rule_kind,
        'at_least' as comparison,
        'sti_office' as provider,
        commitments.target_id as measure,
        cast(null as varchar) as denominator,
        cast(null as varchar) as compare_measure,
        cities.city_key as compare_area_key,
        commitments.reported_target_value as threshold,
        commitments.unit_of_measure as unit,
        cast(null as integer) as target_year,
        0 as data_year_offset,
        commitments.clause as source_clause,
        cast(null as varchar) as source_text,
        commitments.reported_target_value,
        false as is_planned,
        false as is_in_force,
        cast(100000 + row_number() over (
            partition by commitments.period
            order by commitments.clause, commitments.target_name
        ) as integer) as sort_order
    from commitments
    inner join cities on commitments.period = cities.period
    where not commitments.is_planned
),

united as (
    select * from planned
    union all
    select * from unplanned
)

select
    united.*,
    periods.series,
    periods.year,
    periods.ends_on,
    received.period is not null as is_received
from united
inner join periods on united.period = periods.period
left join received
    on
        united.period = received.period
        and united.provider = received.provider
