-- 步骤 3 之前：以附项拨来的钱不在政府投入之内，先从执行单位自报的 local 收入中剔出。
-- 先逐 (r, p) 抵至附项拨付额；r 余下的附项拨付再抵 r 没有项目编号的 local 行。
with

inflows as (
    select * from {{ ref('int_read_inflow') }}
),

payments as (
    select * from {{ ref('int_read_payment') }}
),

declared as (
    select
        period,
        unit_code,
        project_no,
        {{ sum_wan('amount_wan') }} as inflow_wan,
        {{ gather_row_ids('row_id') }} as row_ids
    from inflows
    where money_class = 'local'
    group by period, unit_code, project_no
),

memo_by_project as (
    select
        period,
        payee_code,
        project_no,
        {{ sum_wan('amount_wan') }} as memo_wan
    from payments
    where is_memo
    group by period, payee_code, project_no
),

by_project as (
    select
        declared.*,
        cast(
            case
                when declared.project_no = '' then 0
                else greatest(least(declared.inflow_wan, coalesce(memo_by_project.memo_wan, 0)), 0)
            end as decimal(20, 6)
        ) as taken_wan
    from declared
    left join memo_by_project
        on
            declared.period = memo_by_project.period
            and declared.unit_code = memo_by_project.payee_code
            and declared.project_no = memo_by_project.project_no
),

memo_by_payee as (
    select
        period,
        payee_code,
        {{ sum_wan('memo_wan') }} as memo_wan
    from memo_by_project
    group by period, payee_code
),

taken_by_payee as (
    select
        period,
        unit_code,
        {{ sum_wan('taken_wan') }} as taken_wan
    from by_project
    group by period, unit_code
),

set_aside as (
    select
        by_project.period,
        by_project.unit_code,
        by_project.project_no,
        by_project.inflow_wan,
        cast(
            case
                when by_project.project_no <> '' then by_project.taken_wan
                else greatest(
                    least(
                        by_project.inflow_wan,
                        coalesce(memo_by_payee.memo_wan, 0) - taken_by_payee.taken_wan
                    ),
                    0
                )
            end as decimal(20, 6)
        ) as set_aside_wan,
        by_project.row_ids
    from by_project
    inner join taken_by_payee
        on
            by_project.period = taken_by_payee.period
            and by_project.unit_code = taken_by_payee.unit_code
    left join memo_by_payee
        on
            by_project.period = memo_by_payee.period
            and by_project.unit_code = memo_by_payee.payee_code
)

select
    period,
    unit_code,
    project_no,
    inflow_wan,
    set_aside_wan,
    cast(inflow_wan - set_aside_wan as decimal(20, 6)) as left_wan,
    row_ids
from set_aside
