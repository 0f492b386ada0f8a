{# 监测集市：半年度、年度同一张表式，同样的列，只是报告期种类不同。 #}
{% macro monitoring_of(period_kind) -%}
with

monitoring as (
    select * from {{ ref('int_assemble_monitoring') }}
)

select
    period,
    area_key,
    indicator_id,
    period_name,
    area_name,
    annex_no,
    indicator_name,
    indicator_kind,
    unit,
    value_wan,
    value_note,
    base_period,
    base_wan,
    growth_pct,
    growth_note,
    share_denominator,
    share_pct,
    share_note,
    share_change_pp,
    share_of_city_pct,
    rank,
    growth_rank,
    basis,
    release_id,
    maturity,
    area_sort_order,
    indicator_sort_order
from monitoring
where period_kind = '{{ period_kind }}'
{%- endmacro %}
