-- 步骤 4，单位数据不出局的报告期（统计法）：层 bureau。市统计局给出的三个重复额，逐主体、逐地区（执行单位的地区）一行，不落到单位；
-- 不超过该主体在该地区剔除 OO、OG 之后所余。
with

area_reports as (
    select * from {{ ref('stg_statistics_bureau__enterprise_rd_area') }}
),

unit_periods as (
    select distinct period from {{ ref('stg_statistics_bureau__enterprise_rd') }}
),

frame as (
    select * from {{ ref('int_resolve_enterprise_frame') }}
),

sectors as (
    select * from {{ ref('sector') }}
),

kept as (
    select * from {{ ref('int_keep_performer') }}
),

removed as (
    select * from {{ ref('int_cap_unit') }}
),

reported as (
    {% for subject in ['university', 'institute', 'hospital'] %}
        select
            area_reports.period,
            '{{ subject }}' as subject,
            area_reports.area_key,
            {{ sum_wan('area_reports.overlap_' ~ subject ~ '_wan') }} as claimed_wan,
            {{ list_row_ids('area_reports.row_id') }} as row_ids
        from area_reports
        inner join frame
            on
                area_reports.period = frame.period
                and area_reports.frame_category = frame.frame_category
        left join unit_periods on area_reports.period = unit_periods.period
        where unit_periods.period is null
        group by area_reports.period, area_reports.area_key
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

activities as (
    select
        period,
        provider,
        area_key,
        {{ sum_wan('activity_wan') }} as activity_wan
    from kept
    group by period, provider, area_key
),

removed_by_area as (
    select
        period,
        provider,
        area_key,
        {{ sum_wan('amount_wan') }} as removed_wan
    from removed
    group by period, provider, area_key
)

select
    reported.period,
    sectors.provider,
    reported.area_key,
    reported.claimed_wan,
    {{ fill_up_to(
        'reported.claimed_wan', 'coalesce(activities.activity_wan, 0)', 'coalesce(removed_by_area.removed_wan, 0)'
    ) }} as amount_wan,
    reported.row_ids
from reported
inner join sectors on reported.subject = sectors.subject
left join activities
    on
        reported.period = activities.period
        and sectors.provider = activities.provider
        and reported.area_key = activities.area_key
left join removed_by_area
    on
        reported.period = removed_by_area.period
        and sectors.provider = removed_by_area.provider
        and reported.area_key = removed_by_area.area_key
where reported.claimed_wan > 0
