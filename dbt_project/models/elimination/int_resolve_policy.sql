-- 每个报告期当期有效的剔除参数。
with

periods as (
    select * from {{ ref('dim_period') }}
),

policies as (
    select * from {{ ref('elimination_policy') }}
)

select
    periods.period,
    periods.period_kind,
    policies.rule_version,
    policies.government_funder_code,
    policies.is_eg_subtracted,
    policies.is_ee_subtracted,
    policies.agree_pct,
    policies.ask_pct
from periods
inner join policies on {{ is_valid_in('policies', 'periods') }}
