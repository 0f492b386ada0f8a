{# 增速（%），不取整；基数须大于 0（另见 growth_note）。比值由精确小数算出，只在最后一步转为双精度。 #}
{% macro growth_pct(value_wan, base_wan) -%}
    case when {{ base_wan }} > 0 then cast({{ value_wan }} - {{ base_wan }} as double) / cast({{ base_wan }} as double) * 100 end
{%- endmacro %}

{# 占比（%），不取整；分母为空或不大于 0 时为空。 #}
{% macro share_pct(part_wan, whole_wan) -%}
    case when {{ whole_wan }} > 0 then cast({{ part_wan }} as double) / cast({{ whole_wan }} as double) * 100 end
{%- endmacro %}

{#
占比的变化（百分点），不取整：part/whole − base_part/base_whole 先通分，分子分母都是精确小数，只除一次；
两个双精度的占比相减会丢掉末几位。金额小于 10^12 万元，乘积才不越出 38 位。
#}
{% macro share_change_pp(part_wan, whole_wan, base_part_wan, base_whole_wan) -%}
    case
        when {{ whole_wan }} > 0 and {{ base_whole_wan }} > 0
            then cast(
                cast({{ part_wan }} * 100 as decimal(20, 6)) * cast({{ base_whole_wan }} as decimal(18, 6))
                - cast({{ base_part_wan }} * 100 as decimal(20, 6)) * cast({{ whole_wan }} as decimal(18, 6))
                as double
            ) / cast(cast({{ whole_wan }} as decimal(20, 6)) * cast({{ base_whole_wan }} as decimal(18, 6)) as double)
    end
{%- endmacro %}

{# 未填报的格在合计中计 0，但不参与增速、占比、位次：在此还原为空。 #}
{% macro reported_only(value_wan, value_note) -%}
    case when {{ value_note }} = 'not_reported' then null else {{ value_wan }} end
{%- endmacro %}

{# 有一项为空则合计为空：缺数的合计不得当作合计发布。 #}
{% macro sum_or_null(amount_wan) -%}
    cast(case when count(*) = count({{ amount_wan }}) then sum({{ amount_wan }}) end as decimal(20, 6))
{%- endmacro %}

{# 参数行在该报告期是否有效（valid_from/valid_to 均含当日，valid_to 空为长期）。 #}
{% macro is_valid_in(parameter, period) -%}
    {{ parameter }}.valid_from <= {{ period }}.ends_on
    and ({{ parameter }}.valid_to is null or {{ parameter }}.valid_to >= {{ period }}.ends_on)
{%- endmacro %}
