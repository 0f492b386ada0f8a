-- 步骤 2、3、4 的差异，只报告、不剔除：T1 编号相符而金额不等（T1_DIFFERENCE）；T2 付方多出（FUNDER_UNMATCHED）、
-- 转拨的收方多出（PERFORMER_UNMATCHED；拨付和合同的收方多出即 T3，已在台账中）。
with

hand_ons as (
    select * from {{ ref('int_match_hand_on') }}
),

matches as (
    select * from {{ ref('int_match_pair') }}
)

select
    period,
    'T1_DIFFERENCE' as finding_kind,
    'OO' as reason,
    tier,
    payer_code as unit_code,
    '' as provider,
    '' as area,
    '' as first_recipient,
    payee_code as counterparty_code,
    reference_no,
    out_wan as claimed_wan,
    in_wan as allowed_wan
from hand_ons
where tier = 'T1' and out_wan <> in_wan
union all
select
    period,
    case when out_wan > in_wan then 'FUNDER_UNMATCHED' else 'PERFORMER_UNMATCHED' end as finding_kind,
    'OO' as reason,
    tier,
    payer_code as unit_code,
    '' as provider,
    '' as area,
    '' as first_recipient,
    payee_code as counterparty_code,
    reference_no,
    out_wan as claimed_wan,
    in_wan as allowed_wan
from hand_ons
where tier = 'T2' and out_wan <> in_wan and greatest(out_wan, in_wan) > 0
union all
select
    period,
    'T1_DIFFERENCE' as finding_kind,
    reason,
    tier,
    first_recipient as unit_code,
    '' as provider,
    '' as area,
    '' as first_recipient,
    payer_code as counterparty_code,
    reference_no,
    funder_wan as claimed_wan,
    performer_wan as allowed_wan
from matches
where tier = 'T1' and funder_wan <> performer_wan
union all
select
    period,
    'FUNDER_UNMATCHED' as finding_kind,
    reason,
    tier,
    first_recipient as unit_code,
    '' as provider,
    '' as area,
    '' as first_recipient,
    payer_code as counterparty_code,
    reference_no,
    funder_wan as claimed_wan,
    performer_wan as allowed_wan
from matches
where tier = 'T2' and funder_wan > greatest(performer_wan, 0)
