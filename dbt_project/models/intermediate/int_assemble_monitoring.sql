-- 监测表的全部列，半年度与年度同一写法；两张集市表各取一种报告期，两种口径从不相比。
with

indicator_values as (
    select * from {{ ref('fct_indicator_value') }}
),

growths as (
    select * from {{ ref('int_compute_growth') }}
),

shares as (
    select * from {{ ref('int_compute_share') }}
),

ranks as (
    select * from {{ ref('int_compute_rank') }}
),

periods as (
    select * from {{ ref('dim_period') }}
),

areas as (
    select * from {{ ref('dim_area') }}
),

indicators as (
    select * from {{ ref('dim_indicator') }}
)

select
    indicator_values.period,
    indicator_values.area_key,
    indicator_values.indicator_id,
    periods.period_name,
    areas.area_name,
    indicators.annex_no,
    indicators.indicator_name,
    indicators.indicator_kind,
    indicators.unit,
    indicator_values.value_wan,
    indicator_values.value_note,
    growths.base_period,
    growths.base_wan,
    growths.growth_pct,
    growths.growth_note,
    indicators.share_denominator,
    shares.share_pct,
    shares.share_note,
    {{ share_change_pp(
        'shares.part_wan', 'shares.whole_wan', 'base_shares.part_wan', 'base_shares.whole_wan'
    ) }} as share_change_pp,
    shares.share_of_city_pct,
    cast(ranks.value_rank as integer) as rank,
    cast(ranks.growth_rank as integer) as growth_rank,
    indicator_values.basis,
    cast(null as varchar) as release_id,
    'provisional' as maturity,
    areas.sort_order as area_sort_order,
    indicators.sort_order as indicator_sort_order,
    periods.period_kind
from indicator_values
inner join periods on indicator_values.period = periods.period
inner join areas on indicator_values.area_key = areas.area_key
inner join indicators on indicator_values.indicator_id = indicators.indicator_id
inner join growths
    on
        indicator_values.period = growths.period
        and indicator_values.area_key = growths.area_key
        and indicator_values.indicator_id = growths.indicator_id
inner join shares
    on
        indicator_values.period = shares.period
        and indicator_values.area_key = shares.area_key
        and indicator_values.indicator_id = shares.indicator_id
left join shares as base_shares
    on
        growths.base_period = base_shares.period
        and indicator_values.area_key = base_shares.area_key
        and indicator_values.indicator_id = base_shares.indicator_id
        and shares.share_basis = base_shares.share_basis
left join ranks
    on
        indicator_values.period = ranks.period
        and indicator_values.area_key = ranks.area_key
        and indicator_values.indicator_id = ranks.indicator_id
