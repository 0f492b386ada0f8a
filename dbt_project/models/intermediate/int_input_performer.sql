-- 口径内的高校、科研机构、医疗卫生机构，逐单位，按填报数（剔除重复之前；附件1 第3项）。
with

units as (
    select * from {{ ref('int_union_performer_unit') }}
)

select
    period,
    subject,
    provider,
    table_id,
    area_key,
    unit_key,
    cast(1 as bigint) as unit_count,
    sti_activity_wan as gross_wan
from units
where is_in_frame
