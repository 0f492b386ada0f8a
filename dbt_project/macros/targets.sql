{# 任务指标表的条款、名称与种子比对：去掉空白和括号，顿号、逗号不分，％ 同 %。 #}
{% macro match_text(label) -%}
    regexp_replace(translate({{ label }}, '％，,', '%、、'), '[\s（）()　]', '', 'g')
{%- endmacro %}

{# 只在同一列内比：全年与全年、上半年与上半年、全年累计（半年报）与全年累计。 #}
{% macro period_series() -%}
    case when half is null then 'year' else 'H' || half end
{%- endmacro %}
