"""Level 2: the amounts of one table beside the same provider's earlier figures, one row per amount that is large enough to ask about.

Three sets of earlier figures, all accepted: the same period last year, the last period, and the version of the return before this one.
All amounts are cumulative from 1 January, so a first half-year has the first half-year of last year beside it, and a second half-year also the
first of its own year. What does *not* belong here: what is asked about (``suites/_comparison.yaml``), where earlier files lie (``warehouse``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from expectations.measures import Bench, JudgeError
from expectations.rules import AGAINST_LABELS, Against, Suite
from sources import contracts
from sources.reference import half_years, periods

LAST = 2_000_000_000
"""Where sums, and rows that are no longer there, stand in the order of rows."""

LISTED = 50
"""Findings that one rule of level 2 lists per table; the rest is one finding with their exact number."""


@dataclass(frozen=True)
class Earlier:
    """Files of the same provider's earlier rows, by kind and table id.

    A kind without a file for a table has nothing to compare with: its rules do not apply, and the summary says so. ``has_other_versions``:
    the return has been sent in other versions too; ``last_version`` is the last of them that was accepted, and there may be none. ``named`` says
    of each file which hand-in it came from (``period``, ``receipt_no``, ``file_sha256``), for the record. ``home`` is the home that all this is
    from, which may have outside figures of its own.
    """

    files: Mapping[Against, Mapping[str, Path]] = field(default_factory=dict)
    has_other_versions: bool = False
    named: Mapping[Against, Mapping[str, Mapping[str, str]]] = field(default_factory=dict)
    home: Path | None = None

    def of(self, kind: Against, table_id: str) -> Path | None:
        """Return the earlier rows of one table, None where there are none."""
        return self.files.get(kind, {}).get(table_id)

    def name_of(self, kind: Against | None, table_id: str) -> dict[str, str] | None:
        """Return which hand-in the earlier rows of one table came from; None where there are none or nobody said."""
        named = self.named.get(kind, {}).get(table_id) if kind else None
        return dict(named) if named else None


def earlier_periods(period: str) -> dict[Against, str]:
    """Return the period key of ``last_year`` and ``last_period``; empty where the calendar does not reach back so far.

    A year has the year before beside it and no ``last_period``, which would be the same.
    """
    if period in periods() and periods()[period].kind == "year":
        base = periods()[period].base_period
        return {"last_year": base if base in periods() else ""}
    order = half_years()
    position = order.index(period) if period in order else 0
    base = periods()[period].base_period if position else ""
    return {
        "last_year": base if base in order else "",
        "last_period": order[position - 1] if position else "",
    }


def missing_for(suite: Suite, earlier: Earlier) -> set[Against]:
    """Return the kinds of earlier figures that a table has none of."""
    return {kind for kind in AGAINST_LABELS if earlier.of(kind, suite.name) is None}


def compare(bench: Bench, suite: Suite, judged: str, earlier: Earlier) -> str:
    """Create the comparison of one table and return its name.

    One row per compared amount: of a row (``scope`` row, ``about`` its key), of an area (``area``), of the whole table (``table``). A row that
    only stands in earlier figures has ``is_present`` false and no cell. Amounts below the suite's ``floor_wan`` in every period are left out.

    Raises:
        JudgeError: earlier rows cannot be read.
    """
    if suite.compares is None:
        raise ValueError(f"{suite.name}: no amounts to compare")
    name = f"compared_{suite.name}"
    try:
        bench.connection.execute(f"create or replace temp table {name} as {_sql(bench, suite, judged, earlier)}")
    except duckdb.Error as error:
        raise JudgeError(f"{suite.name}：与以往数据无法比较：{error}") from error
    return name


def _sql(bench: Bench, suite: Suite, judged: str, earlier: Earlier) -> str:
    assert suite.compares is not None
    table = contracts.table(suite.name)
    keys = ", ".join(suite.key)
    by_kind: dict[Against, str] = {}
    for kind in AGAINST_LABELS:
        path = earlier.of(kind, suite.name)
        quoted = str(path).replace("'", "''")
        source = (
            f"(select * from read_parquet('{quoted}', hive_partitioning = false))"
            if path
            else f"(from {judged} limit 0)"
        )
        by_kind[kind] = f"{_amounts(suite, source)} group by all"
    here = earlier_periods(bench.period)
    names = {kind: periods()[here[kind]].name if here.get(kind) else "" for kind in AGAINST_LABELS}
    same_year = here.get("last_period", "")[:4] == bench.period[:4]
    main = suite.compares.columns[0]
    spread = suite.thresholds["slip_spread"]
    headings = " ".join(f"when '{c}' then '{table.column(c).heading}'" for c in suite.compares.columns)
    floor = suite.thresholds["floor_wan"]
    item_floor = suite.thresholds["item_floor_wan"]
    sides = "".join(f", {kind}_side as ({sql})" for kind, sql in by_kind.items())
    joins = "".join(f" full join {kind}_side using (scope, about, column_name)" for kind in AGAINST_LABELS)
    values = ", ".join(f"{k}_side.amount_wan as {k}_wan, {k}_side.scope is not null as has_{k}" for k in AGAINST_LABELS)
    labels = ", ".join(f"{kind}_side.label" for kind in ("now", *AGAINST_LABELS))
    amounts = ", ".join(f"t.{name}_wan" for name in ("value", *AGAINST_LABELS))
    return f"""
    with now_side as ({_amounts(suite, judged)} group by all){sides},
    beside as (
        select scope, about, column_name, coalesce({labels}) as label, now_side.amount_wan as value_wan,
            now_side.scope is not null as is_present, now_side.row_count as row_count, {values}
        from now_side{joins}
    ),
    timed as (
        select *, case when last_year_wan > 0 then cast(value_wan as double) / cast(last_year_wan as double) end as last_year_times,
            case when last_period_wan > 0 then cast(value_wan as double) / cast(last_period_wan as double) end as last_period_times
        from beside
    ),
    places as (
        select {_key_text(suite)} as about, min(data_row) as data_row, arg_min(row_number, data_row) as row_number,
            {", ".join(f"arg_min({key}, data_row) as {key}" for key in suite.key)}
        from {judged} group by all
    )
    select t.*, concat_ws('/', t.scope, t.about, t.column_name) as row_id, case t.column_name {headings} end as heading,
        t.column_name = '{main}' as is_main, w.last_year_times as table_times, w.last_period_times as table_period_times,
        coalesce(is_slip(coalesce(w.last_year_times, w.last_period_times), {spread}) and (t.column_name = '{main}' or greatest(
            w.value_wan, case when w.last_year_times is null then w.last_period_wan else w.last_year_wan end
        ) >= {item_floor}), false) as table_is_off,
        {str(same_year).lower()} as is_same_year,
        '{names["last_year"]}' as last_year_name, '{names["last_period"]}' as last_period_name,
        p.row_number, coalesce(p.data_row, {LAST}) as data_row, {keys},
        cast('{bench.ends_on}' as date) as period_ends_on
    from timed t
    left join timed w on w.scope = 'table' and w.column_name = t.column_name and t.scope <> 'table' and w.row_count > 1
    left join places p on t.scope = 'row' and p.about = t.about
    where greatest({amounts}) >= {floor}
    order by data_row, t.scope, t.about, t.column_name
    """


def _key_text(suite: Suite) -> str:
    return f"concat_ws('/', {', '.join(suite.key)})"


def _amounts(suite: Suite, source: str) -> str:
    """Return SQL for the amounts of a source: per row, per area and for the whole table; a sum of blanks is blank."""
    assert suite.compares is not None
    columns = suite.compares.columns
    names = ", ".join(f"'{column}'" for column in columns)
    long = f"unnest([{', '.join(columns)}]) as wan, unnest([{names}]) as column_name"
    area_rows = "area_key" not in suite.key
    scopes = [
        f"select 'row' as scope, {_key_text(suite)} as about, {suite.compares.label} as label, {long} from {source}"
    ]
    if area_rows:
        area = "select 'area' as scope, area_key as about, area_name(area_key) || '合计' as label"
        scopes.append(f"{area}, {long} from {source}")
    scopes.append(f"select 'table' as scope, '' as about, '全表合计' as label, {long} from {source}")
    union = " union all ".join(scopes)
    return (
        "select scope, about, any_value(label) as label, column_name, count(*) as row_count, "
        f"cast(sum(wan) as decimal(38, 6)) as amount_wan from ({union}) where about is not null"
    )
