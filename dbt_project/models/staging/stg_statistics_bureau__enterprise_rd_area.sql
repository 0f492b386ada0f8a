with

source_rows as (
    select * from {{ source('accepted', 'statistics_bureau__enterprise_rd_area') }}
)

select
    row_id,
    period,
    file_sha256,
    sheet_name,
    row_number,
    area_key,
    frame_category,
    enterprise_count,
    enterprise_count_status,
    rd_expense_wan,
    rd_expense_wan_status,
    external_rd_institute_wan,
    external_rd_institute_wan_status,
    external_rd_university_wan,
    external_rd_university_wan_status,
    from_government_wan,
    from_government_wan_status,
    overlap_university_wan,
    overlap_university_wan_status,
    overlap_institute_wan,
    overlap_institute_wan_status,
    overlap_hospital_wan,
    overlap_hospital_wan_status
from source_rows
