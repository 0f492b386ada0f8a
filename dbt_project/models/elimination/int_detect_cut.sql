-- 被截断的行：T3 超过限额（OG_T3_LIMIT）、超过企业上限（OE_CAP）、落不下（LAY_FAILED）、超过单位合计（UNIT_CAP）、
-- 市统计局按地区给出的超过该主体所余（BUREAU_CAP）。
with

duplicates as (
    select * from {{ ref('int_cap_duplicate') }}
),

filled as (
    select
        period,
        reason,
        'T1' as tier,
        first_recipient,
        '' as counterparty_code,
        reference_no,
        amount_wan,
        over_wan
    from {{ ref('int_fill_matched') }}
    union all
    select
        period,
        reason,
        tier,
        first_recipient,
        payer_code as counterparty_code,
        '' as reference_no,
        amount_wan,
        over_wan
    from {{ ref('int_fill_recipient') }}
),

laid_elsewhere as (
    select
        period,
        reason,
        'T1' as tier,
        first_recipient,
        '' as counterparty_code,
        reference_no,
        laid_wan
    from {{ ref('int_lay_matched') }}
    where unit_code <> first_recipient
    union all
    select
        period,
        reason,
        tier,
        first_recipient,
        counterparty_code,
        '' as reference_no,
        laid_wan
    from {{ ref('int_lay_unmatched') }}
    where unit_code <> first_recipient
),

capped as (
    select * from {{ ref('int_cap_unit') }}
),

bureau as (
    select * from {{ ref('int_eliminate_bureau') }}
),

-- 落不到任何单位的重复额，T1 逐 (r, p)，T2、T3 逐 (r, 付款企业)：首个收款单位自己落不下的（over_wan），减去落在他人身上的
lost as (
    select
        period,
        reason,
        tier,
        first_recipient,
        counterparty_code,
        reference_no,
        {{ sum_wan('lost_wan') }} as lost_wan
    from (
        select
            period,
            reason,
            tier,
            first_recipient,
            counterparty_code,
            reference_no,
            over_wan as lost_wan
        from filled
        where over_wan > 0
        union all
        select
            period,
            reason,
            tier,
            first_recipient,
            counterparty_code,
            reference_no,
            -laid_wan as lost_wan
        from laid_elsewhere
    ) as over_and_laid
    group by period, reason, tier, first_recipient, counterparty_code, reference_no
    having sum(lost_wan) > 0
),

failures as (
    select
        filled.period,
        filled.reason,
        filled.tier,
        filled.first_recipient,
        filled.counterparty_code,
        filled.reference_no,
        {{ sum_wan('filled.amount_wan') }} as claimed_wan,
        cast(sum(filled.amount_wan) - max(lost.lost_wan) as decimal(20, 6)) as laid_wan
    from filled
    inner join lost
        on
            filled.period = lost.period
            and filled.reason = lost.reason
            and filled.tier = lost.tier
            and filled.first_recipient = lost.first_recipient
            and filled.counterparty_code = lost.counterparty_code
            and filled.reference_no = lost.reference_no
    group by
        filled.period,
        filled.reason,
        filled.tier,
        filled.first_recipient,
        filled.counterparty_code,
        filled.reference_no
)

select
    period,
    case reason when 'OG' then 'OG_T3_LIMIT' else 'OE_CAP' end as finding_kind,
    reason,
    tier,
    first_recipient as unit_code,
    '' as provider,
    '' as area,
    '' as first_recipient,
    payer_code as counterparty_code,
    reference_no,
    claimed_wan,
    amount_wan as allowed_wan
from duplicates
where amount_wan < claimed_wan
union all
select
    period,
    'LAY_FAILED' as finding_kind,
    reason,
    tier,
    first_recipient as unit_code,
    '' as provider,
    '' as area,
    '' as first_recipient,
    counterparty_code,
    reference_no,
    claimed_wan,
    laid_wan as allowed_wan
from failures
union all
select
    period,
    'UNIT_CAP' as finding_kind,
    reason,
    tier,
    unit_code,
    '' as provider,
    '' as area,
    first_recipient,
    counterparty_code,
    reference_no,
    claimed_wan,
    amount_wan as allowed_wan
from capped
where amount_wan < claimed_wan
union all
select
    bureau.period,
    'BUREAU_CAP' as finding_kind,
    'OE' as reason,
    'bureau' as tier,
    '' as unit_code,
    bureau.provider,
    bureau.area_key as area,
    '' as first_recipient,
    '' as counterparty_code,
    '' as reference_no,
    bureau.claimed_wan,
    bureau.amount_wan as allowed_wan
from bureau
where bureau.amount_wan < bureau.claimed_wan
