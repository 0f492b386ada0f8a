-- 每行：剔除前 = 剔除额 + 剔除后，剔除额不为负也不大于剔除前；尚未剔除的行三者中后两者须同时为空。
with

inputs as (
    select * from {{ ref('fct_input') }}
)

select
    period,
    subject,
    area_key,
    unit_key,
    gross_wan,
    eliminated_wan,
    net_wan,
    estimated_wan,
    elimination_state
from inputs
where
    gross_wan <> eliminated_wan + net_wan
    or eliminated_wan < 0
    or eliminated_wan > gross_wan
    or estimated_wan > eliminated_wan
    or (elimination_state = 'not_yet_eliminated') <> (eliminated_wan is null)
    or (eliminated_wan is null) <> (net_wan is null)
