with

source_rows as (
    select * from {{ source('accepted', 'science_bureau__inflow') }}
)

select
    row_id,
    period,
    file_sha256,
    sheet_name,
    row_number,
    row_no,
    unit_code,
    money_nature,
    fund_channel,
    payer_name,
    payer_code,
    project_no,
    contract_no,
    received_on,
    amount_wan,
    amount_wan_status,
    final_source_code,
    final_source_channel
from source_rows
