-- 剔除各步的问题，每个一行，供第二道关卡写成核实性、强制性或提示：截断、落不下、两边不等、只有一边、上级有误。
with

frame_faults as (
    select * from {{ ref('int_detect_frame_fault') }}
),

differences as (
    select * from {{ ref('int_detect_difference') }}
),

cuts as (
    select * from {{ ref('int_detect_cut') }}
),

kept as (
    select * from {{ ref('int_keep_performer') }}
),

complete_periods as (
    select * from {{ ref('int_detect_complete') }}
),

found as (
    select * from frame_faults
    union all
    select * from differences
    union all
    select * from cuts
),

placed as (
    select
        found.period,
        found.finding_kind,
        found.reason,
        found.tier,
        coalesce(nullif(found.provider, ''), kept.provider, '') as provider,
        found.unit_code,
        coalesce(nullif(found.area, ''), kept.area_key, '') as area,
        found.first_recipient,
        found.counterparty_code,
        found.reference_no,
        cast(found.claimed_wan as decimal(20, 6)) as claimed_wan,
        cast(found.allowed_wan as decimal(20, 6)) as allowed_wan,
        cast(abs(found.claimed_wan - found.allowed_wan) as decimal(20, 6)) as amount_wan
    from found
    inner join complete_periods on found.period = complete_periods.period
    left join kept
        on
            found.period = kept.period
            and found.unit_code = kept.unit_code
)

select
    period,
    {{ hash_id([
        'period', 'finding_kind', 'reason', 'tier', 'provider', 'unit_code', 'area', 'first_recipient',
        'counterparty_code', 'reference_no'
    ]) }} as elimination_finding_id,
    finding_kind,
    reason,
    tier,
    provider,
    unit_code,
    area,
    first_recipient,
    counterparty_code,
    reference_no,
    claimed_wan,
    allowed_wan,
    amount_wan
from placed
