-- “Laying”一节 h 的各部分：r 转出的、不属于其 T1 键的钱。编号为 '' 的一行是步骤 2 的 T2 之和；
-- 其余逐编号 p（r 没有 p 的 T1 键），为步骤 2 T1 从 r 转出的减转给 r 的，不小于 0。
with

hand_ons as (
    select * from {{ ref('int_class_hand_on') }}
),

kept as (
    select * from {{ ref('int_compute_kept') }}
),

without_reference as (
    select
        period,
        reason,
        payer_code as unit_code,
        '' as reference_no,
        {{ sum_wan('amount_wan') }} as part_wan
    from hand_ons
    where tier = 'T2'
    group by period, reason, payer_code
),

by_reference as (
    select
        period,
        reason,
        unit_code,
        reference_no,
        cast(handed_wan - received_wan as decimal(20, 6)) as part_wan
    from kept
    where
        own_wan = 0
        and handed_wan > received_wan
)

select * from without_reference
union all
select * from by_reference
