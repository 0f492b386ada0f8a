-- 每个地区和全市：汇总合计 = 政府 + 企业 + 其他主体（剔除前）− 台账之和；合计、剔除后都由台账直接验算，不经中间层。
with

ledger as (
    select * from {{ ref('fct_elimination') }}
),

indicator_values as (
    select * from {{ ref('fct_indicator_value') }}
),

areas as (
    select * from {{ ref('dim_area') }}
),

removed as (
    select
        period,
        area as area_key,
        amount_wan
    from ledger
    union all
    select
        ledger.period,
        areas.area_key,
        ledger.amount_wan
    from ledger
    cross join areas
    where areas.area_type = 'city'
),

removed_by_area as (
    select
        period,
        area_key,
        sum(amount_wan) as removed_wan
    from removed
    group by period, area_key
),

wide as (
    select
        {% for id in ['gov_total', 'enterprise_rd', 'other_gross', 'other_net', 'sti_total'] %}
            sum(case when indicator_id = '{{ id }}' then value_wan end) as {{ id }},
        {% endfor %}
        period,
        area_key
    from indicator_values
    group by period, area_key
)

select
    wide.*,
    removed_by_area.removed_wan
from wide
left join removed_by_area
    on
        wide.period = removed_by_area.period
        and wide.area_key = removed_by_area.area_key
where
    wide.sti_total <> wide.gov_total + wide.enterprise_rd + wide.other_gross - coalesce(removed_by_area.removed_wan, 0)
    or wide.other_net < 0
