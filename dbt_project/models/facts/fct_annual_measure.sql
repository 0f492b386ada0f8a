-- 一行一个计量项。地区的监测指标取自 fct_indicator_value；研发经费、生产总值、财政支出取自各自的表；单位的取自单位表。
-- 全市、三类机构整体 = 各行之和，有一行缺数、少一个地区的行则为空（缺数从不当作 0）；研发投入强度另有一对只计两数俱全地区的计量项。
with

periods as (
    select * from {{ ref('dim_period') }}
    where period_kind = 'year'
),

areas as (
    select * from {{ ref('dim_area') }}
),

indicator_values as (
    select * from {{ ref('fct_indicator_value') }}
),

sti_bases as (
    select * from {{ ref('int_resolve_sti_base') }}
),

rd_gdp as (
    select * from {{ ref('stg_statistics_bureau__rd_gdp') }}
),

gov_input as (
    select * from {{ ref('stg_finance_bureau__gov_input') }}
),

performer_units as (
    select * from {{ ref('int_union_performer_unit') }}
    where is_in_frame
),

-- 少了地区的行的表：其余地区相加不是全市
short_tables as (
    {% for table in ['rd_gdp', 'gov_input'] %}
        select distinct
            periods.period,
            '{{ table }}' as source_table
        from periods
        inner join areas on areas.area_type <> 'city' and {{ is_valid_in('areas', 'periods') }}
        left join {{ table }}
            on
                periods.period = {{ table }}.period
                and areas.area_key = {{ table }}.area_key
        where {{ table }}.area_key is null
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

ranked_areas as (
    select
        periods.period,
        count(*) as area_count
    from periods
    inner join areas on areas.is_ranked and {{ is_valid_in('areas', 'periods') }}
    group by periods.period
),

-- 逐地区：市本级的行只为全市合计，不是研判对象
by_area as (
    {% for column in [
        'rd_expenditure', 'rd_expenditure_enterprise', 'rd_expenditure_university', 'rd_expenditure_institute',
        'rd_expenditure_hospital', 'gdp'
    ] %}
        select
            period,
            area_key,
            '{{ column }}' as measure,
            data_year,
            {{ column }}_wan as value_wan,
            nullif({{ column }}_wan_status, 'reported') as value_note,
            'rd_gdp' as source_table
        from rd_gdp
        -- 填“-”的是没有这一项（市本级没有地区生产总值），不是 0，也不使全市为空
        where {{ column }}_wan_status <> 'nil'
        union all
    {% endfor %}
    {% for measure, column in [('rd_expenditure_with_gdp', 'rd_expenditure'), ('gdp_with_rd_expenditure', 'gdp')] %}
        select
            period,
            area_key,
            '{{ measure }}' as measure,
            data_year,
            {{ column }}_wan as value_wan,
            cast(null as varchar) as value_note,
            'both' as source_table
        from rd_gdp
        where gdp_wan > 0 and rd_expenditure_wan is not null
        union all
    {% endfor %}
    {% for column in ['science_technology_expenditure', 'general_budget_expenditure', 'recurring_revenue'] %}
        select
            gov_input.period,
            gov_input.area_key,
            '{{ column }}' as measure,
            periods.year as data_year,
            gov_input.{{ column }}_wan as value_wan,
            nullif(gov_input.{{ column }}_wan_status, 'reported') as value_note,
            'gov_input' as source_table
        from gov_input
        inner join periods on gov_input.period = periods.period
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

by_unit as (
    {% for measure, data_year in [('sti_activity', 'periods.year'), ('rd_expenditure', 'performer_units.data_year')] %}
        select
            performer_units.period,
            performer_units.subject,
            performer_units.unit_code,
            '{{ measure }}' as measure,
            {{ data_year }} as data_year,
            performer_units.{{ measure }}_wan as value_wan,
            nullif(performer_units.{{ measure }}_wan_status, 'reported') as value_note
        from performer_units
        inner join periods on performer_units.period = periods.period
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

united as (
    select
        indicator_values.period,
        case areas.area_type when 'city' then 'city' else 'area' end as subject_type,
        indicator_values.area_key as subject_key,
        indicator_values.indicator_id as measure,
        periods.year as data_year,
        {{ reported_only('indicator_values.value_wan', 'indicator_values.value_note') }} as value_wan,
        indicator_values.value_note,
        indicator_values.basis
    from indicator_values
    inner join periods on indicator_values.period = periods.period
    inner join areas on indicator_values.area_key = areas.area_key
    union all
    select
        sti_bases.period,
        case areas.area_type when 'city' then 'city' else 'area' end as subject_type,
        sti_bases.area_key as subject_key,
        'sti_total_year_before' as measure,
        sti_bases.data_year,
        sti_bases.value_wan,
        cast(null as varchar) as value_note,
        sti_bases.basis
    from sti_bases
    inner join areas on sti_bases.area_key = areas.area_key
    union all
    select
        period,
        'area' as subject_type,
        area_key as subject_key,
        measure,
        data_year,
        value_wan,
        value_note,
        '' as basis
    from by_area
    union all
    select
        by_area.period,
        'city' as subject_type,
        city.area_key as subject_key,
        by_area.measure,
        max(by_area.data_year) as data_year,
        case when short_tables.period is null then {{ sum_or_null('by_area.value_wan') }} end as value_wan,
        case
            when
                short_tables.period is not null
                or count(*) > count(by_area.value_wan)
                or (
                    by_area.source_table = 'both'
                    and count(case when areas.is_ranked then 1 end) < ranked_areas.area_count
                )
                then 'partly_reported'
        end as value_note,
        -- 只计一部分地区的，与计入的地区不同的年度不比
        case
            when by_area.source_table = 'both' and count(case when areas.is_ranked then 1 end) < ranked_areas.area_count
                then '只计' || string_agg(by_area.area_key, '、' order by by_area.area_key)
            else ''
        end as basis
    from by_area
    inner join ranked_areas on by_area.period = ranked_areas.period
    left join short_tables
        on
            by_area.period = short_tables.period
            and by_area.source_table = short_tables.source_table
    inner join periods on by_area.period = periods.period
    left join areas on by_area.area_key = areas.area_key and {{ is_valid_in('areas', 'periods') }}
    inner join areas as city on {{ is_valid_in('city', 'periods') }}
    where city.area_type = 'city'
    group by
        by_area.period, by_area.source_table, by_area.measure, city.area_key, short_tables.period,
        ranked_areas.area_count
    union all
    select
        period,
        subject as subject_type,
        unit_code as subject_key,
        measure,
        data_year,
        value_wan,
        value_note,
        '' as basis
    from by_unit
    union all
    select
        period,
        'sector' as subject_type,
        subject as subject_key,
        measure,
        max(data_year) as data_year,
        {{ sum_or_null('value_wan') }} as value_wan,
        case when count(*) > count(value_wan) then 'partly_reported' end as value_note,
        '' as basis
    from by_unit
    group by period, subject, measure
)

select
    united.period,
    periods.year,
    united.subject_type,
    united.subject_key,
    united.measure,
    united.data_year,
    united.value_wan,
    united.value_note,
    united.basis
from united
inner join periods on united.period = periods.period
