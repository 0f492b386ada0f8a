"""Between the warehouse's tables and the rules: cells, figures and parameters in, judged rows out."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import pyarrow as pa

from warehouse.scoring.tables import EXACT, exact
from warehouse.targets.projection import Method
from warehouse.targets.rules import ABOVE, Cell, Figures, Judgement, TargetError, judge
from warehouse.targets.words import STATES, text_of

RULES_WITHOUT_PROGRESS = {"growth_above"}
"""Value and target are growth rates: one in per cent of the other says nothing."""

SCHEMA = pa.schema(
    [
        ("period", pa.string()),
        ("target_id", pa.string()),
        ("area_key", pa.string()),
        ("data_year", pa.int32()),
        *((name, EXACT) for name in ("target_value", "value", "gap", "progress_pct", "base_value", "growth_pct")),
        ("growth_note", pa.string()),
        ("needed_growth_pct", EXACT),
        ("needed_note", pa.string()),
        *((name, EXACT) for name in ("projected_value", "projected_low", "projected_high")),
        ("projection_note", pa.string()),
        ("state_code", pa.string()),
        ("state", pa.string()),
        ("value_note", pa.string()),
        ("note", pa.string()),
    ]
)


def judge_table(
    cells: Sequence[Mapping[str, Any]], figures: Sequence[Mapping[str, Any]], methods: Sequence[Mapping[str, Any]]
) -> pa.Table:
    """Judge every cell.

    Args:
        cells: rows of ``int_list_target_cell``.
        figures: rows of ``int_list_target_figure``.
        methods: rows of the seed ``target_projection``; one is in force on each day.

    Raises:
        TargetError: a seed of the targets is wrong.
    """
    known = Figures(figures)
    rows = [_row(cell, judge(_cell(cell), known, _method(methods, cell))) for cell in cells]
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def _fraction(value: Any) -> Fraction | None:
    return None if value is None else Fraction(value)


def _cell(row: Mapping[str, Any]) -> Cell:
    return Cell(
        period=row["period"],
        series=row["series"],
        year=row["year"],
        target_id=row["target_id"],
        rule=row["rule_kind"],
        is_above=row["comparison"] == ABOVE,
        area_key=row["area_key"],
        measure=row["measure"],
        denominator=row["denominator"],
        compare_measure=row["compare_measure"],
        compare_area_key=row["compare_area_key"],
        threshold=_fraction(row["threshold"]),
        target_year=row["target_year"],
        data_year_offset=row["data_year_offset"],
        is_received=row["is_received"],
        is_planned=row["is_planned"],
        reported_target=_fraction(row["reported_target_value"]),
    )


def _method(methods: Sequence[Mapping[str, Any]], cell: Mapping[str, Any]) -> Method:
    day = cell["ends_on"]
    chosen = [m for m in methods if m["valid_from"] <= day and (m["valid_to"] is None or m["valid_to"] >= day)]
    if len(chosen) != 1:
        raise TargetError(f"seeds/target_projection.csv：{day} 有效的方法有 {len(chosen)} 个，应正好一个")
    return Method(Fraction(chosen[0]["confidence_pct"]), chosen[0]["min_years_value"], chosen[0]["min_years_interval"])


def _row(cell: Mapping[str, Any], judged: Judgement) -> dict[str, Any]:
    projection = judged.projection
    progress = None
    if judged.target and judged.value is not None and cell["rule_kind"] not in RULES_WITHOUT_PROGRESS:
        progress = judged.value / judged.target * 100
    notes = [judged.value_note, judged.growth_note if judged.growth_note != judged.value_note else None]
    if judged.value is None or cell["rule_kind"] == "commitment" or judged.state in ("reached", "missed"):
        notes = notes[:1]
    target, value = exact(judged.target), exact(judged.value)
    # Of the two as written: what is published adds up to the last digit.
    gap = None if target is None or value is None else exact(Fraction(target) - Fraction(value))
    return {
        "period": cell["period"],
        "target_id": cell["target_id"],
        "area_key": cell["area_key"],
        "data_year": judged.data_year,
        "target_value": target,
        "value": value,
        "gap": gap,
        "progress_pct": exact(progress),
        "base_value": exact(judged.base),
        "growth_pct": exact(judged.growth),
        "growth_note": judged.growth_note,
        "needed_growth_pct": exact(judged.needed),
        "needed_note": judged.needed_note,
        "projected_value": exact(projection.value),
        "projected_low": exact(projection.low),
        "projected_high": exact(projection.high),
        "projection_note": projection.note,
        "state_code": judged.state,
        "state": STATES[judged.state],
        "value_note": judged.value_note,
        "note": "；".join(text_of(note) for note in notes if note) or None,
    }
