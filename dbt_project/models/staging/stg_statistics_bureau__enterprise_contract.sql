with

source_rows as (
    select * from {{ source('accepted', 'statistics_bureau__enterprise_contract') }}
)

select
    row_id,
    period,
    file_sha256,
    sheet_name,
    row_number,
    contract_no,
    payer_code,
    payer_name,
    payee_code,
    payee_name,
    booked_on,
    amount_wan,
    amount_wan_status
from source_rows
