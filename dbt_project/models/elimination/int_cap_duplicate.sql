-- 步骤 3、4 量出的重复额及其上限；每笔在首个收款单位处只量一次，落在谁的数上，见其后各步（int_lay_…）。
-- OG 的 T3：按单位代码升序，全市合计不超过“政府投入合计 − 全部拨付（不含附项、对下转移支付）”；T1、T2 不受此限。
-- OE：企业 e 各层合计不超过其委托境内研究机构 + 委托境内高等学校，不论 u 属哪类主体；两项都空白则无上限；
-- 逐层依次，层内按 (u 的代码, 合同编号) 升序。碰到上限的一行截断，其后为 0。
with

matches as (
    select * from {{ ref('int_match_pair') }}
    where claimed_wan > 0
),

gov_input as (
    select * from {{ ref('stg_finance_bureau__gov_input') }}
),

payments as (
    select * from {{ ref('int_read_payment') }}
),

enterprises as (
    select * from {{ ref('int_list_enterprise') }}
),

government as (
    select
        period,
        {{ sum_wan('gov_total_wan') }} as gov_total_wan
    from gov_input
    group by period
),

paid as (
    select
        period,
        {{ sum_wan('amount_wan') }} as paid_wan
    from payments
    where not is_memo
    group by period
),

limited as (
    select
        matches.*,
        case
            when matches.reason = 'OE' then enterprises.cap_wan
            when matches.tier = 'T3' then coalesce(government.gov_total_wan, 0) - coalesce(paid.paid_wan, 0)
        end as limit_wan
    from matches
    left join government on matches.period = government.period
    left join paid on matches.period = paid.period
    left join enterprises
        on
            matches.period = enterprises.period
            and matches.payer_code = enterprises.enterprise_code
),

-- 受同一上限的各行，合计没有超过上限的（多数）不必排成一列
totals as (
    select
        period,
        reason,
        payer_code,
        {{ sum_wan('claimed_wan') }} as total_wan
    from limited
    where limit_wan is not null
    group by period, reason, payer_code
),

tested as (
    select
        limited.*,
        coalesce(totals.total_wan > limited.limit_wan, false) as is_over
    from limited
    left join totals
        on
            limited.period = totals.period
            and limited.reason = totals.reason
            and limited.payer_code = totals.payer_code
),

ordered as (
    select
        *,
        {{ sum_before('claimed_wan', 'period, reason, payer_code', 'tier, first_recipient, reference_no') }}
            as before_wan
    from tested
    where limit_wan is not null and is_over
)

select
    period,
    reason,
    tier,
    payer_code,
    first_recipient,
    reference_no,
    claimed_wan,
    claimed_wan as amount_wan
from tested
where limit_wan is null or not is_over
union all
select
    period,
    reason,
    tier,
    payer_code,
    first_recipient,
    reference_no,
    claimed_wan,
    {{ fill_up_to('claimed_wan', 'limit_wan', 'before_wan') }} as amount_wan
from ordered
