-- 五类主体都已报数的报告期：缺了一方，与它的重复就看不见，剔除台账、对账和差异都不出；缺数从不当作 0。
with

received as (
    select * from {{ ref('int_detect_received') }}
),

sectors as (
    select * from {{ ref('sector') }}
),

sector_counts as (
    select count(*) as sector_count from sectors
)

select received.period
from received
inner join sectors on received.subject = sectors.subject
group by received.period
having count(*) = (select sector_counts.sector_count from sector_counts)
