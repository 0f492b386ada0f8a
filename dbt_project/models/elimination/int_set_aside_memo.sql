-- 步骤 3 之前：以附项拨来的钱不在政府投入之内，先从执行单位自报的 local 收入中剔出。
-- 先逐 (r, p) 抵至附项拨付额；r 余下的附项拨付再抵 r 没有项目编号的 local 行。只列剔出了钱的 (r, p)。
with

inflows as (
    select * from {{ ref('int_read_inflow') }}
),

payments as (
    select * from {{ ref('int_read_payment') }}
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

memo_by_payee as (
    select
        period,
        payee_code,
        {{ sum_wan('memo_wan') }} as memo_wan
    from memo_by_project
    group by period, payee_code
),

-- 自报数里可能有附项的键：自己有附项拨付的，和没有编号的
declared as (
    select
        inflows.period,
        inflows.unit_code,
        inflows.project_no,
        memo_by_project.memo_wan,
        {{ sum_wan('inflows.amount_wan') }} as inflow_wan
    from inflows
    left join memo_by_project
        on
            inflows.period = memo_by_project.period
            and inflows.unit_code = memo_by_project.payee_code
            and inflows.project_no = memo_by_project.project_no
    where
        inflows.money_class = 'local'
        and (inflows.project_no = '' or memo_by_project.payee_code is not null)
    group by inflows.period, inflows.unit_code, inflows.project_no, memo_by_project.memo_wan
),

taken_by_project as (
    select
        period,
        unit_code,
        project_no,
        inflow_wan,
        cast(greatest(least(inflow_wan, memo_wan), 0) as decimal(20, 6)) as set_aside_wan
    from declared
    where project_no <> ''
),

taken_by_payee as (
    select
        period,
        unit_code,
        {{ sum_wan('set_aside_wan') }} as set_aside_wan
    from taken_by_project
    group by period, unit_code
),

taken_without_number as (
    select
        declared.period,
        declared.unit_code,
        declared.project_no,
        declared.inflow_wan,
        cast(
            greatest(
                least(
                    declared.inflow_wan,
                    memo_by_payee.memo_wan - coalesce(taken_by_payee.set_aside_wan, 0)
                ),
                0
            ) as decimal(20, 6)
        ) as set_aside_wan
    from declared
    inner join memo_by_payee
        on
            declared.period = memo_by_payee.period
            and declared.unit_code = memo_by_payee.payee_code
    left join taken_by_payee
        on
            declared.period = taken_by_payee.period
            and declared.unit_code = taken_by_payee.unit_code
    where declared.project_no = ''
),

set_aside as (
    select * from taken_by_project
    union all
    select * from taken_without_number
)

select
    period,
    unit_code,
    project_no,
    inflow_wan,
    set_aside_wan,
    cast(inflow_wan - set_aside_wan as decimal(20, 6)) as left_wan
from set_aside
where set_aside_wan > 0
