-- “Laying”一节 kept(u, p)：u 为 p 留下的钱 = 自己的收入（(u, p) 是 T1 键时） + 步骤 2 T1 转给 u 的 − 转出的，不小于 0。
-- own_wan 大于 0 即 (u, p) 是 T1 键，matched_payer_count 为其中配上的付方数；received_wan 大于 0 即 u 是“被转给过 p 这类钱的单位”。
with

pairs as (
    select * from {{ ref('int_pair_flow') }}
),

hand_ons as (
    select * from {{ ref('int_class_hand_on') }}
),

united as (
    select
        period,
        reason,
        first_recipient as unit_code,
        reference_no,
        case when is_matched then 1 else 0 end as matched_payer_count,
        greatest(performer_wan, 0) as own_wan,
        cast(0 as decimal(20, 6)) as received_wan,
        cast(0 as decimal(20, 6)) as handed_wan
    from pairs
    where reference_no <> ''
    union all
    select
        period,
        reason,
        payee_code as unit_code,
        reference_no,
        0 as matched_payer_count,
        cast(0 as decimal(20, 6)) as own_wan,
        amount_wan as received_wan,
        cast(0 as decimal(20, 6)) as handed_wan
    from hand_ons
    where tier = 'T1'
    union all
    select
        period,
        reason,
        payer_code as unit_code,
        reference_no,
        0 as matched_payer_count,
        cast(0 as decimal(20, 6)) as own_wan,
        cast(0 as decimal(20, 6)) as received_wan,
        amount_wan as handed_wan
    from hand_ons
    where tier = 'T1'
),

keys as (
    select
        period,
        reason,
        unit_code,
        reference_no,
        cast(sum(matched_payer_count) as bigint) as matched_payer_count,
        {{ sum_wan('own_wan') }} as own_wan,
        {{ sum_wan('received_wan') }} as received_wan,
        {{ sum_wan('handed_wan') }} as handed_wan
    from united
    group by period, reason, unit_code, reference_no
),

-- 同一 (u, p) 有一个付方配上，u 由各付方得的都算；一个也没有配上的不算，没有转拨的也就不列
counted as (
    select
        period,
        reason,
        unit_code,
        reference_no,
        matched_payer_count,
        cast(case when matched_payer_count > 0 then own_wan else 0 end as decimal(20, 6)) as own_wan,
        received_wan,
        handed_wan
    from keys
    where matched_payer_count > 0 or received_wan > 0 or handed_wan > 0
)

select
    period,
    reason,
    unit_code,
    reference_no,
    matched_payer_count,
    own_wan,
    received_wan,
    handed_wan,
    cast(greatest(own_wan + received_wan - handed_wan, 0) as decimal(20, 6)) as kept_wan
from counted
