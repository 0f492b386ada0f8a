-- “Laying”一节所用的步骤 2 金额，按类分开：OG 用 local、编号即 reference_no；OE 用 contract、编号为收方的合同编号。
-- 未知编号（T2）写 ''。
with

hand_ons as (
    select * from {{ ref('int_match_hand_on') }}
),

classed as (
    select
        period,
        'OG' as reason,
        tier,
        payer_code,
        payee_code,
        reference_no,
        local_wan as amount_wan
    from hand_ons
    union all
    select
        period,
        'OE' as reason,
        tier,
        payer_code,
        payee_code,
        contract_no as reference_no,
        contract_wan as amount_wan
    from hand_ons
)

select
    period,
    reason,
    tier,
    payer_code,
    payee_code,
    reference_no,
    {{ sum_wan('amount_wan') }} as amount_wan
from classed
where amount_wan > 0
group by period, reason, tier, payer_code, payee_code, reference_no
