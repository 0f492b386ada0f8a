with

source_rows as (
    select * from {{ source('accepted', 'statistics_bureau__rd_gdp') }}
)

select
    row_id,
    period,
    file_sha256,
    sheet_name,
    row_number,
    area_key,
    data_year,
    rd_expenditure_wan,
    rd_expenditure_wan_status,
    rd_expenditure_enterprise_wan,
    rd_expenditure_enterprise_wan_status,
    rd_expenditure_university_wan,
    rd_expenditure_university_wan_status,
    rd_expenditure_institute_wan,
    rd_expenditure_institute_wan_status,
    rd_expenditure_hospital_wan,
    rd_expenditure_hospital_wan_status,
    gdp_wan,
    gdp_wan_status
from source_rows
