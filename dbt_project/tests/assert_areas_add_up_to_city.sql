-- 每个指标：全市 = 十个地区之和；任一地区为空则全市为空。
with

indicator_values as (
    select * from {{ ref('fct_indicator_value') }}
),

areas as (
    select * from {{ ref('dim_area') }}
),

compared as (
    select
        indicator_values.period,
        indicator_values.indicator_id,
        sum(case when areas.area_type = 'city' then indicator_values.value_wan end) as city_wan,
        sum(case when areas.area_type <> 'city' then indicator_values.value_wan end) as areas_wan,
        count(case when areas.area_type <> 'city' and indicator_values.value_wan is null then 1 end) as missing_count
    from indicator_values
    inner join areas on indicator_values.area_key = areas.area_key
    group by indicator_values.period, indicator_values.indicator_id
)

select *
from compared
where
    (missing_count = 0 and (city_wan is null or city_wan <> areas_wan))
    or (missing_count > 0 and city_wan is not null)
