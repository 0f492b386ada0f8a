-- 增速：与上年同期（dim_period.base_period）按报告期键相连，从不按行序；不可比时为空并给出原因。
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

periods as (
    select * from {{ ref('dim_period') }}
),

paired as (
    select
        this_year.period,
        this_year.area_key,
        this_year.indicator_id,
        this_year.value_wan,
        periods.base_period,
        last_year.value_wan as base_wan,
        case
            when this_year.value_wan is null then 'value_missing'
            when last_year.value_wan is null then 'base_missing'
            when last_year.basis <> this_year.basis then 'basis_changed'
            when last_year.value_wan <= 0 then 'base_not_positive'
        end as growth_note
    from indicator_values as this_year
    inner join periods on this_year.period = periods.period
    left join indicator_values as last_year
        on
            periods.base_period = last_year.period
            and this_year.area_key = last_year.area_key
            and this_year.indicator_id = last_year.indicator_id
)

select
    period,
    area_key,
    indicator_id,
    base_period,
    base_wan,
    case when growth_note is null then {{ growth_pct('value_wan', 'base_wan') }} end as growth_pct,
    growth_note
from paired
