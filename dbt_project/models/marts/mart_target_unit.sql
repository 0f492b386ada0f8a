with

shares as (
    select * from {{ ref('int_compute_unit_share') }}
),

targets as (
    select * from {{ ref('target') }}
),

periods as (
    select * from {{ ref('dim_period') }}
),

areas as (
    select * from {{ ref('dim_area') }}
)

select
    shares.period,
    shares.target_id,
    shares.unit_code,
    shares.unit_name,
    shares.area_key,
    areas.area_name,
    shares.market_wan,
    shares.total_wan,
    shares.share_pct,
    cast(shares.target_pct as decimal(20, 6)) as target_pct,
    case
        when shares.value_note = 'not_reported' then 'no_data'
        when shares.value_note is not null then 'undecidable'
        when shares.is_reached then 'reached'
        else 'missed'
    end as state_code,
    case
        when shares.value_note = 'not_reported' then '缺数'
        when shares.value_note is not null then '不可判定'
        when shares.is_reached then '已达到'
        else '未达到'
    end as state,
    shares.value_note,
    targets.source_clause as clause
from shares
inner join periods on shares.period = periods.period
inner join targets
    on
        shares.target_id = targets.target_id
        and {{ is_valid_in('targets', 'periods') }}
inner join areas on shares.area_key = areas.area_key
