with

source_rows as (
    select * from {{ source('accepted', 'finance_bureau__gov_input') }}
)

select
    row_id,
    period,
    file_sha256,
    sheet_name,
    row_number,
    area_key,
    gov_total_wan,
    gov_total_wan_status,
    general_budget_wan,
    general_budget_wan_status,
    fund_budget_wan,
    fund_budget_wan_status,
    state_capital_budget_wan,
    state_capital_budget_wan_status,
    gov_platform_wan,
    gov_platform_wan_status,
    gov_talent_wan,
    gov_talent_wan_status,
    gov_poc_pilot_wan,
    gov_poc_pilot_wan_status,
    gov_incubator_wan,
    gov_incubator_wan_status,
    special_bond_wan,
    special_bond_wan_status,
    soe_platform_wan,
    soe_platform_wan_status,
    industry_fund_wan,
    industry_fund_wan_status,
    science_technology_expenditure_wan,
    science_technology_expenditure_wan_status,
    general_budget_expenditure_wan,
    general_budget_expenditure_wan_status,
    recurring_revenue_wan,
    recurring_revenue_wan_status
from source_rows
