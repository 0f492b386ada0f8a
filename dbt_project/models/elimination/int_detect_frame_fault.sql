-- 步骤 1、4 中填报本身的问题：自为上级或成环（OWN_PARENT），已含在上级而上级不在口径内（PARENT_MISSING），
-- 有重复额的企业两个委托境内栏都空白、无从设上限（OE_NO_CAP）。
with

rings as (
    select * from {{ ref('int_detect_parent_ring') }}
),

units as (
    select * from {{ ref('int_union_performer_unit') }}
    where is_in_frame
),

enterprises as (
    select * from {{ ref('int_list_enterprise') }}
    where cap_wan is null
),

claims as (
    select distinct
        period,
        payer_code
    from {{ ref('int_match_pair') }}
    where reason = 'OE' and claimed_wan > 0
)

select
    period,
    'OWN_PARENT' as finding_kind,
    'UNIT_DUP' as reason,
    'a' as tier,
    unit_code,
    provider,
    area_key as area,
    '' as first_recipient,
    coalesce(parent_code, '') as counterparty_code,
    '' as reference_no,
    sti_activity_wan as claimed_wan,
    cast(0 as decimal(20, 6)) as allowed_wan
from rings
union all
select
    units.period,
    'PARENT_MISSING' as finding_kind,
    'UNIT_DUP' as reason,
    'a' as tier,
    units.unit_code,
    units.provider,
    units.area_key as area,
    '' as first_recipient,
    coalesce(units.parent_code, '') as counterparty_code,
    '' as reference_no,
    units.sti_activity_wan as claimed_wan,
    cast(0 as decimal(20, 6)) as allowed_wan
from units
left join units as parents
    on
        units.period = parents.period
        and units.parent_code = parents.unit_code
where units.is_in_parent and parents.unit_code is null
union all
select
    enterprises.period,
    'OE_NO_CAP' as finding_kind,
    'OE' as reason,
    '' as tier,
    '' as unit_code,
    'statistics_bureau' as provider,
    '' as area,
    '' as first_recipient,
    enterprises.enterprise_code as counterparty_code,
    '' as reference_no,
    cast(null as decimal(20, 6)) as claimed_wan,
    cast(null as decimal(20, 6)) as allowed_wan
from enterprises
inner join claims
    on
        enterprises.period = claims.period
        and enterprises.enterprise_code = claims.payer_code
