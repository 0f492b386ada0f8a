with

scores as (
    select * from {{ ref('int_score_annual') }}
),

subjects as (
    select * from {{ ref('int_list_annual_subject') }}
),

periods as (
    select * from {{ ref('dim_period') }}
),

schemes as (
    select * from {{ ref('scoring_scheme') }}
),

ranges as (
    select * from {{ ref('int_simulate_annual') }}
),

-- 综合得分在每一格上都有一份，取其一；不打分的对象（全市、三类机构整体）没有
composites as (
    select
        period,
        subject_type,
        subject_key,
        scheme_id,
        max(total_points) as total_points,
        max(total_rank) as total_rank,
        max(scored_weight) as scored_weight,
        max(full_weight) as full_weight
    from scores
    where full_weight is not null
    group by period, subject_type, subject_key, scheme_id
)

select
    subjects.year,
    composites.subject_type,
    composites.subject_key,
    subjects.period,
    subjects.subject_name,
    composites.total_points,
    composites.total_rank as rank,
    ranges.rank_low,
    ranges.rank_high,
    ranges.rank_kept_pct,
    ranges.rank_first_pct,
    ranges.draw_count as rank_draw_count,
    ranges.coverage_pct as rank_coverage_pct,
    last_year.total_points as base_total_points,
    cast(composites.total_points - last_year.total_points as decimal(38, 16)) as total_change_points,
    last_year.total_rank as base_rank,
    composites.scored_weight,
    composites.full_weight,
    composites.scheme_id,
    schemes.scheme_name,
    schemes.is_provisional,
    case
        when subjects.frame_year < subjects.year
            then
                '部门本年度缺报，按 ' || cast(subjects.frame_year as varchar) || ' 年度的名单列出'
                || case when composites.total_points is null then '，不排位' else '' end
        when composites.total_points is null then '没有可计分的指标，不排位'
        when composites.scored_weight < composites.full_weight then '有指标不计分，按其余指标的权重折算'
    end as note,
    subjects.sort_order as subject_sort_order
from composites
inner join subjects
    on
        composites.period = subjects.period
        and composites.subject_type = subjects.subject_type
        and composites.subject_key = subjects.subject_key
inner join periods on composites.period = periods.period
inner join schemes
    on
        composites.scheme_id = schemes.scheme_id
        and {{ is_valid_in('schemes', 'periods') }}
left join ranges
    on
        composites.period = ranges.period
        and composites.subject_type = ranges.subject_type
        and composites.subject_key = ranges.subject_key
left join composites as last_year
    on
        periods.base_period = last_year.period
        and composites.scheme_id = last_year.scheme_id
        and composites.subject_type = last_year.subject_type
        and composites.subject_key = last_year.subject_key
