-- 占比：分母按 dim_indicator.share_denominator；另有占全市比重。share_basis 连写分子、分母的口径，两期不同则不比。
with

indicator_values as (
    select
        period,
        area_key,
        indicator_id,
        basis,
        {{ reported_only('value_wan', 'value_note') }} as value_wan
    from {{ ref('fct_indicator_value') }}
),

indicators as (
    select * from {{ ref('dim_indicator') }}
),

areas as (
    select * from {{ ref('dim_area') }}
),

city_values as (
    select indicator_values.*
    from indicator_values
    inner join areas on indicator_values.area_key = areas.area_key
    where areas.area_type = 'city'
)

select
    part.period,
    part.area_key,
    part.indicator_id,
    part.value_wan as part_wan,
    whole.value_wan as whole_wan,
    {{ share_pct('part.value_wan', 'whole.value_wan') }} as share_pct,
    case
        when indicators.share_denominator is null then null
        when part.value_wan is null then 'value_missing'
        when whole.value_wan is null then 'denominator_missing'
        when whole.value_wan <= 0 then 'denominator_not_positive'
    end as share_note,
    part.basis || '/' || whole.basis as share_basis,
    {{ share_pct('part.value_wan', 'city_values.value_wan') }} as share_of_city_pct
from indicator_values as part
inner join indicators on part.indicator_id = indicators.indicator_id
left join indicator_values as whole
    on
        part.period = whole.period
        and part.area_key = whole.area_key
        and indicators.share_denominator = whole.indicator_id
left join city_values
    on
        part.period = city_values.period
        and part.indicator_id = city_values.indicator_id
