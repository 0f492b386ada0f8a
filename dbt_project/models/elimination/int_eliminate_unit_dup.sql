-- 步骤 1 UNIT_DUP：已计入别处的单位行整行剔除。对口径内全部单位行同时判断（按一个理由剔除的行，仍算别的行的对方），记第一个成立的理由：
-- a 已含在上级单位数据中，且上级在口径内；b 同一单位由几个部门填报，只留次序最先的部门；c 该单位是口径内的规上企业。
with

units as (
    select * from {{ ref('int_union_performer_unit') }}
    where is_in_frame
),

periods as (
    select * from {{ ref('dim_period') }}
),

precedences as (
    select * from {{ ref('unit_dup_precedence') }}
),

rings as (
    select * from {{ ref('int_detect_parent_ring') }}
),

enterprises as (
    select * from {{ ref('int_list_enterprise') }}
),

ordered as (
    select
        units.period,
        units.provider,
        units.unit_code,
        units.area_key,
        units.parent_code,
        units.is_in_parent,
        units.row_id,
        cast(coalesce(units.sti_activity_wan, 0) as decimal(20, 6)) as amount_wan,
        row_number() over (
            partition by units.period, units.unit_code
            order by precedences.precedence nulls last, units.provider
        ) as nth
    from units
    inner join periods on units.period = periods.period
    left join precedences
        on
            units.provider = precedences.provider
            and {{ is_valid_in('precedences', 'periods') }}
),

parents as (
    select
        period,
        unit_code,
        {{ list_row_ids('row_id') }} as row_ids
    from units
    group by period, unit_code
),

tested as (
    select
        ordered.*,
        case
            when ordered.is_in_parent and parents.unit_code is not null and rings.unit_code is null then 'a'
            when ordered.nth > 1 then 'b'
            when enterprises.enterprise_code is not null then 'c'
        end as tier,
        parents.row_ids as parent_row_ids,
        first_choice.row_id as first_choice_row_id,
        enterprises.row_ids as enterprise_row_ids
    from ordered
    inner join ordered as first_choice
        on
            ordered.period = first_choice.period
            and ordered.unit_code = first_choice.unit_code
            and first_choice.nth = 1
    left join parents
        on
            ordered.period = parents.period
            and ordered.parent_code = parents.unit_code
    left join rings
        on
            ordered.period = rings.period
            and ordered.provider = rings.provider
            and ordered.unit_code = rings.unit_code
    left join enterprises
        on
            ordered.period = enterprises.period
            and ordered.unit_code = enterprises.enterprise_code
)

select
    period,
    tier,
    provider,
    unit_code,
    area_key,
    amount_wan,
    nth,
    case when tier = 'a' then parent_code else unit_code end as counterparty_code,
    row_id || ',' || case tier
        when 'a' then parent_row_ids
        when 'b' then first_choice_row_id
        else enterprise_row_ids
    end as row_ids
from tested
where tier is not null
