"""功效系数法打分：逐年度用当年有效的方案；精确分数，只在写表时四舍五入到 16 位。公式、标准值、综合都在 warehouse/scoring。"""


def model(dbt, session):
    """Return one row per figure of ``int_list_annual_figure``: value, benchmark, points, contribution, rank, note."""
    from warehouse.scoring.tables import score_table

    figures = dbt.ref("int_list_annual_figure").to_arrow_table().to_pylist()
    seeds = {
        "scoring_scheme": dbt.ref("scoring_scheme"),
        "scoring_weight": dbt.ref("scoring_weight"),
        "scoring_dimension": dbt.ref("scoring_dimension"),
        "scoring_policy": dbt.ref("scoring_policy"),
    }
    return score_table(figures, {name: rows.to_arrow_table().to_pylist() for name, rows in seeds.items()})
