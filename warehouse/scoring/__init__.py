"""Scoring by the efficacy coefficient method (功效系数法, 附件2 评价规则): pure functions on exact numbers.

Start with `engine.score`. Formulas, ways to set benchmarks and the scheme's rows each have a module; ``tables`` is how the dbt
model ``int_score_annual`` calls them. What does *not* belong here: which figures there are (``dbt_project``), and any constant
of a scheme (seeds ``scoring_*``).
"""
