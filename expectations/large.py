"""Tables beyond a sheet's size: every measure is still computed for every row, but none of them is held.

Great Expectations judges the least and the greatest measure of a rule (or its distinct values): between two bounds lie all rows or one of
these two does not. Only where it objects does DuckDB pick the failing rows, by the very bounds it objected to, and count them.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import duckdb

from expectations import bridge
from expectations.measures import Bench, JudgeError, count_and_digest, measures_name, sql_of
from expectations.rules import Rule, Suite
from sources.limited import findings_per_rule

if TYPE_CHECKING:
    import pandas as pd

MOST_DISTINCT = 1000


def judge_large(
    bench: Bench, suite: Suite, rules: Sequence[Rule], judged: str
) -> tuple[int, dict[str, int], dict[str, dict[str, Any]]]:
    """Judge a large table.

    Returns:
        The number of rows, the number of rows that each rule applied to, and per rule the result as of `bridge.validate`, with up to
        `findings_per_rule` failing row ids, their exact number (``failing_count``) and a digest of all their values beside.

    Raises:
        JudgeError: a measure cannot be computed, is empty where its rule applies, or stands twice for one row.
    """
    import pandas as pd

    (row_count,) = bench.connection.execute(f"select count(*) from {judged}").fetchone() or (0,)
    by_row = [rule for rule in rules if not rule.expect.is_of_table]
    of_table = [rule for rule in rules if rule.expect.is_of_table]
    applied: dict[str, int] = {}
    told: dict[str, list[Any]] = {}
    for rule in by_row:
        try:
            applied[rule.check_id], told[rule.check_id] = _extremes(bench, suite, rule, judged)
        except duckdb.Error as error:
            raise JudgeError(f"{suite.name}：规则 {rule.check_id} 无法计算：{error}") from error
    results: dict[str, dict[str, Any]] = {}
    if by_row:
        results |= bridge.validate(suite.name, by_row, _frame(told))
    if of_table:
        # Such an expectation looks at nothing but how many rows there are.
        results |= bridge.validate(suite.name, of_table, pd.DataFrame(index=pd.RangeIndex(row_count)))
    for rule in by_row:
        result = results[rule.check_id]
        result |= _failing(bench, suite, rule, judged, result["success"])
        # What Great Expectations counted are the extremes; what is kept with the run are the rows.
        counts = {"element_count": applied[rule.check_id], "unexpected_count": result["failing_count"]}
        result["statistics"] = counts
    return row_count, applied, results


def _extremes(bench: Bench, suite: Suite, rule: Rule, judged: str) -> tuple[int, list[Any]]:
    """Return how many rows a rule applies to, and its least and greatest measure, or its distinct ones."""
    select = sql_of(rule, judged, suite.table_columns)
    # Only rows that a rule makes up itself can stand twice.
    distinct = "count(distinct row_id)" if rule.rows else "count(*)"
    sql = f"select count(*), count(measure), {distinct}, min(measure), max(measure) from ({select})"
    rows, *others, least, greatest = bench.connection.execute(sql).fetchone() or (0, 0, 0, None, None)
    if set(others) != {rows}:
        raise JudgeError(f"{suite.name}：规则 {rule.check_id} 的度量有空值或一行多值（{rows}、{others}），无法核对")
    if not rows:
        return 0, []
    if rule.expect.value_set:
        sql = f"select distinct measure from ({select}) order by measure limit {MOST_DISTINCT}"
        found = [value for (value,) in bench.connection.execute(sql).fetchall()]
        strange = f"select min(measure) from ({select}) where measure not in (select unnest(?))"
        other = bench.connection.execute(strange, [list(rule.expect.value_set)]).fetchone()
        return rows, [*found, *(value for value in other or () if value is not None)]
    return rows, [least, greatest]


def _frame(told: dict[str, list[Any]]) -> "pd.DataFrame":
    """Return the frame that Great Expectations judges: a column per rule, filled up with nothing."""
    import pandas as pd

    length = max(2, *(len(values) for values in told.values()))
    columns = {check_id: values + [None] * (length - len(values)) for check_id, values in told.items()}
    return pd.DataFrame({"row_id": [f"extreme {n}" for n in range(length)]} | columns)


def _failing(bench: Bench, suite: Suite, rule: Rule, judged: str, success: bool) -> dict[str, Any]:
    """Return the failing row ids of one rule, and leave their measures where `values_of` looks for them.

    Raises:
        JudgeError: Great Expectations objects and no row fails, or the other way round.
    """
    if success:
        return {"failing": [], "failing_count": 0, "digest": ""}
    bounds = rule.expect.arguments(rule.tolerance)
    if rule.expect.value_set:
        fails, values = "measure not in (select unnest(?))", [bounds["value_set"]]
    else:
        ends = {"min_value": "measure < ?", "max_value": "measure > ?"}
        fails, values = " or ".join(sql for end, sql in ends.items() if end in bounds), list(bounds.values())
    select = sql_of(rule, judged, suite.table_columns)
    rows = f"select * from ({select}) where {fails}"
    count, digest = count_and_digest(bench, suite, rule, judged, rows, values)
    if not count:
        raise JudgeError(f"{suite.name}：规则 {rule.check_id} 未通过，却没有一行不符，无法核对")
    bench.connection.execute(
        f"create or replace temp table {measures_name(rule)} as select m.* from ({select}) m "
        f"join (select row_id, data_row from {judged}) b using (row_id) where {fails} "
        f"order by b.data_row limit {findings_per_rule()}",
        values,
    )
    found = bench.connection.execute(f"select row_id from {measures_name(rule)}").fetchall()
    return {"failing": [row_id for (row_id,) in found], "failing_count": count, "digest": digest}
