-- 从 accepted 到 fct_input 不丢行、不重行：口径内的行数与金额逐报告期、逐主体相等。
-- 口径在此另行写出，不引用中间层，以免同一处错误自证。
with

gov_input as (
    select * from {{ ref('stg_finance_bureau__gov_input') }}
),

enterprise_rd as (
    select * from {{ ref('stg_statistics_bureau__enterprise_rd') }}
),

enterprise_rd_area as (
    select * from {{ ref('stg_statistics_bureau__enterprise_rd_area') }}
),

university as (
    select * from {{ ref('stg_education_bureau__unit') }}
),

institute as (
    select * from {{ ref('stg_science_bureau__unit') }}
),

hospital as (
    select * from {{ ref('stg_health_commission__unit') }}
),

periods as (
    select * from {{ ref('dim_period') }}
),

inputs as (
    select * from {{ ref('fct_input') }}
),

accepted as (
    select
        period,
        'government' as subject,
        1 as unit_count,
        gov_total_wan as amount_wan
    from gov_input
    union all
    select
        enterprise_rd.period,
        'enterprise' as subject,
        1 as unit_count,
        enterprise_rd.rd_expense_wan as amount_wan
    from enterprise_rd
    inner join periods on enterprise_rd.period = periods.period
    where periods.period_kind = 'year' or enterprise_rd.frame_category = '工业'
    union all
    select
        enterprise_rd_area.period,
        'enterprise' as subject,
        enterprise_rd_area.enterprise_count as unit_count,
        enterprise_rd_area.rd_expense_wan as amount_wan
    from enterprise_rd_area
    inner join periods on enterprise_rd_area.period = periods.period
    where
        (periods.period_kind = 'year' or enterprise_rd_area.frame_category = '工业')
        and enterprise_rd_area.period not in (select enterprise_rd.period from enterprise_rd)
    union all
    select
        period,
        'university' as subject,
        1 as unit_count,
        sti_activity_wan as amount_wan
    from university
    union all
    select
        period,
        'institute' as subject,
        1 as unit_count,
        sti_activity_wan as amount_wan
    from institute
    union all
    select
        period,
        'hospital' as subject,
        1 as unit_count,
        sti_activity_wan as amount_wan
    from hospital
    where is_grade_3a and is_in_rd_statistics
),

before as (
    select
        period,
        subject,
        sum(unit_count) as unit_count,
        sum(amount_wan) as amount_wan
    from accepted
    group by period, subject
),

after as (
    select
        period,
        subject,
        sum(unit_count) as unit_count,
        sum(gross_wan) as amount_wan
    from inputs
    group by period, subject
)

select
    before.unit_count as accepted_count,
    before.amount_wan as accepted_wan,
    after.unit_count as fact_count,
    after.amount_wan as fact_wan,
    coalesce(before.period, after.period) as period,
    coalesce(before.subject, after.subject) as subject
from before
full outer join after
    on
        before.period = after.period
        and before.subject = after.subject
where
    before.unit_count is distinct from after.unit_count
    or before.amount_wan is distinct from after.amount_wan
