-- 台账的每个来源行标识都在填报数据里，每笔至少一个；除 T3、bureau、policy 外，至少两个（双方各有其行）。
-- 同一串来源行（同一个键落在几个单位上）只查一次；以集合之差查，比逐条相连省一半时间。
with

{% set table_ids = [
    'finance_bureau__gov_payment', 'statistics_bureau__enterprise_rd', 'statistics_bureau__enterprise_contract',
    'statistics_bureau__enterprise_rd_area', 'education_bureau__unit', 'education_bureau__inflow',
    'education_bureau__outflow', 'science_bureau__unit', 'science_bureau__inflow', 'science_bureau__outflow',
    'health_commission__unit', 'health_commission__inflow', 'health_commission__outflow'
] -%}
source_rows as (
    {% for table_id in table_ids %}
        select
            period,
            row_id
        from {{ ref('stg_' ~ table_id) }}
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

lists as (
    select
        period,
        evidence,
        min(amount_wan) as amount_wan,
        bool_or(tier not in ('T3', 'bureau', 'policy')) as is_two_sided
    from {{ ref('fct_elimination') }}
    group by period, evidence
),

cited as (
    select
        period,
        {{ each_of_json_list('evidence') }} as row_id
    from lists
),

unknown as (
    select * from cited
    except
    select * from source_rows
)

select
    period,
    evidence
from lists
where
    evidence is null
    or amount_wan <= 0
    or (is_two_sided and {{ is_single_in_json_list('evidence') }})
union all
select
    period,
    row_id as evidence
from unknown
