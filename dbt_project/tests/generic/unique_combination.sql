{# 主键：各列组合唯一，且无一为空。 #}
{% test unique_combination(model, columns) %}
    select
        {{ columns | join(', ') }},
        count(*) as row_count
    from {{ model }}
    group by {{ columns | join(', ') }}
    having
        count(*) > 1
        {% for column in columns %}or {{ column }} is null {% endfor %}
{% endtest %}
