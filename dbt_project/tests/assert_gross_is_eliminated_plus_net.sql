-- 每行：剔除前 = 剔除额 + 剔除后；尚未剔除的行三者中后两者须同时为空。
-- 单位、地区 × 主体两级：剔除额不为负，剔除后不为负（市统计局按地区给出的重复额没有单位，只在后一级成立）。
with

inputs as (
    select * from {{ ref('fct_input') }}
),

levels as (
    select
        period,
        subject,
        area_key,
        unit_key,
        gross_wan,
        eliminated_wan,
        net_wan,
        estimated_wan,
        elimination_state
    from inputs
    where unit_key <> area_key
    union all
    select
        period,
        subject,
        area_key,
        '' as unit_key,
        {{ sum_or_null('gross_wan') }} as gross_wan,
        {{ sum_or_null('eliminated_wan') }} as eliminated_wan,
        {{ sum_or_null('net_wan') }} as net_wan,
        {{ sum_or_null('estimated_wan') }} as estimated_wan,
        min(elimination_state) as elimination_state
    from inputs
    group by period, subject, area_key
)

select *
from levels
where
    gross_wan <> eliminated_wan + net_wan
    or eliminated_wan < 0
    or net_wan < 0
    or estimated_wan > eliminated_wan
    or (elimination_state = 'not_yet_eliminated') <> (eliminated_wan is null)
    or (eliminated_wan is null) <> (net_wan is null)
