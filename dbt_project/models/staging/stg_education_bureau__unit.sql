with

source_rows as (
    select * from {{ source('accepted', 'education_bureau__unit') }}
)

select
    row_id,
    period,
    file_sha256,
    sheet_name,
    row_number,
    unit_code,
    unit_name,
    area_key,
    parent_code,
    is_in_parent,
    sti_activity_wan,
    sti_activity_wan_status,
    central_direct_wan,
    central_direct_wan_status,
    provincial_direct_wan,
    provincial_direct_wan_status,
    local_fiscal_wan,
    local_fiscal_wan_status,
    upper_transfer_wan,
    upper_transfer_wan_status,
    enterprise_local_large_wan,
    enterprise_local_large_wan_status,
    enterprise_local_other_wan,
    enterprise_local_other_wan_status,
    enterprise_nonlocal_wan,
    enterprise_nonlocal_wan_status,
    overseas_wan,
    overseas_wan_status,
    commercialization_wan,
    commercialization_wan_status,
    from_units_wan,
    from_units_wan_status,
    own_other_wan,
    own_other_wan_status,
    handed_on_wan,
    handed_on_wan_status,
    rd_expenditure_wan,
    rd_expenditure_wan_status,
    data_year
from source_rows
