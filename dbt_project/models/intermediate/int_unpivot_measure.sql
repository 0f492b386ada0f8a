-- 长表：报告期 × 主体 × 地区 × 计量项（剔除前、剔除额、剔除后，以及政府的其中项和附项）。
-- 未填报的格计 0 并注 not_reported；尚未剔除的为空并注 not_yet_eliminated：缺数从不当作 0。
with

inputs as (
    select * from {{ ref('fct_input') }}
),

gov_input as (
    select * from {{ ref('stg_finance_bureau__gov_input') }}
),

by_area as (
    select
        period,
        subject,
        area_key,
        {{ sum_or_null('gross_wan') }} as gross_wan,
        {{ sum_or_null('eliminated_wan') }} as eliminated_wan,
        {{ sum_or_null('net_wan') }} as net_wan
    from inputs
    group by period, subject, area_key
)

{% for measure in ['gross', 'eliminated', 'net'] %}
    select
        period,
        subject,
        area_key,
        '{{ measure }}' as measure,
        {{ measure }}_wan as value_wan,
        case when {{ measure }}_wan is null then 'not_yet_eliminated' end as value_note
    from by_area
    union all
{% endfor %}
{% set items = [
    'gov_platform', 'gov_talent', 'gov_poc_pilot', 'gov_incubator', 'special_bond', 'soe_platform', 'industry_fund'
] -%}
{% for item in items %}
    select
        period,
        'government' as subject,
        area_key,
        '{{ item }}' as measure,
        coalesce({{ item }}_wan, 0) as value_wan,
        case when {{ item }}_wan is null then 'not_reported' end as value_note
    from gov_input
    {% if not loop.last %}union all{% endif %}
{% endfor %}
