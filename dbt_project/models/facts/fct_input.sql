with

government as (
    select * from {{ ref('int_input_government') }}
),

enterprise as (
    select * from {{ ref('int_input_enterprise') }}
),

performer as (
    select * from {{ ref('int_input_performer') }}
),

bases as (
    select * from {{ ref('int_resolve_basis') }}
),

counted_in_full as (
    select
        period,
        'government' as subject,
        'finance_bureau' as provider,
        table_id,
        area_key,
        unit_count,
        gross_wan
    from government
    union all
    select
        period,
        'enterprise' as subject,
        'statistics_bureau' as provider,
        table_id,
        area_key,
        unit_count,
        gross_wan
    from enterprise
),

inputs as (
    select
        period,
        subject,
        provider,
        table_id,
        area_key,
        area_key as unit_key,
        unit_count,
        gross_wan,
        cast(0 as decimal(20, 6)) as eliminated_wan,
        cast(0 as decimal(20, 6)) as estimated_wan,
        'not_applicable' as elimination_state
    from counted_in_full
    union all
    select
        period,
        subject,
        provider,
        table_id,
        area_key,
        unit_key,
        unit_count,
        gross_wan,
        cast(null as decimal(20, 6)) as eliminated_wan,
        cast(null as decimal(20, 6)) as estimated_wan,
        'not_yet_eliminated' as elimination_state
    from performer
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
