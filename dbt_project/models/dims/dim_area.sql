with

areas as (
    select * from {{ ref('area') }}
)

select
    area_key,
    area_name,
    area_type,
    is_ranked,
    sort_order,
    gbt2260_code,
    valid_from,
    valid_to
from areas
