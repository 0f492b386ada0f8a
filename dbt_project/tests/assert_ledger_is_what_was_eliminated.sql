-- 台账与剔除额在每一级都相等：单位、地区、主体、全市；没有一笔剔除不在台账里，也没有一笔台账不在数里。
with

ledger as (
    select * from {{ ref('fct_elimination') }}
),

inputs as (
    select * from {{ ref('fct_input') }}
),

eliminated_periods as (
    select distinct period
    from inputs
    where elimination_state = 'eliminated'
),

both_sides as (
    select
        ledger.period,
        ledger.provider,
        ledger.area as area_key,
        case
            when ledger.unit_code = '' then ledger.area
            else ledger.provider || ':' || ledger.unit_code
        end as unit_key,
        ledger.amount_wan as ledger_wan,
        0 as input_wan
    from ledger
    inner join eliminated_periods on ledger.period = eliminated_periods.period
    union all
    select
        period,
        provider,
        area_key,
        unit_key,
        0 as ledger_wan,
        coalesce(eliminated_wan, 0) as input_wan
    from inputs
),

{% set grains = {
    'unit': "provider || '|' || area_key || '|' || unit_key", 'area': 'area_key', 'sector': 'provider', 'city': "''"
} -%}
grains as (
    {% for grain, key in grains.items() %}
        select
            period,
            '{{ grain }}' as grain,
            {{ key }} as grain_key,
            sum(ledger_wan) as ledger_wan,
            sum(input_wan) as input_wan
        from both_sides
        group by 1, 2, 3
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
)

select *
from grains
where ledger_wan <> input_wan
