-- 逐个科研机构：企业和社会经费占科技活动费用的比例，与目标要求的比例相比（正文（十））。
-- 哪些来源算企业和社会经费是参数（fund_source_class）；比较用精确小数，正好等于的算达到。没有填报的来源不加也不减（合计另有恒等式核对）。
{% set sources = [
    'central_direct', 'provincial_direct', 'local_fiscal', 'upper_transfer', 'enterprise_local_large',
    'enterprise_local_other', 'enterprise_nonlocal', 'overseas', 'commercialization', 'from_units', 'own_other'
] -%}
with

units as (
    select * from {{ ref('stg_science_bureau__unit') }}
),

periods as (
    select * from {{ ref('dim_period') }}
),

classes as (
    select * from {{ ref('fund_source_class') }}
),

targets as (
    select * from {{ ref('target') }}
    where rule_kind = 'coverage' and measure = 'institute_market_share'
),

-- 各来源都没有填报的单位，不知道有没有
received as (
    {% for source in sources %}
        select
            period,
            unit_code,
            '{{ source }}' as fund_source,
            {{ source }}_wan as amount_wan
        from units
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

market as (
    select
        received.period,
        received.unit_code,
        cast(
            sum(case when classes.is_enterprise_or_social then received.amount_wan end) as decimal(20, 6)
        ) as market_wan,
        count(received.amount_wan) as reported_count
    from received
    inner join periods on received.period = periods.period
    inner join classes
        on
            received.fund_source = classes.fund_source
            and {{ is_valid_in('classes', 'periods') }}
    group by received.period, received.unit_code
),

parts as (
    select
        units.period,
        units.unit_code,
        units.unit_name,
        units.area_key,
        units.sti_activity_wan as total_wan,
        cast(
            case when market.reported_count > 0 then coalesce(market.market_wan, 0) end as decimal(20, 6)
        ) as market_wan
    from units
    left join market
        on
            units.period = market.period
            and units.unit_code = market.unit_code
),

measured as (
    select
        parts.*,
        targets.target_id,
        targets.unit_threshold as target_pct,
        cast(parts.total_wan as decimal(20, 6)) * cast(targets.unit_threshold as decimal(18, 6)) as required_wan_pct
    from parts
    inner join periods on parts.period = periods.period
    inner join targets
        on
            {{ is_valid_in('targets', 'periods') }}
            and list_contains(string_split(targets.period_kinds, '|'), periods.period_kind)
)

select
    period,
    target_id,
    unit_code,
    unit_name,
    area_key,
    market_wan,
    total_wan,
    target_pct,
    {{ share_pct('market_wan', 'total_wan') }} as share_pct,
    case when total_wan > 0 then market_wan * 100 >= required_wan_pct end as is_reached,
    case
        when market_wan is null or total_wan is null then 'not_reported'
        when total_wan <= 0 then 'denominator_not_positive'
    end as value_note
from measured
