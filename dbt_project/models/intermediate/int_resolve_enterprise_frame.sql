-- 企业口径计入的规上类别，逐报告期（半年度只计工业，附件1 注2）。
with

bases as (
    select * from {{ ref('int_resolve_basis') }}
),

frame as (
    select * from {{ ref('enterprise_frame') }}
)

select
    bases.period,
    frame.frame_category
from bases
inner join frame on bases.basis_name = frame.basis_name
where bases.subject = 'enterprise'
