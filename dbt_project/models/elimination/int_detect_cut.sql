-- 被截断的行：T3 超过限额（OG_T3_LIMIT）、超过企业上限（OE_CAP）、落不下（LAY_FAILED）、超过单位合计（UNIT_CAP）、
-- 市统计局按地区给出的超过该主体所余（BUREAU_CAP）。
with

duplicates as (
    select * from {{ ref('int_cap_duplicate') }}
),

laid_rows as (
    select * from {{ ref('int_lay_matched') }}
    union all
    select * from {{ ref('int_lay_unmatched') }}
),

capped as (
    select * from {{ ref('int_cap_unit') }}
),

bureau as (
    select * from {{ ref('int_eliminate_bureau') }}
),

-- 落不到任何单位的重复额：T1 逐 (r, p)，T2、T3 逐 (r, 付款企业)
to_lay as (
    select
        period,
        reason,
        tier,
        first_recipient,
        case when tier = 'T1' then '' else payer_code end as counterparty_code,
        reference_no,
        amount_wan as claimed_wan,
        cast(0 as decimal(20, 6)) as laid_wan
    from duplicates
    union all
    select
        period,
        reason,
        tier,
        first_recipient,
        case when tier = 'T1' then '' else counterparty_code end as counterparty_code,
        reference_no,
        cast(0 as decimal(20, 6)) as claimed_wan,
        laid_wan
    from laid_rows
),

failures as (
    select
        period,
        reason,
        tier,
        first_recipient,
        counterparty_code,
        reference_no,
        {{ sum_wan('claimed_wan') }} as claimed_wan,
        {{ sum_wan('laid_wan') }} as laid_wan
    from to_lay
    group by period, reason, tier, first_recipient, counterparty_code, reference_no
    having sum(claimed_wan) > sum(laid_wan)
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
