"""位次的稳健性：权重和标准值在方案规定的幅度内随机变动，看位次落在哪里（OECD/JRC 手册第七步）。做法在 warehouse/scoring/robustness。"""

SEEDS = ("scoring_scheme", "scoring_weight", "scoring_dimension", "scoring_policy", "scoring_robustness")


def model(dbt, session):
    """Return one row per ranked subject and year: the interval of its ranks over all draws, and how often it keeps its own."""
    from warehouse.scoring.tables import simulate_table

    figures = dbt.ref("int_list_annual_figure").to_arrow_table().to_pylist()
    scheme = dbt.ref("scoring_scheme").to_arrow_table().to_pylist()
    weight = dbt.ref("scoring_weight").to_arrow_table().to_pylist()
    dimension = dbt.ref("scoring_dimension").to_arrow_table().to_pylist()
    policy = dbt.ref("scoring_policy").to_arrow_table().to_pylist()
    robustness = dbt.ref("scoring_robustness").to_arrow_table().to_pylist()
    return simulate_table(figures, dict(zip(SEEDS, (scheme, weight, dimension, policy, robustness), strict=True)))
