with

commitments as (
    select * from {{ ref('stg_sti_office__commitment') }}
),

periods as (
    select * from {{ ref('dim_period') }}
)

select
    commitments.period,
    periods.year,
    commitments.clause,
    commitments.target_name,
    commitments.unit_of_measure,
    commitments.target_value,
    commitments.actual_value,
    commitments.responsible_units,
    commitments.remark
from commitments
inner join periods on commitments.period = periods.period
