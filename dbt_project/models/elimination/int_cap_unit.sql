-- 步骤 5：一个单位的剔除合计不超过其科技活动费用合计。次序 OO、OG、OE，同一理由之内按 (层, 对方, 编号, 首个收款单位)；
-- 碰到上限的一行截断，其后为 0；截下的部分不另找去处。first_recipient 为 '' 即单位自己。
with

hand_ons as (
    select * from {{ ref('int_match_hand_on') }}
    where amount_wan > 0
),

laid as (
    select * from {{ ref('int_lay_matched') }}
    union all
    select * from {{ ref('int_lay_unmatched') }}
),

kept as (
    select * from {{ ref('int_keep_performer') }}
),

united as (
    select
        period,
        'OO' as reason,
        1 as reason_order,
        tier,
        payer_code as unit_code,
        '' as first_recipient,
        payee_code as counterparty_code,
        reference_no,
        amount_wan as claimed_wan
    from hand_ons
    union all
    select
        period,
        reason,
        case reason when 'OG' then 2 else 3 end as reason_order,
        tier,
        unit_code,
        case when first_recipient = unit_code then '' else first_recipient end as first_recipient,
        counterparty_code,
        reference_no,
        laid_wan as claimed_wan
    from laid
),

totals as (
    select
        period,
        unit_code,
        {{ sum_wan('claimed_wan') }} as total_wan
    from united
    group by period, unit_code
),

limited as (
    select
        kept.period,
        kept.unit_code,
        kept.provider,
        kept.area_key,
        kept.activity_wan,
        totals.total_wan > kept.activity_wan as is_over
    from kept
    inner join totals
        on
            kept.period = totals.period
            and kept.unit_code = totals.unit_code
),

joined as (
    select
        united.*,
        limited.provider,
        limited.area_key,
        limited.activity_wan,
        limited.is_over
    from united
    inner join limited
        on
            united.period = limited.period
            and united.unit_code = limited.unit_code
),

-- 合计超过上限的单位（少数），其各行才要排成一列
ordered as (
    select
        *,
        {{ sum_before(
            'claimed_wan',
            'period, unit_code',
            'reason_order, tier, counterparty_code, reference_no, first_recipient'
        ) }} as before_wan
    from joined
    where is_over
)

select
    period,
    reason,
    tier,
    provider,
    unit_code,
    area_key,
    first_recipient,
    counterparty_code,
    reference_no,
    claimed_wan,
    claimed_wan as amount_wan
from joined
where not is_over
union all
select
    period,
    reason,
    tier,
    provider,
    unit_code,
    area_key,
    first_recipient,
    counterparty_code,
    reference_no,
    claimed_wan,
    {{ fill_up_to('claimed_wan', 'activity_wan', 'before_wan') }} as amount_wan
from ordered
