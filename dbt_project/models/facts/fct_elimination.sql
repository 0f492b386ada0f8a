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

filled as (
    select * from {{ ref('int_fill_matched') }}
    where payer_count > 1
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

complete_periods as (
    select * from {{ ref('int_detect_complete') }}
),

-- 每个键的来源行（大表各处直接引用：共用一个 with 子句，DuckDB 会把它整个再存一份）：步骤 3、4 的 T1 逐编号；T2、T3 为 T1 无对方的全部行，T3 只列执行方的
matched as (
    select
        period,
        reason,
        first_recipient,
        payer_code,
        reference_no,
        {{ sort_row_ids('funder_row_ids', json_separator()) }} as funder_row_ids,
        {{ sort_row_ids('performer_row_ids', json_separator()) }} as performer_row_ids
    from {{ ref('int_pair_flow') }}
    where is_matched
),

unmatched as (
    select
        period,
        reason,
        first_recipient,
        payer_code,
        {{ list_row_ids(
            sort_row_ids('funder_row_ids', json_separator()), 'reference_no', json_separator()
        ) }} as funder_row_ids,
        {{ list_row_ids(
            sort_row_ids('performer_row_ids', json_separator()), 'reference_no', json_separator()
        ) }} as performer_row_ids
    from {{ ref('int_pair_flow') }}
    where not is_matched
    group by period, reason, first_recipient, payer_code
    -- 执行方没有来源行的键没有剔除额
    having max(performer_row_ids) is not null
),

-- 付款企业不止一个的 OE T1 键，落在他人身上的行不分企业，付款企业写 ''：列其全部来源行
shared as (
    select
        filled.period,
        filled.reason,
        filled.first_recipient,
        filled.reference_no,
        {{ list_row_ids(
            sort_row_ids('pairs.funder_row_ids', json_separator())
            ~ " || '" ~ json_separator() ~ "' || "
            ~ sort_row_ids('pairs.performer_row_ids', json_separator()),
            'filled.payer_code',
            json_separator()
        ) }} as row_ids
    from filled
    inner join {{ ref('int_pair_flow') }} as pairs
        on
            filled.period = pairs.period
            and filled.reason = pairs.reason
            and filled.first_recipient = pairs.first_recipient
            and filled.payer_code = pairs.payer_code
            and filled.reference_no = pairs.reference_no
    group by filled.period, filled.reason, filled.first_recipient, filled.reference_no
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
        cast(null as varchar) as funder_row_ids,
        replace(row_ids, ',', '{{ json_separator() }}') as performer_row_ids
    from hand_ons
    union all
    select
        period,
        reason,
        'T1' as tier,
        first_recipient,
        payer_code as counterparty_code,
        reference_no,
        funder_row_ids,
        performer_row_ids
    from matched
    union all
    select
        period,
        reason,
        'T1' as tier,
        first_recipient,
        '' as counterparty_code,
        reference_no,
        cast(null as varchar) as funder_row_ids,
        row_ids as performer_row_ids
    from shared
    union all
    select
        period,
        reason,
        'T2' as tier,
        first_recipient,
        payer_code as counterparty_code,
        '' as reference_no,
        funder_row_ids,
        performer_row_ids
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
        replace(row_ids, ',', '{{ json_separator() }}') as row_ids
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
        case
            when capped.tier = 'T3' or evidence.funder_row_ids is null then evidence.performer_row_ids
            else evidence.funder_row_ids || '{{ json_separator() }}' || evidence.performer_row_ids
        end as row_ids
    from capped
    left join evidence
        on
            capped.period = evidence.period
            and capped.reason = evidence.reason
            and case capped.tier when 'T3' then 'T2' else capped.tier end = evidence.tier
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
        replace(row_ids, ',', '{{ json_separator() }}') as row_ids
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
        replace(row_ids, ',', '{{ json_separator() }}') as row_ids
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
    '["' || united.row_ids || '"]' as evidence,
    united.tier = 'T3' as estimated,
    policies.rule_version
from united
inner join complete_periods on united.period = complete_periods.period
left join policies on united.period = policies.period
where united.amount_wan > 0
