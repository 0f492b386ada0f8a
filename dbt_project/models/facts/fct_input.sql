with

gov_input as (
    select * from {{ ref('stg_finance_bureau__gov_input') }}
),

enterprise as (
    select * from {{ ref('int_input_enterprise') }}
),

performer as (
    select * from {{ ref('int_union_performer_unit') }}
    where is_in_frame
),

removals as (
    select * from {{ ref('int_list_removal') }}
),

complete_periods as (
    select * from {{ ref('int_detect_complete') }}
),

sectors as (
    select * from {{ ref('sector') }}
),

bases as (
    select * from {{ ref('int_resolve_basis') }}
),

-- 逐单位合计；不落到单位的行（bureau、EG、EE）落在地区键上
removed as (
    select
        removals.period,
        sectors.subject,
        removals.provider,
        removals.area_key,
        case
            when removals.unit_code = '' then removals.area_key
            else removals.provider || ':' || removals.unit_code
        end as unit_key,
        min(removals.unit_code) as unit_code,
        {{ sum_wan('removals.amount_wan') }} as eliminated_wan,
        {{ sum_wan("case when removals.tier = 'T3' then removals.amount_wan end") }} as estimated_wan
    from removals
    inner join sectors on removals.provider = sectors.provider
    group by removals.period, sectors.subject, removals.provider, removals.area_key, unit_key
),

reported as (
    select
        period,
        'government' as subject,
        'finance_bureau' as provider,
        'finance_bureau__gov_input' as table_id,
        area_key,
        area_key as unit_key,
        cast(1 as bigint) as unit_count,
        gov_total_wan as gross_wan
    from gov_input
    union all
    select
        period,
        'enterprise' as subject,
        'statistics_bureau' as provider,
        table_id,
        area_key,
        area_key as unit_key,
        unit_count,
        gross_wan
    from enterprise
    union all
    select
        period,
        subject,
        provider,
        table_id,
        area_key,
        unit_key,
        cast(1 as bigint) as unit_count,
        sti_activity_wan as gross_wan
    from performer
    union all
    -- 市统计局按地区给出的重复额没有单位：另立一行，剔除前为 0，使各级合计成立
    select
        period,
        subject,
        provider,
        'statistics_bureau__enterprise_rd_area' as table_id,
        area_key,
        unit_key,
        cast(0 as bigint) as unit_count,
        cast(0 as decimal(20, 6)) as gross_wan
    from removed
    where unit_code = '' and subject <> 'enterprise'
),

inputs as (
    select
        reported.*,
        case
            when reported.subject = 'government' then 'not_applicable'
            when reported.subject = 'enterprise' and removed.period is null then 'not_applicable'
            when complete_periods.period is null then 'not_yet_eliminated'
            else 'eliminated'
        end as elimination_state,
        case
            when reported.subject in ('government', 'enterprise') or complete_periods.period is not null
                then cast(coalesce(removed.eliminated_wan, 0) as decimal(20, 6))
        end as eliminated_wan,
        case
            when reported.subject in ('government', 'enterprise') or complete_periods.period is not null
                then cast(coalesce(removed.estimated_wan, 0) as decimal(20, 6))
        end as estimated_wan
    from reported
    left join complete_periods on reported.period = complete_periods.period
    left join removed
        on
            reported.period = removed.period
            and reported.subject = removed.subject
            and reported.area_key = removed.area_key
            and reported.unit_key = removed.unit_key
)

select
    inputs.period,
    inputs.subject,
    inputs.area_key,
    inputs.unit_key,
    inputs.provider,
    inputs.table_id,
    inputs.unit_count,
    inputs.gross_wan,
    inputs.eliminated_wan,
    cast(inputs.gross_wan - inputs.eliminated_wan as decimal(20, 6)) as net_wan,
    inputs.estimated_wan,
    inputs.elimination_state,
    bases.period_kind || '|' || bases.basis_name as basis
from inputs
left join bases
    on
        inputs.period = bases.period
        and inputs.subject = bases.subject
