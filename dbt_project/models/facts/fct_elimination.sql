-- 剔除台账：每剔除一笔一行，什么都不删除；附来源行。
with

removals as (
    select * from {{ ref('int_list_removal') }}
),

hand_ons as (
    select * from {{ ref('int_match_hand_on') }}
    where amount_wan > 0
),

filled as (
    select * from {{ ref('int_fill_matched') }}
    where payer_count > 1
),

policies as (
    select * from {{ ref('int_resolve_policy') }}
),

-- 每个键的来源行（大表各处直接引用：共用一个 with 子句，DuckDB 会把它整个再存一份）：步骤 3、4 的 T1 逐编号；T2、T3 为 T1 无对方的全部行，T3 只列执行方的
matched as (
    select
        period,
        reason,
        first_recipient,
        payer_code,
        reference_no,
        {{ sort_row_ids('funder_row_ids') }} as funder_row_ids,
        {{ sort_row_ids('performer_row_ids') }} as performer_row_ids
    from {{ ref('int_pair_flow') }}
    where is_matched
),

unmatched as (
    select
        period,
        reason,
        first_recipient,
        payer_code,
        {{ sort_row_ids(gather_row_ids('funder_row_ids')) }} as funder_row_ids,
        {{ sort_row_ids(gather_row_ids('performer_row_ids')) }} as performer_row_ids
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
            sort_row_ids('pairs.funder_row_ids')
            ~ " || '" ~ json_separator() ~ "' || "
            ~ sort_row_ids('pairs.performer_row_ids'),
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
        {{ sort_row_ids('row_ids') }} as performer_row_ids
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

proven as (
    select
        removals.*,
        case
            when removals.row_ids is not null then replace(removals.row_ids, ',', '{{ json_separator() }}')
            when removals.tier = 'T3' or evidence.funder_row_ids is null then evidence.performer_row_ids
            else evidence.funder_row_ids || '{{ json_separator() }}' || evidence.performer_row_ids
        end as evidence_row_ids
    from removals
    left join evidence
        on
            removals.period = evidence.period
            and removals.reason = evidence.reason
            and case removals.tier when 'T3' then 'T2' else removals.tier end = evidence.tier
            and coalesce(nullif(removals.first_recipient, ''), removals.unit_code) = evidence.first_recipient
            and removals.counterparty_code = evidence.counterparty_code
            and removals.reference_no = evidence.reference_no
)

select
    proven.period,
    {{ hash_id([
        'proven.period', 'proven.reason', 'proven.tier', 'proven.provider', 'proven.unit_code', 'proven.area_key',
        'proven.first_recipient', 'proven.counterparty_code', 'proven.reference_no'
    ]) }} as elimination_id,
    proven.reason,
    proven.tier,
    proven.provider,
    proven.unit_code,
    proven.area_key as area,
    proven.amount_wan,
    proven.first_recipient,
    proven.counterparty_code,
    proven.reference_no,
    '["' || proven.evidence_row_ids || '"]' as evidence,
    proven.tier = 'T3' as estimated,
    policies.rule_version
from proven
left join policies on proven.period = policies.period
