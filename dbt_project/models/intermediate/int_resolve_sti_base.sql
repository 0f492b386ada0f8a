-- “研发经费相当于科技创新投入的比重”的分母：上一年度的科技创新投入（年报口径，非下半年）。
-- 只在此一处取数：有了正式发布（release）之后改为取上年发布时冻结的数；现取上年已准入、按现行口径算出的数。
with

indicator_values as (
    select * from {{ ref('fct_indicator_value') }}
),

periods as (
    select * from {{ ref('dim_period') }}
)

select
    periods.period,
    base.area_key,
    base_periods.year as data_year,
    base.value_wan,
    base.basis
from periods
inner join periods as base_periods on periods.base_period = base_periods.period
inner join indicator_values as base on base_periods.period = base.period
where
    periods.period_kind = 'year'
    and base.indicator_id = 'sti_total'
