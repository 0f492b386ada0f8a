"""The targets and rules of the plan (正文): how far each has come, as pure functions on exact fractions.

Here: what a rule means (``rules``), where a trend leads (``projection``), the words for states and reasons (``words``), rows in and
out (``tables``). Not here: which targets there are (``dbt_project/seeds/target.csv``), and where the figures come from (``models/targets``).
"""
