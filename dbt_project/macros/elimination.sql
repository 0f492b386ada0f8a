{# 金额合计；没有行时为 0。各引擎对小数合计的精度不同，故一律写明类型。 #}
{% macro sum_wan(amount_wan) -%}
    cast(coalesce(sum({{ amount_wan }}), 0) as decimal(20, 6))
{%- endmacro %}

{# 同组之内排在本行之前的各行之和（不含本行）：一把累计的尺子。 #}
{% macro sum_before(amount_wan, partition_by, order_by) -%}
    coalesce(
        sum({{ amount_wan }}) over (
            partition by {{ partition_by }}
            order by {{ order_by }}
            rows between unbounded preceding and 1 preceding
        ),
        0
    )
{%- endmacro %}

{# 依次填满：碰到上限的一行截断，其后为 0。 #}
{% macro fill_up_to(amount_wan, limit_wan, before_wan) -%}
    cast(least({{ amount_wan }}, greatest({{ limit_wan }} - {{ before_wan }}, 0)) as decimal(20, 6))
{%- endmacro %}

{# 两把尺子上两段的重叠：几笔金额依次填入几个容器，这一笔落在这一个里的部分（没有重叠则不大于 0）。 #}
{% macro overlap_wan(start_a, length_a, start_b, length_b) -%}
    cast(
        least({{ start_a }} + {{ length_a }}, {{ start_b }} + {{ length_b }}) - greatest({{ start_a }}, {{ start_b }})
        as decimal(20, 6)
    )
{%- endmacro %}

{# 来源行标识连成一串（逗号分隔，有序）；换引擎时只改这几处（如 Spark：array_join(sort_array(collect_list(x)), ',')）。 #}
{% macro list_row_ids(row_id, order_by=none, separator=',') -%}
    string_agg({{ row_id }}, '{{ separator }}' order by {{ order_by or row_id }})
{%- endmacro %}

{#
逐行汇成一串而不排序，次序不定；写入台账之前用 sort_row_ids 排好。
聚合时逐组排序是全部剔除中最贵的一步，键有几百万个而写入台账的只是一部分，故先汇后排。
#}
{% macro gather_row_ids(row_id) -%}
    string_agg({{ row_id }}, ',')
{%- endmacro %}

{# gather_row_ids 的一串排好，分隔符一并换成 JSON 数组的。 #}
{% macro sort_row_ids(row_ids) -%}
    array_to_string(list_sort(string_split({{ row_ids }}, ',')), '{{ json_separator() }}')
{%- endmacro %}

{# JSON 数组各项之间的分隔。台账的来源行写成 JSON 数组：纯文本，任何引擎、任何工具都读得回来。 #}
{% macro json_separator() -%}
    ","
{%- endmacro %}

{# 由各列的值得出的标识：同样的值永远得同样的标识；各列不得为空值（空白写 ''）。 #}
{% macro hash_id(columns) -%}
    md5({{ columns | join(" || '|' || ") }})
{%- endmacro %}

{# 标识的 JSON 数组拆成各项；换引擎时只改这三处（如 Spark：from_json(x, 'array<string>')、explode、array_min、array_max）。 #}
{% macro split_json_list(json_list) -%}
    string_split(substr({{ json_list }}, 3, length({{ json_list }}) - 4), '{{ json_separator() }}')
{%- endmacro %}

{% macro each_of_json_list(json_list) -%}
    unnest({{ split_json_list(json_list) }})
{%- endmacro %}

{# 是否只有一个标识（重复的算一个）。 #}
{% macro is_single_in_json_list(json_list) -%}
    list_min({{ split_json_list(json_list) }}) = list_max({{ split_json_list(json_list) }})
{%- endmacro %}
