with

source_rows as (
    select * from {{ source('accepted', 'finance_bureau__gov_payment') }}
)

select
    row_id,
    period,
    file_sha256,
    sheet_name,
    row_number,
    voucher_no,
    area_key,
    budget_type,
    input_category,
    fund_channel,
    project_no,
    project_name,
    payee_name,
    payee_code,
    paid_on,
    amount_wan,
    amount_wan_status,
    memo_category
from source_rows
