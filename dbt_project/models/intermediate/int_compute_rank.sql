-- 位次：九个地区内标准竞争排名（1、2、2、4）；市本级与全市不排，缺数不排。
with

indicator_values as (
    select * from {{ ref('fct_indicator_value') }}
),

growths as (
    select * from {{ ref('int_compute_growth') }}
),

indicators as (
    select * from {{ ref('dim_indicator') }}
),

areas as (
    select * from {{ ref('dim_area') }}
),

rankable as (
    select
        indicator_values.period,
        indicator_values.area_key,
        indicator_values.indicator_id,
        {{ reported_only('indicator_values.value_wan', 'indicator_values.value_note') }} as value_wan,
        growths.growth_pct
    from indicator_values
    inner join areas on indicator_values.area_key = areas.area_key
    inner join indicators on indicator_values.indicator_id = indicators.indicator_id
    left join growths
        on
            indicator_values.period = growths.period
            and indicator_values.area_key = growths.area_key
            and indicator_values.indicator_id = growths.indicator_id
    where areas.is_ranked and indicators.is_ranked
)

select
    period,
    area_key,
    indicator_id,
    case
        when value_wan is not null
            then rank() over (partition by period, indicator_id order by value_wan desc nulls last)
    end as value_rank,
    case
        when growth_pct is not null
            then rank() over (partition by period, indicator_id order by growth_pct desc nulls last)
    end as growth_rank
from rankable
