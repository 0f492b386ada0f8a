-- 步骤 1a 之后：已并入上级的单位，其代码在拨付、委托、转拨的对方栏里按上级读（上级的上级亦然）；
-- 代码仍代表一个留下的单位的，按自身读。
with recursive

removed as (
    select * from {{ ref('int_eliminate_unit_dup') }}
    where tier = 'a'
),

kept as (
    select * from {{ ref('int_keep_performer') }}
),

-- 同一代码在几个部门都并入上级、且上级不同时，取次序最先的部门所报的上级
ranked as (
    select
        removed.period,
        removed.unit_code,
        removed.counterparty_code as parent_code,
        row_number() over (
            partition by removed.period, removed.unit_code
            order by removed.nth
        ) as choice
    from removed
    left join kept
        on
            removed.period = kept.period
            and removed.unit_code = kept.unit_code
    where kept.unit_code is null
),

steps as (
    select
        period,
        unit_code,
        parent_code
    from ranked
    where choice = 1
),

walk as (
    select
        period,
        unit_code,
        parent_code
    from steps
    union all
    select
        walk.period,
        walk.unit_code,
        steps.parent_code
    from walk
    inner join steps
        on
            walk.period = steps.period
            and walk.parent_code = steps.unit_code
)

select
    walk.period,
    walk.unit_code,
    walk.parent_code as read_as_code
from walk
left join steps
    on
        walk.period = steps.period
        and walk.parent_code = steps.unit_code
where steps.unit_code is null
