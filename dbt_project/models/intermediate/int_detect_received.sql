-- 哪些主体在哪些报告期已报数：表中有行即为已报，与行是否计入口径无关（全为口径外的医院，合计为 0 而非缺数）。
with

reported as (
    select
        period,
        'government' as subject
    from {{ ref('stg_finance_bureau__gov_input') }}
    union
    select
        period,
        'enterprise' as subject
    from {{ ref('stg_statistics_bureau__enterprise_rd') }}
    union
    select
        period,
        'enterprise' as subject
    from {{ ref('stg_statistics_bureau__enterprise_rd_area') }}
    union
    select
        period,
        subject
    from {{ ref('int_union_performer_unit') }}
)

select
    period,
    subject
from reported
