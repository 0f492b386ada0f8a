-- 剔除台账：每剔除一笔一行，什么都不删除；各步合一，附来源行。
with

unit_dups as (
    select * from {{ ref('int_eliminate_unit_dup') }}
),

capped as (
    select * from {{ ref('int_cap_unit') }}
),

hand_ons as (
    select * from {{ ref('int_match_hand_on') }}
    where amount_wan > 0
),

duplicates as (
    select * from {{ ref('int_cap_duplicate') }}
    where amount_wan > 0
),

bureau as (
    select * from {{ ref('int_eliminate_bureau') }}
),

enterprise as (
    select * from {{ ref('int_eliminate_enterprise') }}
),

policies as (
    select * from {{ ref('int_resolve_policy') }}
),

pairs as (
    select * from {{ ref('int_pair_flow') }}
),

-- 步骤 3、4 一个键双方的来源行：T1 逐编号；T2、T3 为 T1 无对方的全部行
matched as (
    select
        period,
        reason,
        first_recipient,
        payer_code,
        reference_no,
        {{ sort_row_ids('funder_row_ids') }} || ',' || {{ sort_row_ids('performer_row_ids') }} as row_ids
    from pairs
    where is_matched
),

unmatched as (
    select
        period,
        reason,
        first_recipient,
        payer_code,
        {{ list_row_ids(sort_row_ids('funder_row_ids'), 'reference_no') }} as funder_row_ids,
        {{ list_row_ids(sort_row_ids('performer_row_ids'), 'reference_no') }} as performer_row_ids
    from pairs
    where not is_matched
    group by period, reason, first_recipient, payer_code
    -- 执行方没有来源行的键没有剔除额
    having max(performer_row_ids) is not null
),

-- 付款企业不止一个的 OE T1 键，落在他人身上的行不分企业，付款企业写 ''：列其全部来源行
shared as (
    select
        duplicates.period,
        duplicates.reason,
        duplicates.first_recipient,
        duplicates.reference_no,
        {{ list_row_ids('matched.row_ids', 'duplicates.payer_code') }} as row_ids
    from duplicates
    inner join matched
        on
            duplicates.period = matched.period
            and duplicates.reason = matched.reason
            and duplicates.first_recipient = matched.first_recipient
            and duplicates.payer_code = matched.payer_code
            and duplicates.reference_no = matched.reference_no
    where duplicates.tier = 'T1' and duplicates.reason = 'OE'
    group by duplicates.period, duplicates.reason, duplicates.first_recipient, duplicates.reference_no
    having count(*) > 1
),

-- 剔除台账每个键的来源行：OO 为转出方与收款方的行，OG、OE 为出资方与首个收款单位的行（T3 只有一方申报，只有后者）
evidence as (
    select
        period,
        'OO' as reason,
        tier,
        payer_code as first_recipient,
        payee_code as counterparty_code,
        reference_no,
        row_ids
    from hand_ons
    union all
    select
        period,
        reason,
        'T1' as tier,
        first_recipient,
        payer_code as counterparty_code,
        reference_no,
        row_ids
    from matched
    union all
    select
        period,
        reason,
        'T1' as tier,
        first_recipient,
        '' as counterparty_code,
        reference_no,
        row_ids
    from shared
    union all
    select
        period,
        reason,
        'T2' as tier,
        first_recipient,
        payer_code as counterparty_code,
        '' as reference_no,
        funder_row_ids || ',' || performer_row_ids as row_ids
    from unmatched
    union all
    select
        period,
        reason,
        'T3' as tier,
        first_recipient,
        payer_code as counterparty_code,
        '' as reference_no,
        performer_row_ids as row_ids
    from unmatched
),

united as (
    select
        period,
        'UNIT_DUP' as reason,
        tier,
        provider,
        unit_code,
        area_key,
        amount_wan,
        '' as first_recipient,
        counterparty_code,
        '' as reference_no,
        row_ids
    from unit_dups
    union all
    select
        capped.period,
        capped.reason,
        capped.tier,
        capped.provider,
        capped.unit_code,
        capped.area_key,
        capped.amount_wan,
        capped.first_recipient,
        capped.counterparty_code,
        capped.reference_no,
        evidence.row_ids
    from capped
    left join evidence
        on
            capped.period = evidence.period
            and capped.reason = evidence.reason
            and capped.tier = evidence.tier
            and coalesce(nullif(capped.first_recipient, ''), capped.unit_code) = evidence.first_recipient
            and capped.counterparty_code = evidence.counterparty_code
            and capped.reference_no = evidence.reference_no
    union all
    select
        period,
        'OE' as reason,
        'bureau' as tier,
        provider,
        '' as unit_code,
        area_key,
        amount_wan,
        '' as first_recipient,
        '' as counterparty_code,
        '' as reference_no,
        row_ids
    from bureau
    union all
    select
        period,
        reason,
        'policy' as tier,
        'statistics_bureau' as provider,
        '' as unit_code,
        area_key,
        amount_wan,
        '' as first_recipient,
        '' as counterparty_code,
        '' as reference_no,
        row_ids
    from enterprise
)

select
    united.period,
    {{ hash_id([
        'united.period', 'united.reason', 'united.tier', 'united.provider', 'united.unit_code', 'united.area_key',
        'united.first_recipient', 'united.counterparty_code', 'united.reference_no'
    ]) }} as elimination_id,
    united.reason,
    united.tier,
    united.provider,
    united.unit_code,
    united.area_key as area,
    united.amount_wan,
    united.first_recipient,
    united.counterparty_code,
    united.reference_no,
    {{ json_list('united.row_ids') }} as evidence,
    united.tier = 'T3' as estimated,
    policies.rule_version
from united
left join policies on united.period = policies.period
where united.amount_wan > 0
