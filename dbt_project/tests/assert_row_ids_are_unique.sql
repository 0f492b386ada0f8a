-- 来源行标识在全部填报数据里唯一、不为空：台账的证据靠它指到文件、工作表和行。
with

{% set table_ids = [
    'finance_bureau__gov_input', 'finance_bureau__gov_payment', 'statistics_bureau__enterprise_rd',
    'statistics_bureau__enterprise_contract', 'statistics_bureau__enterprise_rd_area', 'education_bureau__unit',
    'education_bureau__inflow', 'education_bureau__outflow', 'science_bureau__unit', 'science_bureau__inflow',
    'science_bureau__outflow', 'health_commission__unit', 'health_commission__inflow', 'health_commission__outflow'
] -%}
source_rows as (
    {% for table_id in table_ids %}
        select row_id from {{ ref('stg_' ~ table_id) }}
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
)

select
    row_id,
    count(*) as row_count
from source_rows
group by row_id
having count(*) > 1 or row_id is null
