-- 每个指标当期的口径：报告期种类 + 其各组成主体的口径，按主体顺序连写；两期口径不同则不比增速。
with

components as (
    select distinct
        indicator_id,
        subject
    from {{ ref('indicator_component') }}
),

bases as (
    select * from {{ ref('int_resolve_basis') }}
)

select
    bases.period,
    components.indicator_id,
    bases.period_kind || '|' || concat_ws(
        '+',
        {% for subject in ['government', 'enterprise', 'university', 'institute', 'hospital'] %}
            max(case when components.subject = '{{ subject }}' then bases.basis_name end)
            {%- if not loop.last %},{% endif %}
        {% endfor %}
    ) as basis
from components
inner join bases on components.subject = bases.subject
group by bases.period, bases.period_kind, components.indicator_id
