-- 附件2 应有的格：每个对象 × 指标 × 维度（总量、占比、增速），分子、分母、上年的分子、分母都是精确金额；不能算的注明原因。
-- 哪些指标、哪些维度、除以什么，都是参数（annual_indicator、annual_dimension）；比值由打分引擎用精确分数算出。
with

subjects as (
    select * from {{ ref('int_list_annual_subject') }}
),

periods as (
    select * from {{ ref('dim_period') }}
),

indicators as (
    select * from {{ ref('annual_indicator') }}
),

dimensions as (
    select * from {{ ref('annual_dimension') }}
),

measures as (
    select * from {{ ref('fct_annual_measure') }}
),

sectors as (
    select * from {{ ref('sector') }}
),

received as (
    select * from {{ ref('int_detect_received') }}
),

cells as (
    select
        subjects.period,
        subjects.year,
        periods.base_period,
        periods.ends_on,
        subjects.subject_type,
        subjects.subject_key,
        subjects.subject_name,
        subjects.sort_order as subject_sort_order,
        indicators.indicator_id,
        indicators.value_kind,
        indicators.unit as indicator_unit,
        coalesce(indicators.provider, sectors.provider) as provider,
        subjects.year + indicators.data_year_offset as expected_data_year,
        indicators.numerator as numerator_measure,
        dimensions.dimension,
        dimensions.share_of_name,
        case dimensions.dimension when 'share' then dimensions.share_of else indicators.denominator end
            as denominator_measure
    from subjects
    inner join periods on subjects.period = periods.period
    inner join indicators
        on
            subjects.subject_type = indicators.subject_type
            and {{ is_valid_in('indicators', 'periods') }}
    inner join dimensions
        on
            indicators.subject_type = dimensions.subject_type
            and indicators.indicator_id = dimensions.indicator_id
            and {{ is_valid_in('dimensions', 'periods') }}
    -- 三类机构整体的数源单位随机构类别
    left join sectors on subjects.subject_type = 'sector' and subjects.subject_key = sectors.subject
),

parts as (
    select
        cells.*,
        part.value_wan as numerator_wan,
        part.data_year,
        whole.value_wan as denominator_wan,
        whole.data_year as denominator_data_year,
        whole.basis as denominator_basis,
        case cells.dimension when 'growth' then base_part.value_wan end as base_numerator_wan,
        case cells.dimension when 'growth' then base_whole.value_wan end as base_denominator_wan,
        base_part.data_year as base_data_year,
        base_whole.data_year as base_denominator_data_year,
        base_whole.basis as base_denominator_basis,
        base_part.basis as base_basis,
        part.basis,
        case
            when cells.provider is not null and received.subject is null then 'not_received'
            when part.measure is null then 'no_row'
            else part.value_note
        end as value_note
    from cells
    left join sectors as source_sectors on cells.provider = source_sectors.provider
    left join received on cells.period = received.period and source_sectors.subject = received.subject
    left join measures as part
        on
            cells.period = part.period
            and cells.subject_type = part.subject_type
            and cells.subject_key = part.subject_key
            and cells.numerator_measure = part.measure
    left join measures as whole
        on
            cells.period = whole.period
            and cells.subject_type = whole.subject_type
            and cells.subject_key = whole.subject_key
            and cells.denominator_measure = whole.measure
    left join measures as base_part
        on
            cells.base_period = base_part.period
            and cells.subject_type = base_part.subject_type
            and cells.subject_key = base_part.subject_key
            and cells.numerator_measure = base_part.measure
    left join measures as base_whole
        on
            cells.base_period = base_whole.period
            and cells.subject_type = base_whole.subject_type
            and cells.subject_key = base_whole.subject_key
            and cells.denominator_measure = base_whole.measure
)

select
    period,
    year,
    base_period,
    ends_on,
    subject_type,
    subject_key,
    subject_name,
    subject_sort_order,
    indicator_id,
    dimension,
    value_kind,
    provider,
    share_of_name,
    value_note,
    coalesce(data_year, expected_data_year) as data_year,
    case
        when dimension = 'level' then indicator_unit
        when dimension = 'growth' and value_kind = 'ratio' then '百分点'
        else '%'
    end as unit,
    numerator_wan,
    denominator_wan,
    base_numerator_wan,
    base_denominator_wan,
    case
        when numerator_wan is null then 'value_missing'
        when denominator_measure is not null and denominator_wan is null then 'denominator_missing'
        when denominator_measure is not null and denominator_wan <= 0 then 'denominator_not_positive'
        when denominator_measure is not null and denominator_data_year <> data_year then 'data_years_differ'
        when dimension <> 'growth' then null
        when base_numerator_wan is null then 'base_missing'
        when denominator_measure is not null and base_denominator_wan is null then 'base_missing'
        when base_data_year <> data_year - 1 then 'base_other_year'
        when denominator_measure is not null and base_denominator_data_year <> base_data_year then 'data_years_differ'
        when base_basis <> basis then 'basis_changed'
        when denominator_measure is not null and base_denominator_basis <> denominator_basis then 'basis_changed'
        when value_kind = 'ratio' and base_denominator_wan <= 0 then 'base_not_positive'
        when value_kind = 'amount' and base_numerator_wan <= 0 then 'base_not_positive'
    end as note_code
from parts
