with

judged as (
    select * from {{ ref('int_judge_target') }}
),

cells as (
    select * from {{ ref('int_list_target_cell') }}
),

periods as (
    select * from {{ ref('dim_period') }}
),

areas as (
    select * from {{ ref('dim_area') }}
)

select
    cells.period,
    cells.target_id,
    cells.area_key,
    periods.period_name,
    areas.area_name,
    cells.target_name,
    cells.rule_kind,
    cells.comparison,
    judged.target_value,
    judged.value,
    cells.unit,
    judged.gap,
    judged.progress_pct,
    judged.needed_growth_pct,
    judged.needed_note,
    judged.state_code,
    judged.state,
    cells.source_clause as clause,
    cells.source_text,
    judged.data_year,
    cells.target_year,
    judged.base_value,
    judged.growth_pct,
    judged.growth_note,
    judged.projected_value,
    judged.projected_low,
    judged.projected_high,
    judged.projection_note,
    judged.value_note,
    judged.note,
    cells.reported_target_value,
    cells.provider,
    cells.is_planned,
    cells.is_in_force,
    cells.sort_order as target_sort_order,
    areas.sort_order as area_sort_order
from judged
inner join cells
    on
        judged.period = cells.period
        and judged.target_id = cells.target_id
        and judged.area_key = cells.area_key
inner join periods on cells.period = periods.period
inner join areas on cells.area_key = areas.area_key
