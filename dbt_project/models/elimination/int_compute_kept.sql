-- “Laying”一节 kept(u, p)：u 为 p 留下的钱 = 自己的收入（(u, p) 是 T1 键时） + 步骤 2 T1 转给 u 的 − 转出的，不小于 0。
-- own_wan 大于 0 即 (u, p) 是 T1 键，matched_payer_count 为其中配上的付方数；received_wan 大于 0 即 u 是“被转给过 p 这类钱的单位”。
with

pairs as (
    select * from {{ ref('int_pair_flow') }}
),

hand_ons as (
    select * from {{ ref('int_class_hand_on') }}
),

-- 同一 (u, p) 有一个付方配上，u 由各付方得的都算；和不大于 0 的键计 0
own as (
    select
        period,
        reason,
        first_recipient as unit_code,
        reference_no,
        {{ sum_wan('case when performer_wan > 0 then performer_wan end') }} as own_wan,
        sum(case when is_matched then 1 else 0 end) as matched_payer_count
    from pairs
    group by period, reason, first_recipient, reference_no
    having sum(case when is_matched then 1 else 0 end) > 0
),

united as (
    select
        period,
        reason,
        unit_code,
        reference_no,
        matched_payer_count,
        own_wan,
        cast(0 as decimal(20, 6)) as received_wan,
        cast(0 as decimal(20, 6)) as handed_wan
    from own
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
)

select
    period,
    reason,
    unit_code,
    reference_no,
    cast(sum(matched_payer_count) as bigint) as matched_payer_count,
    {{ sum_wan('own_wan') }} as own_wan,
    {{ sum_wan('received_wan') }} as received_wan,
    {{ sum_wan('handed_wan') }} as handed_wan,
    cast(greatest(sum(own_wan + received_wan - handed_wan), 0) as decimal(20, 6)) as kept_wan
from united
group by period, reason, unit_code, reference_no
