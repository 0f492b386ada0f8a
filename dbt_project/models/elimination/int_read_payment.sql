-- 市财政局的拨付明细，不含对下转移支付（由收款县区自己的行计）：收款单位按步骤 1a 读，附项另记。
-- 收款人不是执行单位的行也在（步骤 3 的 T3 限额要数全部拨付）。
with

payments as (
    select * from {{ ref('stg_finance_bureau__gov_payment') }}
),

aliases as (
    select * from {{ ref('int_read_as_parent') }}
)

select
    payments.row_id,
    payments.period,
    coalesce(aliases.read_as_code, payments.payee_code, '') as payee_code,
    coalesce(payments.project_no, '') as project_no,
    payments.memo_category is not null as is_memo,
    cast(coalesce(payments.amount_wan, 0) as decimal(20, 6)) as amount_wan
from payments
left join aliases
    on
        payments.period = aliases.period
        and payments.payee_code = aliases.unit_code
where payments.fund_channel is distinct from '对下转移支付'
