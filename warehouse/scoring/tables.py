"""Between the warehouse's tables and the engine: rows of ``int_list_annual_figure`` and of the seeds in, scored rows out."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

import pyarrow as pa

from warehouse.scoring.engine import Figure, Ranked, ScoredFigure, score
from warehouse.scoring.robustness import Robustness, simulate
from warehouse.scoring.scheme import SEED_FILES, Scheme, SchemeError, checked, read_scheme, scheme_in_force

PLACES = 16
EXACT = pa.decimal128(38, PLACES)
"""Values and points: 22 digits before the point, 16 after, rounded half up once, here."""

SCHEMA = pa.schema(
    [
        ("period", pa.string()),
        ("subject_type", pa.string()),
        ("subject_key", pa.string()),
        ("indicator_id", pa.string()),
        ("dimension", pa.string()),
        ("value", EXACT),
        ("unacceptable", EXACT),
        ("satisfactory", EXACT),
        ("formula", pa.string()),
        ("base_points", EXACT),
        ("span_points", EXACT),
        ("benchmark_method", pa.string()),
        ("score_points", EXACT),
        ("indicator_score_points", EXACT),
        ("weight", EXACT),
        ("dimension_weight", EXACT),
        ("contribution_points", EXACT),
        ("rank", pa.int32()),
        ("total_points", EXACT),
        ("total_rank", pa.int32()),
        ("scored_weight", EXACT),
        ("full_weight", EXACT),
        ("scheme_id", pa.string()),
        ("note_code", pa.string()),
        ("note", pa.string()),
    ]
)

RANGE_SCHEMA = pa.schema(
    [
        ("period", pa.string()),
        ("subject_type", pa.string()),
        ("subject_key", pa.string()),
        ("rank_low", pa.int32()),
        ("rank_high", pa.int32()),
        ("rank_kept_pct", pa.float64()),
        ("rank_first_pct", pa.float64()),
        ("draw_count", pa.int32()),
        ("coverage_pct", pa.float64()),
        ("scheme_id", pa.string()),
    ]
)

Rows = Sequence[Mapping[str, Any]]


def value_of(row: Mapping[str, Any]) -> Fraction | None:
    """Return the exact value of one dimension from its parts: 万元 for a level, else % (百分点 for the growth of a ratio).

    ``row`` has ``dimension``, ``value_kind`` (amount or ratio), ``note_code`` and the four parts ``numerator_wan``,
    ``denominator_wan``, ``base_numerator_wan``, ``base_denominator_wan``. None where ``note_code`` says why.
    """
    if row["note_code"]:
        return None

    def part(name: str) -> Fraction:
        return Fraction(row[name])

    if row["dimension"] == "growth" and row["value_kind"] == "amount":
        return (part("numerator_wan") / part("base_numerator_wan") - 1) * 100
    if row["dimension"] == "growth":
        now, before = (
            part("numerator_wan") / part("denominator_wan"),
            part("base_numerator_wan") / part("base_denominator_wan"),
        )
        return (now - before) * 100
    if row["dimension"] == "share" or row["value_kind"] == "ratio":
        return part("numerator_wan") / part("denominator_wan") * 100
    return part("numerator_wan")


def exact(value: Fraction | None) -> Decimal | None:
    """Return a fraction as a decimal of `PLACES` places, rounded half up.

    Raises:
        SchemeError: it has more than 22 digits before the point.
    """
    if value is None:
        return None
    scaled = value * 10**PLACES
    whole = (abs(scaled) + Fraction(1, 2)).__floor__()
    if whole >= 10**38:
        raise SchemeError(f"数值 {float(value):.3g} 超出可表示的范围，请核对打分方案的标准值")
    with localcontext() as context:
        context.prec = 38
        return Decimal(whole if scaled >= 0 else -whole).scaleb(-PLACES)


def score_table(figures: Rows, seeds: Mapping[str, Rows]) -> pa.Table:
    """Score every year by the scheme in force at its end.

    Args:
        figures: rows of ``int_list_annual_figure``: key, ``ends_on``, and the parts of `value_of`.
        seeds: rows of ``scoring_scheme``, ``scoring_weight``, ``scoring_dimension``, ``scoring_policy`` by name.

    Raises:
        SchemeError: no scheme, two schemes, or a wrong one is in force.
    """
    rows: list[dict[str, Any]] = []
    for period, chosen, scheme in _years(figures, seeds):
        rows += [{"period": period, **row} for row in score_rows(chosen, scheme)]
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def simulate_table(figures: Rows, seeds: Mapping[str, Rows]) -> pa.Table:
    """Return how far the ranks of every year hold; arguments and errors as in `score_table`, with ``scoring_robustness``."""
    rows: list[dict[str, Any]] = []
    for period, chosen, scheme in _years(figures, seeds):
        robustness = robustness_of(seeds["scoring_robustness"], scheme.scheme_id)
        rows += [{"period": period, **row} for row in range_rows(chosen, scheme, robustness, period)]
    return pa.Table.from_pylist(rows, schema=RANGE_SCHEMA)


def _years(figures: Rows, seeds: Mapping[str, Rows]) -> Iterator[tuple[str, Rows, Scheme]]:
    """Yield each year with its figures and the scheme in force at its end."""
    for period in sorted({row["period"] for row in figures}):
        chosen = [row for row in figures if row["period"] == period]
        head = scheme_in_force(seeds["scoring_scheme"], chosen[0]["ends_on"])
        weight, dimension, policy = (seeds[f"scoring_{name}"] for name in ("weight", "dimension", "policy"))
        yield period, chosen, read_scheme(head, weight, dimension, policy)


def robustness_of(rows: Rows, scheme_id: str, place: str = SEED_FILES["robustness"]) -> Robustness:
    """Return how the simulation of a scheme is run.

    Raises:
        SchemeError: there is no row for it, or more than one, or a wrong one.
    """
    own = [row for row in rows if row["scheme_id"] == scheme_id]
    if len(own) != 1:
        raise SchemeError(f"{place}：方案 {scheme_id} 须有且只有一行，现有 {len(own)} 行")
    return checked(Robustness, place, own[0])


def score_rows(figures: Rows, scheme: Scheme) -> list[dict[str, Any]]:
    """Score one year's rows by a scheme, in force or proposed; rows as in `SCHEMA`, without ``period``."""
    scored, ranked = score(_figures(figures), scheme)
    composites = {(r.subject_type, r.subject_key): r for r in ranked}
    return [_row(one, composites.get((one.figure.subject_type, one.figure.subject_key)), scheme) for one in scored]


def range_rows(figures: Rows, scheme: Scheme, robustness: Robustness, period: str) -> list[dict[str, Any]]:
    """Return how far the ranks of one year's rows hold; rows as in `RANGE_SCHEMA`, without ``period``."""
    found = simulate(*score(_figures(figures), scheme), scheme, robustness, period)
    return [
        {
            "subject_type": one.subject_type,
            "subject_key": one.subject_key,
            "rank_low": one.low,
            "rank_high": one.high,
            "rank_kept_pct": 100 * one.kept_count / robustness.draw_count,
            "rank_first_pct": 100 * one.first_count / robustness.draw_count,
            "draw_count": robustness.draw_count,
            "coverage_pct": float(robustness.coverage_pct),
            "scheme_id": scheme.scheme_id,
        }
        for one in found
    ]


def _figures(rows: Rows) -> list[Figure]:
    return [
        Figure(
            row["subject_type"],
            row["subject_key"],
            row["indicator_id"],
            row["dimension"],
            value_of(row),
            row["note_code"],
        )
        for row in rows
    ]


def _row(one: ScoredFigure, composite: Ranked | None, scheme: Scheme) -> dict[str, Any]:
    rule, benchmark = one.rule, one.benchmark
    return {
        "subject_type": one.figure.subject_type,
        "subject_key": one.figure.subject_key,
        "indicator_id": one.figure.indicator_id,
        "dimension": one.figure.dimension,
        "value": exact(one.figure.value),
        "unacceptable": exact(benchmark.unacceptable) if benchmark else None,
        "satisfactory": exact(benchmark.satisfactory) if benchmark else None,
        "formula": rule.formula if rule else None,
        "base_points": exact(rule.base_points) if rule and rule.formula == "linear" else None,
        "span_points": exact(rule.span_points) if rule and rule.formula == "linear" else None,
        "benchmark_method": rule.benchmark_method if rule else None,
        "score_points": exact(one.points),
        "indicator_score_points": exact(one.indicator_points),
        "weight": exact(one.weight),
        "dimension_weight": exact(rule.dimension_weight) if rule else None,
        "contribution_points": exact(one.contribution),
        "rank": one.rank,
        "total_points": exact(composite.total) if composite else None,
        "total_rank": composite.rank if composite else None,
        "scored_weight": exact(composite.scored_weight) if composite else None,
        "full_weight": exact(composite.full_weight) if composite else None,
        "scheme_id": scheme.scheme_id,
        "note_code": one.note_code or one.figure.note_code,
        "note": one.note or (scheme.policies[one.figure.note_code].note if one.figure.note_code else None),
    }
