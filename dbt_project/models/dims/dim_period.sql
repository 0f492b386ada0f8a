with

periods as (
    select * from {{ ref('period') }}
)

select
    period,
    period_kind,
    year,
    half,
    starts_on,
    ends_on,
    period_name,
    base_period
from periods
