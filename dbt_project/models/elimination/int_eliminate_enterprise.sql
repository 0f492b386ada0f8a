-- 步骤 5 之后：EG、EE 默认只列示；剔除参数打开时，从该地区的规上企业研发费用中剔除，先 EG 后 EE，不超过该数。
with

memos as (
    select * from {{ ref('int_sum_enterprise_overlap') }}
),

policies as (
    select * from {{ ref('int_resolve_policy') }}
),

enterprises as (
    select * from {{ ref('int_input_enterprise') }}
),

claimed as (
    select
        memos.period,
        memos.area_key,
        memos.reason,
        cast(greatest(memos.overlap_wan, 0) as decimal(20, 6)) as claimed_wan,
        coalesce(enterprises.gross_wan, 0) as gross_wan,
        memos.row_ids
    from memos
    inner join policies on memos.period = policies.period
    inner join enterprises
        on
            memos.period = enterprises.period
            and memos.area_key = enterprises.area_key
    where
        (memos.reason = 'EG' and policies.is_eg_subtracted)
        or (memos.reason = 'EE' and policies.is_ee_subtracted)
),

ordered as (
    select
        *,
        {{ sum_before('claimed_wan', 'period, area_key', 'reason desc') }} as before_wan
    from claimed
)

select
    period,
    area_key,
    reason,
    {{ fill_up_to('claimed_wan', 'gross_wan', 'before_wan') }} as amount_wan,
    row_ids
from ordered
