"""The expected results of the sample city, and comparing what was published with them, to the last digit."""

import json
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import duckdb

from tests.conftest import SAMPLES

TWELVE = Decimal("1e-12")
FIELDS = {
    "value": "value_wan",
    "share": "share_pct / 100",
    "share_of_city": "share_of_city_pct / 100",
    "growth": "growth_pct / 100",
    "growth_reason": "growth_note",
    "share_change_points": "share_change_pp",
    "rank_value": "rank",
    "rank_growth": "growth_rank",
}
LEDGER_COLUMNS = (
    "reason", "tier", "provider", "unit_code", "area", "first_recipient", "counterparty_code", "reference_no", "estimated",
)  # fmt: skip


def expected(period: str) -> dict[str, Any]:
    """The file of expected results; its key ``annex2`` is of a year alone."""
    return json.loads((SAMPLES / "expected" / f"{period}.json").read_text(encoding="utf-8"))


def published(home: Path, query: str) -> list[tuple[Any, ...]]:
    """Rows of a query on the published warehouse."""
    with duckdb.connect(str(home / "published" / "warehouse.duckdb"), read_only=True) as connection:
        return connection.execute(query).fetchall()


def to_twelve(value: Any) -> Decimal:
    """A figure as the expected results write it: 12 places, half up."""
    return Decimal(str(value)).quantize(TWELVE, ROUND_HALF_UP)


def compare_areas(home: Path, period: str, mart: str, field: str) -> int:
    """Compare one field of every area and indicator; return how many were compared."""
    rows = published(home, f"select area_key, indicator_id, {FIELDS[field]} from {mart} where period = '{period}'")
    found = {(area, indicator): value for area, indicator, value in rows}
    compared = 0
    for area, figures in expected(period)["areas"].items():
        for indicator, wanted in figures.get(field, {}).items():
            value = found["330400" if area == "CITY" else area, indicator]
            if isinstance(value, float):
                assert wanted is not None, (area, indicator, value)
                assert to_twelve(value) == Decimal(wanted), (area, indicator)
            else:
                assert (str(value) if isinstance(value, Decimal) else value) == wanted, (area, indicator)
            compared += 1
    return compared


def compare_ledger(home: Path, period: str) -> None:
    """Compare the elimination ledger row by row, and its sums by reason and tier."""
    wanted = expected(period)
    names = ", ".join((*LEDGER_COLUMNS, "amount_wan"))
    rows = published(home, f"select {names} from fct_elimination where period = '{period}'")
    lines = [(*(row[name] for name in LEDGER_COLUMNS), Decimal(row.get("amount_wan", row.get("amount")))) for row in wanted["ledger"]]  # fmt: skip
    assert sorted(rows) == sorted(lines)
    rows = published(
        home,
        "select reason, tier, count(*), sum(amount_wan), count(*) filter (first_recipient <> ''), "
        f"coalesce(sum(amount_wan) filter (first_recipient <> ''), 0) from fct_elimination where period = '{period}' group by all",
    )
    assert {(r, t): (n, Decimal(a), h, Decimal(w)) for r, t, n, a, h, w in rows} == {
        (e["reason"], e["tier"]): (e["rows"], Decimal(e["amount_wan"]), e["handed_on_rows"], Decimal(e["handed_on_wan"]))
        for e in wanted["elimination_by_reason_tier"]
    }  # fmt: skip
    query = f"select sum(amount_wan) from fct_elimination where period = '{period}' and estimated"
    assert published(home, query) == [(Decimal(wanted["estimated_wan"]),)]
    query = f"select finding_kind, count(*) from fct_elimination_finding where period = '{period}' group by all"
    kinds = dict(published(home, query))
    assert {kind: kinds.get(kind, 0) for kind in wanted["findings_by_kind"]} == wanted["findings_by_kind"]


BUREAU_SUBJECTS = {
    "area": "area",
    "education_bureau": "university",
    "science_bureau": "institute",
    "health_commission": "hospital",
}
"""The groups of ``annex2`` in the expected results, and the kind of subject that each is."""


def compare_annex2(home: Path, year: int) -> int:
    """Compare value, score, composite and rank of every subject of annex 2; return how many figures were compared."""
    wanted = expected(str(year))["annex2"]
    rows = published(
        home,
        "select subject_type, subject_key, indicator_id, dimension, value, unit, score_points, indicator_score_points, weight "
        f"from mart_annual_evaluation where year = {year}",
    )
    found = {tuple(row[:4]): row[4:] for row in rows}
    ranking = {
        (kind, key): (total, rank)
        for kind, key, total, rank in published(
            home, f"select subject_type, subject_key, total_points, rank from mart_annual_ranking where year = {year}"
        )
    }
    compared = 0
    for group, kind in BUREAU_SUBJECTS.items():
        for indicator, parts in wanted[group]["indicator"].items():
            for field, dimension in (("value", "level"), ("share", "share"), ("change", "growth")):
                for subject, figure in parts[field].items():
                    value, unit, points, indicator_points, weight = found[kind, subject, indicator, dimension]
                    score = parts[{"value": "value_score", "share": "share_score", "change": "change_score"}[field]]
                    # Shares, growth and ratios are fractions there, % here; a ratio's change is in points in both.
                    divisor = 100 if unit == "%" else 1
                    at = (kind, subject, indicator, dimension)
                    assert (None if value is None else to_twelve(value / divisor)) == _wanted(figure), at
                    assert (None if points is None else to_twelve(points)) == _wanted(score[subject]), at
                    assert to_twelve(indicator_points) == Decimal(parts["score"][subject]), at
                    assert weight == Decimal(parts["weight"])
                    compared += 1
        for subject, total in wanted[group]["composite"].items():
            points, rank = ranking[kind, subject]
            assert (to_twelve(points), rank) == (Decimal(total), wanted[group]["rank"][subject]), (kind, subject)
        assert {key for each, key in ranking if each == kind} == set(wanted[group]["composite"])
    for indicator in ("rd_expenditure", "rd_intensity", "rd_to_sti"):
        value, unit, *_ = found["city", "330400", indicator, "level"]
        assert to_twelve(value / (100 if unit == "%" else 1)) == Decimal(wanted["city"][indicator]), indicator
    for field, dimension, divisor in (("value", "level", 1), ("change", "growth", 100)):
        for indicator, figures in wanted["sector"][field].items():
            for bureau, figure in figures.items():
                value = found["sector", BUREAU_SUBJECTS[bureau], indicator, dimension][0]
                assert to_twelve(value / divisor) == Decimal(figure), (bureau, indicator)
    return compared


def _wanted(figure: str | None) -> Decimal | None:
    return None if figure is None else to_twelve(figure)
