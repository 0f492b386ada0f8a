-- 步骤 1a：沿上级单位代码（同为口径内单位）能走回自己的单位，直接或成环；其各行都不按 a 剔除，只出强制性问题。
with recursive

units as (
    select * from {{ ref('int_union_performer_unit') }}
    where is_in_frame
),

edges as (
    select distinct
        units.period,
        units.unit_code,
        units.parent_code
    from units
    inner join units as parents
        on
            units.period = parents.period
            and units.parent_code = parents.unit_code
),

-- 从每个上级出发能走到的单位（含自身）；union 去重，故有环也会停
ancestors as (
    select
        period,
        parent_code as start_code,
        parent_code as reached_code
    from edges
    union
    select
        ancestors.period,
        ancestors.start_code,
        edges.parent_code as reached_code
    from ancestors
    inner join edges
        on
            ancestors.period = edges.period
            and ancestors.reached_code = edges.unit_code
),

rings as (
    select distinct
        edges.period,
        edges.unit_code
    from edges
    inner join ancestors
        on
            edges.period = ancestors.period
            and edges.parent_code = ancestors.start_code
            and edges.unit_code = ancestors.reached_code
)

select
    units.period,
    units.provider,
    units.unit_code,
    units.area_key,
    units.parent_code,
    units.sti_activity_wan
from units
inner join rings
    on
        units.period = rings.period
        and units.unit_code = rings.unit_code
