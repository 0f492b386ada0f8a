with

source_rows as (
    select * from {{ source('accepted', 'science_bureau__outflow') }}
)

select
    row_id,
    period,
    file_sha256,
    sheet_name,
    row_number,
    row_no,
    unit_code,
    payee_name,
    payee_code,
    project_no,
    contract_no,
    transferred_on,
    amount_wan,
    amount_wan_status
from source_rows
