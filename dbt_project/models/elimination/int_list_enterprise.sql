-- 术语 frame_e：口径内的企业，及其委托境内研究机构、高等学校两项之和（步骤 4 的上限；一项空白计 0，两项都空白则无上限）。
with

enterprises as (
    select * from {{ ref('stg_statistics_bureau__enterprise_rd') }}
),

frame as (
    select * from {{ ref('int_resolve_enterprise_frame') }}
)

select
    enterprises.period,
    enterprises.enterprise_code,
    cast(sum(enterprises.external_rd_institute_wan) as decimal(20, 6)) as external_rd_institute_wan,
    cast(sum(enterprises.external_rd_university_wan) as decimal(20, 6)) as external_rd_university_wan,
    case
        when count(enterprises.external_rd_institute_wan) + count(enterprises.external_rd_university_wan) > 0
            then cast(
                greatest(
                    coalesce(sum(enterprises.external_rd_institute_wan), 0)
                    + coalesce(sum(enterprises.external_rd_university_wan), 0),
                    0
                ) as decimal(20, 6)
            )
    end as cap_wan,
    {{ list_row_ids('enterprises.row_id') }} as row_ids
from enterprises
inner join frame
    on
        enterprises.period = frame.period
        and enterprises.frame_category = frame.frame_category
group by enterprises.period, enterprises.enterprise_code
