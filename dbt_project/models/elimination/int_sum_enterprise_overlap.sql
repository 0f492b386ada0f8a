-- 步骤 5 之后，只列示的两项，逐地区：EG 来自政府部门的资金，EE 委托境内企业，口径内企业合计。
-- 单位数据不出局的报告期，EG 取分地区汇总表，EE 表中没有，为空。
with

units as (
    select * from {{ ref('stg_statistics_bureau__enterprise_rd') }}
),

areas as (
    select * from {{ ref('stg_statistics_bureau__enterprise_rd_area') }}
),

frame as (
    select * from {{ ref('int_resolve_enterprise_frame') }}
),

unit_periods as (
    select distinct period from units
),

reported as (
    select
        period,
        area_key,
        frame_category,
        row_id,
        coalesce(from_government_wan, 0) as from_government_wan,
        coalesce(external_rd_enterprise_wan, 0) as external_rd_enterprise_wan
    from units
    union all
    select
        areas.period,
        areas.area_key,
        areas.frame_category,
        areas.row_id,
        coalesce(areas.from_government_wan, 0) as from_government_wan,
        null as external_rd_enterprise_wan
    from areas
    left join unit_periods on areas.period = unit_periods.period
    where unit_periods.period is null
),

by_area as (
    select
        reported.period,
        reported.area_key,
        {{ sum_or_null('reported.from_government_wan') }} as eg_wan,
        {{ sum_or_null('reported.external_rd_enterprise_wan') }} as ee_wan,
        {{ list_row_ids('reported.row_id') }} as row_ids
    from reported
    inner join frame
        on
            reported.period = frame.period
            and reported.frame_category = frame.frame_category
    group by reported.period, reported.area_key
)

{% for reason in ['EG', 'EE'] %}
    select
        period,
        area_key,
        '{{ reason }}' as reason,
        {{ reason | lower }}_wan as overlap_wan,
        row_ids
    from by_area
    {% if not loop.last %}union all{% endif %}
{% endfor %}
