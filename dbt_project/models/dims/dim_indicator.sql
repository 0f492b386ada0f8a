with

indicators as (
    select * from {{ ref('indicator') }}
)

select
    indicator_id,
    annex_no,
    sort_order,
    indicator_name,
    short_name,
    unit,
    data_source,
    responsible,
    source_clause,
    indicator_kind,
    share_denominator,
    is_ranked,
    valid_from,
    valid_to
from indicators
