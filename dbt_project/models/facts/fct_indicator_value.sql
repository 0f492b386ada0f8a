with

received as (
    select * from {{ ref('int_detect_received') }}
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

components as (
    select * from {{ ref('indicator_component') }}
),

sectors as (
    select * from {{ ref('sector') }}
),

measures as (
    select * from {{ ref('int_unpivot_measure') }}
),

bases as (
    select * from {{ ref('int_describe_basis') }}
),

received_periods as (
    select distinct period from received
),

-- 应有的格：有报数的报告期 × 十个地区 × 指标的每个组成部分
expected as (
    select
        periods.period,
        areas.area_key,
        components.indicator_id,
        components.subject,
        components.measure,
        sectors.has_row_per_area
    from received_periods
    inner join periods on received_periods.period = periods.period
    inner join areas on {{ is_valid_in('areas', 'periods') }}
    inner join indicators on {{ is_valid_in('indicators', 'periods') }}
    inner join components on indicators.indicator_id = components.indicator_id
    inner join sectors on components.subject = sectors.subject
    where areas.area_type <> 'city'
),

-- 全市尚无此数的计量项（未剔除）：没有单位的地区也不先给出
pending as (
    select distinct
        period,
        subject,
        measure,
        value_note
    from measures
    where value_wan is null
),

parts as (
    select
        expected.period,
        expected.area_key,
        expected.indicator_id,
        case
            when measures.period is not null then measures.value_wan
            when received.period is null or expected.has_row_per_area or pending.period is not null then null
            else 0
        end as value_wan,
        case
            when measures.period is not null then measures.value_note
            when received.period is null or expected.has_row_per_area then 'not_received'
            else pending.value_note
        end as value_note
    from expected
    left join received
        on
            expected.period = received.period
            and expected.subject = received.subject
    left join measures
        on
            expected.period = measures.period
            and expected.subject = measures.subject
            and expected.measure = measures.measure
            and expected.area_key = measures.area_key
    left join pending
        on
            expected.period = pending.period
            and expected.subject = pending.subject
            and expected.measure = pending.measure
),

area_values as (
    select
        period,
        area_key,
        indicator_id,
        {{ sum_or_null('value_wan') }} as value_wan,
        coalesce(min(case when value_wan is null then value_note end), min(value_note)) as value_note
    from parts
    group by period, area_key, indicator_id
),

city_values as (
    select
        area_values.period,
        city.area_key,
        area_values.indicator_id,
        {{ sum_or_null('area_values.value_wan') }} as value_wan,
        case
            when count(area_values.value_wan) < count(*)
                then min(case when area_values.value_wan is null then area_values.value_note end)
            when count(area_values.value_note) = count(*) then 'not_reported'
            when count(area_values.value_note) > 0 then 'partly_reported'
        end as value_note
    from area_values
    inner join periods on area_values.period = periods.period
    inner join areas as city on {{ is_valid_in('city', 'periods') }}
    where city.area_type = 'city'
    group by area_values.period, city.area_key, area_values.indicator_id
),

united as (
    select
        period,
        area_key,
        indicator_id,
        value_wan,
        value_note
    from area_values
    union all
    select
        period,
        area_key,
        indicator_id,
        value_wan,
        value_note
    from city_values
)

select
    united.period,
    united.area_key,
    united.indicator_id,
    united.value_wan,
    united.value_note,
    bases.basis
from united
left join bases
    on
        united.period = bases.period
        and united.indicator_id = bases.indicator_id
