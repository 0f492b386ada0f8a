with

scores as (
    select * from {{ ref('int_score_annual') }}
),

figures as (
    select * from {{ ref('int_list_annual_figure') }}
),

indicators as (
    select * from {{ ref('annual_indicator') }}
),

periods as (
    select * from {{ ref('dim_period') }}
),

schemes as (
    select * from {{ ref('scoring_scheme') }}
)

select
    figures.year,
    scores.subject_type,
    scores.subject_key,
    scores.indicator_id,
    scores.dimension,
    figures.period,
    figures.subject_name,
    coalesce(indicators.annex_group, own.annex_group) as annex_group,
    indicators.annex_no,
    indicators.indicator_name,
    figures.provider,
    figures.share_of_name,
    figures.data_year,
    scores.value,
    figures.unit,
    figures.value_note,
    last_year.value as base_value,
    cast(scores.value - last_year.value as decimal(38, 16)) as value_change,
    scores.unacceptable,
    scores.satisfactory,
    scores.formula,
    scores.base_points,
    scores.span_points,
    scores.benchmark_method,
    scores.score_points,
    scores.indicator_score_points,
    scores.weight,
    scores.dimension_weight,
    scores.contribution_points,
    case when scores.scheme_id = last_year.scheme_id then last_year.score_points end as base_score_points,
    case
        when scores.scheme_id = last_year.scheme_id
            then cast(scores.contribution_points - last_year.contribution_points as decimal(38, 16))
    end as contribution_change_points,
    scores.rank,
    last_year.rank as base_rank,
    scores.scheme_id,
    schemes.scheme_name,
    schemes.is_provisional,
    scores.note_code,
    scores.note,
    figures.subject_sort_order,
    indicators.sort_order as indicator_sort_order,
    figures.value_kind,
    figures.numerator_wan,
    figures.denominator_wan,
    figures.base_numerator_wan,
    figures.base_denominator_wan
from scores
inner join figures
    on
        scores.period = figures.period
        and scores.subject_type = figures.subject_type
        and scores.subject_key = figures.subject_key
        and scores.indicator_id = figures.indicator_id
        and scores.dimension = figures.dimension
inner join periods on scores.period = periods.period
inner join indicators
    on
        scores.subject_type = indicators.subject_type
        and scores.indicator_id = indicators.indicator_id
        and {{ is_valid_in('indicators', 'periods') }}
-- 三类机构整体列在该类机构的分组里
left join indicators as own
    on
        scores.subject_type = 'sector'
        and scores.subject_key = own.subject_type
        and scores.indicator_id = own.indicator_id
        and {{ is_valid_in('own', 'periods') }}
inner join schemes
    on
        scores.scheme_id = schemes.scheme_id
        and {{ is_valid_in('schemes', 'periods') }}
left join scores as last_year
    on
        figures.base_period = last_year.period
        and scores.subject_type = last_year.subject_type
        and scores.subject_key = last_year.subject_key
        and scores.indicator_id = last_year.indicator_id
        and scores.dimension = last_year.dimension
