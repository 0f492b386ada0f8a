-- 规上企业研发费用，按地区汇总：只计当期口径内的规上类别（半年度只计工业，附件1 注2）。
-- 当期有单位表则用单位表；单位数据不出局的报告期（统计法）用分地区汇总表。
with

units as (
    select * from {{ ref('stg_statistics_bureau__enterprise_rd') }}
),

areas as (
    select * from {{ ref('stg_statistics_bureau__enterprise_rd_area') }}
),

counted as (
    select * from {{ ref('int_resolve_enterprise_frame') }}
),

unit_periods as (
    select distinct period from units
),

reported as (
    select
        period,
        'statistics_bureau__enterprise_rd' as table_id,
        area_key,
        frame_category,
        1 as enterprise_count,
        rd_expense_wan
    from units
    union all
    select
        areas.period,
        'statistics_bureau__enterprise_rd_area' as table_id,
        areas.area_key,
        areas.frame_category,
        areas.enterprise_count,
        areas.rd_expense_wan
    from areas
    left join unit_periods on areas.period = unit_periods.period
    where unit_periods.period is null
)

select
    reported.period,
    reported.table_id,
    reported.area_key,
    cast(sum(reported.enterprise_count) as bigint) as unit_count,
    {{ sum_or_null('reported.rd_expense_wan') }} as gross_wan
from reported
inner join counted
    on
        reported.period = counted.period
        and reported.frame_category = counted.frame_category
group by reported.period, reported.table_id, reported.area_key
