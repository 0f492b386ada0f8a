-- 每个报告期、每类主体当期有效的口径名称（规上工业、高校收到额……）；口径变更只改 seed。
with

periods as (
    select * from {{ ref('dim_period') }}
),

bases as (
    select * from {{ ref('subject_basis') }}
)

select
    periods.period,
    periods.period_kind,
    bases.subject,
    bases.basis_name
from periods
inner join bases
    on
        periods.period_kind = bases.period_kind
        and {{ is_valid_in('bases', 'periods') }}
