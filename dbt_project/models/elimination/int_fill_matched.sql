-- “Laying”一节，T1：d(r, p) 先落在 r 自己身上，至 kept(r, p)；一个键有几个付款企业的，按其代码升序依次落。
-- 余下的 over_wan 落在谁身上，见 int_lay_matched。
with

duplicates as (
    select * from {{ ref('int_cap_duplicate') }}
    where tier = 'T1' and amount_wan > 0
),

kept as (
    select * from {{ ref('int_compute_kept') }}
),

joined as (
    select
        duplicates.period,
        duplicates.reason,
        duplicates.payer_code,
        duplicates.first_recipient,
        duplicates.reference_no,
        duplicates.amount_wan,
        kept.kept_wan,
        kept.matched_payer_count
    from duplicates
    inner join kept
        on
            duplicates.period = kept.period
            and duplicates.reason = kept.reason
            and duplicates.first_recipient = kept.unit_code
            and duplicates.reference_no = kept.reference_no
),

-- 付方不止一个的键（少数）才要排队；企业上限截到 0 的付方已不在其中，故重数
ordered as (
    select
        period,
        reason,
        payer_code,
        first_recipient,
        reference_no,
        amount_wan,
        kept_wan,
        count(*) over (partition by period, reason, first_recipient, reference_no) as payer_count,
        {{ sum_before('amount_wan', 'period, reason, first_recipient, reference_no', 'payer_code') }} as before_wan
    from joined
    where matched_payer_count > 1
    union all
    select
        period,
        reason,
        payer_code,
        first_recipient,
        reference_no,
        amount_wan,
        kept_wan,
        1 as payer_count,
        cast(0 as decimal(20, 6)) as before_wan
    from joined
    where matched_payer_count = 1
),

filled as (
    select
        *,
        {{ fill_up_to('amount_wan', 'kept_wan', 'before_wan') }} as laid_wan
    from ordered
)

select
    period,
    reason,
    payer_code,
    first_recipient,
    reference_no,
    payer_count,
    amount_wan,
    laid_wan,
    cast(amount_wan - laid_wan as decimal(20, 6)) as over_wan
from filled
