{# 任务指标表的条款、名称与种子比对：去掉空白和括号，顿号、逗号不分，％ 同 %。 #}
{% macro match_text(label) -%}
    regexp_replace(translate({{ label }}, '％，,', '%、、'), '[\s（）()　]', '', 'g')
{%- endmacro %}
