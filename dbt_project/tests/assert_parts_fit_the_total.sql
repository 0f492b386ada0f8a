-- 四个其中项之和不大于合计；其他主体 = 三类主体之和；汇总合计 = 政府 + 企业 + 其他主体（剔除后）。
{% set ids = [
    'gov_total', 'gov_platform', 'gov_talent', 'gov_poc_pilot', 'gov_incubator', 'enterprise_rd', 'university_sti',
    'institute_sti', 'hospital_sti', 'other_gross', 'other_eliminated', 'other_net', 'sti_total'
] -%}
with

indicator_values as (
    select * from {{ ref('fct_indicator_value') }}
),

wide as (
    select
        {% for id in ids %}
            sum(case when indicator_id = '{{ id }}' then value_wan end) as {{ id }},
        {% endfor %}
        period,
        area_key
    from indicator_values
    group by period, area_key
)

select *
from wide
where
    gov_platform + gov_talent + gov_poc_pilot + gov_incubator > gov_total
    or other_gross <> university_sti + institute_sti + hospital_sti
    or other_net <> other_gross - other_eliminated
    or sti_total <> gov_total + enterprise_rd + other_net
    or other_net < 0
