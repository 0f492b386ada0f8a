"""逐格判断目标：现值、差距、所需增速、预计值和区间、状态；精确分数，规则在 warehouse/targets，参数在 seeds/target*。"""


def model(dbt, session):
    """Return one row per cell of ``int_list_target_cell``: value, gap, pace needed, projection, state and why."""
    from warehouse.targets.tables import judge_table

    cells = dbt.ref("int_list_target_cell").to_arrow_table().to_pylist()
    figures = dbt.ref("int_list_target_figure").to_arrow_table().to_pylist()
    methods = dbt.ref("target_projection").to_arrow_table().to_pylist()
    return judge_table(cells, figures, methods)
