-- 剔除的每一笔：各步合一，附来源行之前。台账 fct_elimination 与各级的剔除额 fct_input 都由此而来。
-- row_ids 为整行剔除、按地区和 EG、EE 的来源行；OO、OG、OE 逐笔的来源行按键去找（fct_elimination），此处为空值。
with

unit_dups as (
    select * from {{ ref('int_eliminate_unit_dup') }}
),

capped as (
    select * from {{ ref('int_cap_unit') }}
),

bureau as (
    select * from {{ ref('int_eliminate_bureau') }}
),

enterprise as (
    select * from {{ ref('int_eliminate_enterprise') }}
),

complete_periods as (
    select * from {{ ref('int_detect_complete') }}
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
        period,
        reason,
        tier,
        provider,
        unit_code,
        area_key,
        amount_wan,
        first_recipient,
        counterparty_code,
        reference_no,
        cast(null as varchar) as row_ids
    from capped
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

select united.*
from united
inner join complete_periods on united.period = complete_periods.period
where united.amount_wan > 0
