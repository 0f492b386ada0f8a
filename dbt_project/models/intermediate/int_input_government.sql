-- 政府科技创新投入：每地区一行，合计即三本预算之和；附项不在其中（附件1 注2）。
with

gov_input as (
    select * from {{ ref('stg_finance_bureau__gov_input') }}
)

select
    period,
    'finance_bureau__gov_input' as table_id,
    area_key,
    cast(1 as bigint) as unit_count,
    gov_total_wan as gross_wan
from gov_input
