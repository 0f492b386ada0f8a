-- 列示在合计之外的两项，逐地区和全市：种子没有要求剔除，默认不剔除。
with

memos as (
    select * from {{ ref('int_sum_enterprise_overlap') }}
),

periods as (
    select * from {{ ref('dim_period') }}
),

areas as (
    select * from {{ ref('dim_area') }}
),

policies as (
    select * from {{ ref('int_resolve_policy') }}
),

city as (
    select
        memos.period,
        areas.area_key,
        memos.reason,
        {{ sum_or_null('memos.overlap_wan') }} as overlap_wan
    from memos
    inner join periods on memos.period = periods.period
    inner join areas on {{ is_valid_in('areas', 'periods') }}
    where areas.area_type = 'city'
    group by memos.period, areas.area_key, memos.reason
),

united as (
    select
        period,
        area_key,
        reason,
        overlap_wan
    from memos
    union all
    select
        period,
        area_key,
        reason,
        overlap_wan
    from city
)

select
    united.period,
    united.area_key,
    united.reason as memo_id,
    case united.reason when 'EG' then '规上企业研发费用中来自政府部门的资金' else '规上企业委托境内企业研发' end as memo_name,
    united.overlap_wan as value_wan,
    case united.reason when 'EG' then policies.is_eg_subtracted else policies.is_ee_subtracted end as is_subtracted
from united
inner join policies on united.period = policies.period
