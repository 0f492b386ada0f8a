-- “Laying”一节，T2、T3 溢出逐去处落下：r 按代码升序，一个 r 之内去处按 (代码, 编号) 升序。
-- 一个 (单位, p) 可得 = kept 所余 − 代码更小的 r 已落的；同一 p 的去处合计至 part_wan；同一 r 合计至 over_wan。
-- 逐遍重算到不再变化为止：每遍至少多定下一个 r（只依赖代码更小的 r），故结果与逐个 r 依次落相同，通常两三遍即完。
with recursive

receivers as (
    select * from {{ ref('int_list_receiver') }}
),

passes as (
    select
        period,
        reason,
        first_recipient,
        over_wan,
        reference_no,
        part_wan,
        unit_code,
        left_wan,
        0 as pass_no,
        cast(0 as decimal(20, 6)) as laid_wan
    from receivers
    union all
    select
        period,
        reason,
        first_recipient,
        over_wan,
        reference_no,
        part_wan,
        unit_code,
        left_wan,
        pass_no + 1 as pass_no,
        filled_wan as laid_wan
    from (
        select
            *,
            max(case when filled_wan <> laid_wan then 1 else 0 end) over (partition by period, reason) as has_changed
        from (
            select
                *,
                {{ fill_up_to(
                    'offered_wan',
                    'over_wan',
                    sum_before('offered_wan', 'period, reason, first_recipient', 'unit_code, reference_no')
                ) }} as filled_wan
            from (
                select
                    *,
                    {{ fill_up_to(
                        'free_wan',
                        'part_wan',
                        sum_before('free_wan', 'period, reason, first_recipient, reference_no', 'unit_code')
                    ) }} as offered_wan
                from (
                    select
                        *,
                        -- 没有编号的去处只属于 r 自己，不与人争
                        case
                            when reference_no = '' then left_wan
                            else {{ fill_up_to(
                                'left_wan',
                                'left_wan',
                                sum_before('laid_wan', 'period, reason, reference_no, unit_code', 'first_recipient')
                            ) }}
                        end as free_wan
                    from passes
                ) as freed
            ) as offered
        ) as filled
    ) as compared
    where has_changed = 1
),

numbered as (
    select
        *,
        max(pass_no) over (partition by period, reason) as last_pass_no
    from passes
)

select
    period,
    reason,
    first_recipient,
    unit_code,
    reference_no,
    laid_wan
from numbered
where
    pass_no = last_pass_no
    and laid_wan > 0
