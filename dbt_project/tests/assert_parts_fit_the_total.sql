-- 四个其中项之和不大于合计；其他主体 = 三类主体之和，剔除后 = 剔除前 − 剔除额，不为负。
-- 汇总合计的等式见 assert_total_is_what_the_ledger_leaves。
{% set ids = [
    'gov_total', 'gov_platform', 'gov_talent', 'gov_poc_pilot', 'gov_incubator', 'enterprise_rd', 'university_sti',
    'institute_sti', 'hospital_sti', 'other_gross', 'other_eliminated', 'other_net'
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
    or other_net < 0
