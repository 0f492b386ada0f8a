-- 判断目标要用的数，长表：报告期 × 地区 × 计量项，各带数据年度和口径；没有数的注明原因，缺数从不当作 0。
-- series：半年与半年比、全年与全年比，各成一列，从不相混。
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

indicator_values as (
    select * from {{ ref('fct_indicator_value') }}
),

measures as (
    select * from {{ ref('fct_annual_measure') }}
    where measure in ('rd_expenditure', 'rd_expenditure_with_gdp', 'gdp_with_rd_expenditure')
),

gov_input as (
    select * from {{ ref('stg_finance_bureau__gov_input') }}
),

enterprise_classes as (
    select * from {{ ref('int_sum_enterprise_class') }}
),

unit_shares as (
    select * from {{ ref('int_compute_unit_share') }}
),

commitments as (
    select * from {{ ref('int_match_commitment') }}
),

cities as (
    select
        periods.period,
        city.area_key as city_key,
        count(areas.area_key) as area_count
    from periods
    inner join areas as city on city.area_type = 'city' and {{ is_valid_in('city', 'periods') }}
    inner join areas on areas.area_type <> 'city' and {{ is_valid_in('areas', 'periods') }}
    group by periods.period, city.area_key
),

-- 只计一部分地区的不是全市（占生产总值的比重要每个地区两数俱全），不取
whole_measures as (
    select
        *,
        case when coalesce(value_note, '') <> 'partly_reported' then value_wan end as amount
    from measures
    where subject_type in ('area', 'city')
),

fiscal as (
    {% for measure in ['science_technology_expenditure', 'recurring_revenue'] %}
        select
            period,
            area_key,
            '{{ measure }}' as measure,
            {{ measure }}_wan as amount
        from gov_input
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

united as (
    select
        period,
        area_key,
        indicator_id as measure,
        cast(null as integer) as data_year,
        {{ reported_only('value_wan', 'value_note') }} as amount,
        value_note,
        basis
    from indicator_values
    union all
    select
        period,
        area_key,
        measure,
        null as data_year,
        amount,
        case when amount is null then 'not_reported' end as value_note,
        '' as basis
    from fiscal
    union all
    select
        fiscal.period,
        cities.city_key as area_key,
        fiscal.measure,
        null as data_year,
        case when count(*) >= cities.area_count then {{ sum_or_null('fiscal.amount') }} end as amount,
        case when count(*) < cities.area_count or count(fiscal.amount) < count(*) then 'part_missing' end as value_note,
        '' as basis
    from fiscal
    inner join cities on fiscal.period = cities.period
    group by fiscal.period, cities.city_key, cities.area_count, fiscal.measure
    union all
    select
        period,
        subject_key as area_key,
        measure,
        data_year,
        amount,
        case
            when amount is null and subject_type = 'city' then 'part_missing'
            when amount is null then 'not_reported'
        end as value_note,
        '' as basis
    from whole_measures
    union all
    select
        enterprise_classes.period,
        cities.city_key as area_key,
        enterprise_classes.measure,
        null as data_year,
        enterprise_classes.amount,
        enterprise_classes.value_note,
        enterprise_classes.basis
    from enterprise_classes
    inner join cities on enterprise_classes.period = cities.period
    {% for part, counted in [
        ('reached', 'case when unit_shares.is_reached then 1 end'), ('units', 'unit_shares.is_reached')
    ] %}
        union all
        -- 没有投入的机构无从谈占比，不计；填报不全的使全市为空
        select
            unit_shares.period,
            cities.city_key as area_key,
            unit_shares.target_id || ':{{ part }}' as measure,
            null as data_year,
            cast(
                case
                    when count(case when unit_shares.value_note = 'not_reported' then 1 end) = 0
                        then count({{ counted }})
                end as decimal(20, 6)
            ) as amount,
            case
                when count(case when unit_shares.value_note = 'not_reported' then 1 end) > 0 then 'part_missing'
            end as value_note,
            '' as basis
        from unit_shares
        inner join cities on unit_shares.period = cities.period
        group by unit_shares.period, cities.city_key, unit_shares.target_id
    {% endfor %}
    union all
    select
        commitments.period,
        cities.city_key as area_key,
        commitments.target_id as measure,
        null as data_year,
        case when commitments.value_note is null then commitments.reported_value end as amount,
        commitments.value_note,
        '' as basis
    from commitments
    inner join cities on commitments.period = cities.period
)

select
    united.period,
    periods.series,
    united.area_key,
    united.measure,
    coalesce(united.data_year, periods.year) as data_year,
    cast(united.amount as decimal(20, 6)) as amount,
    united.value_note,
    united.basis
from united
inner join periods on united.period = periods.period
