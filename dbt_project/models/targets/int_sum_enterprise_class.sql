-- 目标要用的企业计量项，全市：国有控股企业的研发费用（当期规上口径）、规上工业企业数及其中的高新技术企业数。
-- 单位数据不出局的报告期没有这些数；国有控股的合计按披露限度不对外的，只有原因，没有数（统计法）。
with

units as (
    select * from {{ ref('stg_statistics_bureau__enterprise_rd') }}
),

withheld as (
    select distinct areas.period
    from {{ ref('stg_statistics_bureau__enterprise_rd_area') }} as areas
    left join units on areas.period = units.period
    where units.period is null
),

counted as (
    select * from {{ ref('int_resolve_enterprise_frame') }}
),

bases as (
    select * from {{ ref('int_resolve_basis') }}
    where subject = 'enterprise'
),

periods as (
    select * from {{ ref('dim_period') }}
),

limits as (
    select * from {{ ref('disclosure_limit') }}
),

unit_periods as (
    select distinct period from units
),

state_controlled as (
    select
        units.period,
        units.rd_expense_wan,
        row_number() over (
            partition by units.period
            order by units.rd_expense_wan desc nulls last, units.row_id asc
        ) as nth
    from units
    inner join counted
        on
            units.period = counted.period
            and units.frame_category = counted.frame_category
    where units.is_state_controlled
),

state_controlled_sums as (
    select
        period,
        count(*) as unit_count,
        {{ sum_or_null('rd_expense_wan') }} as rd_wan,
        {{ sum_wan('case when nth = 1 then rd_expense_wan end') }} as largest_wan,
        {{ sum_wan('case when nth <= 2 then rd_expense_wan end') }} as two_largest_wan
    from state_controlled
    group by period
),

state_controlled_rd as (
    select
        unit_periods.period,
        sums.rd_wan,
        case
            when sums.period is null then 'no_units'
            when sums.rd_wan is null then 'not_reported'
            when
                sums.unit_count < limits.min_unit_count
                or sums.largest_wan * 100 > sums.rd_wan * limits.max_share_pct
                or sums.two_largest_wan * 100 > sums.rd_wan * limits.max_two_share_pct
                then 'confidential'
        end as value_note
    from unit_periods
    inner join periods on unit_periods.period = periods.period
    inner join limits on {{ is_valid_in('limits', 'periods') }}
    left join state_controlled_sums as sums on unit_periods.period = sums.period
),

counts as (
    select
        unit_periods.period,
        count(units.period) as industrial_count,
        count(case when units.is_high_tech then 1 end) as high_tech_industrial_count,
        count(units.is_high_tech) = count(units.period) as is_marked
    from unit_periods
    left join units
        on
            unit_periods.period = units.period
            and units.frame_category = '工业'
    group by unit_periods.period
),

united as (
    select
        period,
        'state_controlled_rd' as measure,
        case when value_note is null then rd_wan end as amount,
        value_note
    from state_controlled_rd
    {% for measure in ['industrial_count', 'high_tech_industrial_count'] %}
        union all
        select
            period,
            '{{ measure }}' as measure,
            case when is_marked then {{ measure }} end as amount,
            case when not is_marked then 'not_reported' end as value_note
        from counts
    {% endfor %}
    {% for measure in ['state_controlled_rd', 'industrial_count', 'high_tech_industrial_count'] %}
        union all
        select
            period,
            '{{ measure }}' as measure,
            null as amount,
            'unit_data_withheld' as value_note
        from withheld
    {% endfor %}
)

select
    united.period,
    united.measure,
    cast(united.amount as decimal(20, 6)) as amount,
    united.value_note,
    bases.period_kind || '|' || bases.basis_name as basis
from united
inner join bases on united.period = bases.period
