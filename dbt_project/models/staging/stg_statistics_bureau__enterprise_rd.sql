with

source_rows as (
    select * from {{ source('accepted', 'statistics_bureau__enterprise_rd') }}
)

select
    row_id,
    period,
    file_sha256,
    sheet_name,
    row_number,
    enterprise_code,
    enterprise_name,
    area_key,
    industry_code,
    frame_category,
    is_state_controlled,
    is_high_tech,
    revenue_wan,
    revenue_wan_status,
    rd_expense_wan,
    rd_expense_wan_status,
    external_rd_wan,
    external_rd_wan_status,
    external_rd_institute_wan,
    external_rd_institute_wan_status,
    external_rd_university_wan,
    external_rd_university_wan_status,
    external_rd_enterprise_wan,
    external_rd_enterprise_wan_status,
    external_rd_overseas_wan,
    external_rd_overseas_wan_status,
    from_government_wan,
    from_government_wan_status
from source_rows
