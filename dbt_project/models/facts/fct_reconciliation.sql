-- 对账：出资方与执行方逐对，出资方所付对执行方自报（剔出附项之后），差额占较大一方的百分比分三档。
-- 财政一方没有代码，用参数中的代码代表全市财政；企业只列口径内的。
with

pairs as (
    select * from {{ ref('int_pair_flow') }}
),

policies as (
    select * from {{ ref('int_resolve_policy') }}
),

complete_periods as (
    select * from {{ ref('int_detect_complete') }}
),

sides as (
    select
        pairs.period,
        case pairs.reason when 'OG' then policies.government_funder_code else pairs.payer_code end as funder_code,
        pairs.first_recipient as performer_code,
        {{ sum_wan('pairs.funder_wan') }} as funder_side_wan,
        {{ sum_wan('pairs.performer_wan') }} as performer_side_wan
    from pairs
    inner join policies on pairs.period = policies.period
    group by pairs.period, funder_code, performer_code
),

compared as (
    select
        *,
        cast(funder_side_wan - performer_side_wan as decimal(20, 6)) as difference_wan,
        greatest(funder_side_wan, performer_side_wan) as larger_wan
    from sides
)

select
    compared.period,
    compared.funder_code,
    compared.performer_code,
    compared.funder_side_wan,
    compared.performer_side_wan,
    compared.difference_wan,
    {{ share_pct('abs(compared.difference_wan)', 'compared.larger_wan') }} as difference_pct,
    case
        when abs(compared.difference_wan) * 100 <= compared.larger_wan * policies.agree_pct then 'agree'
        when abs(compared.difference_wan) * 100 <= compared.larger_wan * policies.ask_pct then 'ask'
        else 'query'
    end as band
from compared
inner join complete_periods on compared.period = complete_periods.period
inner join policies on compared.period = policies.period
