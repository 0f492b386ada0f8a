{# 自定义 schema 原样使用（staging、seeds、main），不加目标库前缀：对外的表名是约定，不随环境变化。 #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}
