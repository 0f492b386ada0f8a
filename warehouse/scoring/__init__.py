"""Scoring by the efficacy coefficient method (功效系数法, 附件2 评价规则): pure functions on exact numbers.

Start with `engine.score`. Formulas, ways to set benchmarks and the scheme's rows each have a module; ``robustness`` draws weights
and benchmarks around the scheme's own and sees what ranks come out; ``tables`` is how the dbt models ``int_score_annual`` and
``int_simulate_annual`` call them. ``proposal`` and ``whatif`` compare a proposed scheme with the one in force, on what is published.
What does *not* belong here: which figures there are (``dbt_project``), and any constant of a scheme (seeds ``scoring_*``).
"""
