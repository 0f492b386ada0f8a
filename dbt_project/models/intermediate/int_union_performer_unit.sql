-- 三个部门的单位表合一；医院只有 三级甲等 = 是 且 纳入研发统计 = 是 的在口径内（附件1 注2）。
with

university as (
    select * from {{ ref('stg_education_bureau__unit') }}
),

institute as (
    select * from {{ ref('stg_science_bureau__unit') }}
),

hospital as (
    select * from {{ ref('stg_health_commission__unit') }}
),

united as (
    {% set sources = [
        ('university', 'education_bureau', 'true'),
        ('institute', 'science_bureau', 'true'),
        ('hospital', 'health_commission', 'coalesce(is_grade_3a and is_in_rd_statistics, false)')
    ] -%}
    {% for subject, provider, is_in_frame in sources %}
        select
            row_id,
            period,
            '{{ subject }}' as subject,
            '{{ provider }}' as provider,
            '{{ provider }}__unit' as table_id,
            unit_code,
            unit_name,
            area_key,
            parent_code,
            is_in_parent,
            {{ is_in_frame }} as is_in_frame,
            sti_activity_wan,
            sti_activity_wan_status,
            rd_expenditure_wan,
            rd_expenditure_wan_status,
            data_year
        from {{ subject }}
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
)

select
    row_id,
    period,
    subject,
    provider,
    table_id,
    provider || ':' || unit_code as unit_key,
    unit_code,
    unit_name,
    area_key,
    parent_code,
    is_in_parent,
    is_in_frame,
    sti_activity_wan,
    sti_activity_wan_status,
    rd_expenditure_wan,
    rd_expenditure_wan_status,
    data_year
from united
