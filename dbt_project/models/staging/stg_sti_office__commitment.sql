with

source_rows as (
    select * from {{ source('accepted', 'sti_office__commitment') }}
)

select
    row_id,
    period,
    file_sha256,
    sheet_name,
    row_number,
    clause,
    target_name,
    unit_of_measure,
    target_value,
    target_value_status,
    actual_value,
    actual_value_status,
    responsible_units,
    remark
from source_rows
