"""位次的稳健性：权重和标准值在方案规定的幅度内随机变动，看位次落在哪里（OECD/JRC 手册第七步）。做法在 warehouse/scoring/robustness。"""


def model(dbt, session):
    """Return one row per ranked subject and year: the interval of its ranks over all draws, and how often it keeps its own."""
    from warehouse.scoring.tables import simulate_table

    figures = dbt.ref("int_list_annual_figure").to_arrow_table().to_pylist()
    seeds = {
        "scoring_scheme": dbt.ref("scoring_scheme"),
        "scoring_weight": dbt.ref("scoring_weight"),
        "scoring_dimension": dbt.ref("scoring_dimension"),
        "scoring_policy": dbt.ref("scoring_policy"),
        "scoring_robustness": dbt.ref("scoring_robustness"),
    }
    return simulate_table(figures, {name: rows.to_arrow_table().to_pylist() for name, rows in seeds.items()})
