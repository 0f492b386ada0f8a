-- 任务指标表的每一行对上实施方案的哪一项（条款 + 名称，都是参数）；对不上的照样列出，作计划外的任务。
-- 一项对上几行的不知道以哪行为准，计量单位不同的不能比：都不取数，注明原因。
with

commitments as (
    select * from {{ ref('fct_commitment') }}
),

periods as (
    select * from {{ ref('dim_period') }}
),

targets as (
    select * from {{ ref('target') }}
    where rule_kind = 'commitment'
),

names as (
    select
        targets.target_id,
        targets.valid_from,
        targets.valid_to,
        {{ match_text('known.clause') }} as clause_key,
        {{ match_text('known.commitment_name') }} as name_key,
        known.accepted_units
    from {{ ref('target_commitment') }} as known
    inner join targets on known.target_id = targets.target_id
),

matched as (
    select
        commitments.*,
        names.target_id,
        list_contains(
            string_split(names.accepted_units, '|'), trim(commitments.unit_of_measure)
        ) as is_unit_accepted,
        count(*) over (partition by commitments.period, names.target_id) as row_count,
        row_number() over (
            partition by commitments.period, names.target_id
            order by commitments.clause, commitments.target_name
        ) as nth
    from commitments
    inner join periods on commitments.period = periods.period
    left join names
        on
            {{ match_text('commitments.clause') }} = names.clause_key
            and {{ match_text('commitments.target_name') }} = names.name_key
            and {{ is_valid_in('names', 'periods') }}
)

select
    period,
    target_id is not null as is_planned,
    coalesce(target_id, 'unplanned_' || substr({{ hash_id(['clause', 'target_name']) }}, 1, 8)) as target_id,
    clause,
    target_name,
    unit_of_measure,
    target_value as reported_target_value,
    actual_value as reported_value,
    case
        when target_id is not null and row_count > 1 then 'several_rows'
        when target_id is not null and not is_unit_accepted then 'unit_differs'
        when actual_value is null then 'not_reported'
    end as value_note
from matched
where target_id is null or nth = 1
