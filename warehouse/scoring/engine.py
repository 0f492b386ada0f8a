"""Scoring a year's figures by a scheme: dimension → indicator → composite, each step kept, so that every point can be explained."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, localcontext
from fractions import Fraction

from warehouse.scoring.benchmarks import Benchmark, fixed, group_max_min, top_k_mean
from warehouse.scoring.formulas import (
    POWER_DIGITS,
    efficacy_exponential,
    efficacy_five_grade,
    efficacy_linear,
    efficacy_zero_based,
)
from warehouse.scoring.scheme import Scheme, ScoredDimension

FULL = Fraction(100)
"""The five-grade formula is scored out of this, so that its points stand beside the others'."""


@dataclass(frozen=True)
class Figure:
    """One dimension of one indicator of one subject: its value, or why there is none (``note_code``, a situation)."""

    subject_type: str
    subject_key: str
    indicator_id: str
    dimension: str
    value: Fraction | None
    note_code: str | None = None


@dataclass(frozen=True)
class ScoredFigure:
    """A figure with everything its score rests on; what does not apply is None.

    ``contribution``: the points of the composite that come from this dimension; they add up to ``total`` (of a geometric
    mean they share it out by logarithms). ``rank``: of the value, 1 the best, within the kind of subject.
    """

    figure: Figure
    rule: ScoredDimension | None = None
    benchmark: Benchmark | None = None
    points: Fraction | None = None
    indicator_points: Fraction | None = None
    weight: Fraction | None = None
    contribution: Fraction | None = None
    rank: int | None = None
    note_code: str | None = None
    note: str | None = None


@dataclass(frozen=True)
class Ranked:
    """The composite of one subject, and its rank among its kind; ``scored_weight`` of ``full_weight`` had a score."""

    subject_type: str
    subject_key: str
    total: Fraction | None
    rank: int | None
    scored_weight: Fraction
    full_weight: Fraction


def standard_ranks(values: Mapping[str, Fraction | None], *, is_lower_better: bool = False) -> dict[str, int | None]:
    """Return the standard competition rank (1, 2, 2, 4) by key, 1 the best; None for a missing value."""
    known = sorted((v for v in values.values() if v is not None), reverse=not is_lower_better)
    return {key: None if value is None else known.index(value) + 1 for key, value in values.items()}


def score(figures: Sequence[Figure], scheme: Scheme) -> tuple[list[ScoredFigure], list[Ranked]]:
    """Score the figures of one year.

    Figures that the scheme does not score (a sector, the city, a dimension without a row) come back with their value alone.

    Raises:
        DegenerateBenchmarkError: fixed benchmarks that no score can be measured by.
    """
    groups: dict[tuple[str, str, str], list[Figure]] = defaultdict(list)
    for figure in figures:
        groups[figure.subject_type, figure.indicator_id, figure.dimension].append(figure)
    scored: dict[Figure, ScoredFigure] = {}
    for key, group in groups.items():
        rule = scheme.dimensions.get(key)
        scored |= {f: ScoredFigure(f) for f in group} if rule is None else _score_dimension(group, rule, scheme)
    ranked = []
    for subject_type in dict.fromkeys(figure.subject_type for figure in figures):
        if any(key[0] == subject_type for key in scheme.weights):
            ranked += _compose(subject_type, scored, scheme)
    return [scored[figure] for figure in figures], ranked


def _score_dimension(group: Sequence[Figure], rule: ScoredDimension, scheme: Scheme) -> dict[Figure, ScoredFigure]:
    values = [figure.value for figure in group if figure.value is not None]
    ranks = standard_ranks({f.subject_key: f.value for f in group}, is_lower_better=rule.direction == "lower")
    benchmark = _benchmark(values, rule) if values or rule.benchmark_method == "fixed" else None
    situation = None
    if benchmark and benchmark.unacceptable == benchmark.satisfactory:
        situation = "one_subject" if len(values) == 1 else "no_spread"
    result = {}
    for figure in group:
        code = (figure.note_code or "value_missing") if figure.value is None else situation
        points, note = None, None
        if code:
            points, note = scheme.policies[code].points, scheme.policies[code].note
        elif figure.value is not None and benchmark:
            points = _clamped(_points(figure.value, benchmark, rule), rule)
        result[figure] = ScoredFigure(
            figure, rule, benchmark, points, rank=ranks[figure.subject_key], note_code=code, note=note
        )
    return result


def _benchmark(values: Sequence[Fraction], rule: ScoredDimension) -> Benchmark:
    if rule.benchmark_method == "group_max_min":
        return group_max_min(values, rule.direction)
    if rule.benchmark_method == "top_k_mean":
        return top_k_mean(values, rule.top_k or 1, rule.direction)
    assert rule.unacceptable is not None and rule.satisfactory is not None
    between = (rule.low, rule.average, rule.good)
    given = None if None in between else between
    return fixed(rule.unacceptable, rule.satisfactory, given)  # type: ignore[arg-type]


def _points(value: Fraction, benchmark: Benchmark, rule: ScoredDimension) -> Fraction:
    if rule.formula == "five_grade":
        return efficacy_five_grade(value, FULL, *benchmark.grades)
    x_s, x_h = benchmark.unacceptable, benchmark.satisfactory
    if rule.formula == "linear":
        return efficacy_linear(value, x_s, x_h, rule.base_points, rule.span_points)
    return (efficacy_zero_based if rule.formula == "zero_based" else efficacy_exponential)(value, x_s, x_h)


def _clamped(points: Fraction, rule: ScoredDimension) -> Fraction:
    if rule.clamp_low is not None:
        points = max(points, rule.clamp_low)
    return points if rule.clamp_high is None else min(points, rule.clamp_high)


def _compose(subject_type: str, scored: dict[Figure, ScoredFigure], scheme: Scheme) -> list[Ranked]:
    """Add weight, indicator score and contribution to the figures of one kind of subject, in place; return the composites."""
    by_subject: dict[str, dict[str, list[ScoredFigure]]] = defaultdict(lambda: defaultdict(list))
    for one in scored.values():
        if one.figure.subject_type == subject_type and one.rule:
            by_subject[one.figure.subject_key][one.figure.indicator_id].append(one)
    totals: dict[str, Fraction | None] = {}
    weights_of: dict[str, Fraction] = {}
    for subject_key, indicators in by_subject.items():
        means = {indicator: _mean_of_dimensions(ones) for indicator, ones in indicators.items()}
        weights = {i: scheme.weights[subject_type, i] for i, mean in means.items() if mean is not None}
        full = weights_of[subject_key] = sum(weights.values(), Fraction(0))
        # An indicator of weight 0 takes no part: in a geometric mean its points may not even have a logarithm.
        parts = {i: (means[i] or Fraction(0), weight / full) for i, weight in weights.items() if weight}
        totals[subject_key] = _total(parts.values(), scheme.mean_method)
        per_point = _per_point(parts, totals[subject_key], scheme.mean_method)
        for indicator, ones in indicators.items():
            divisor = sum((_dimension_weight(one) for one in ones if one.points is not None), Fraction(0))
            each = per_point.get(indicator) if weights.get(indicator) else Fraction(0)
            for one in ones:
                is_counted = one.points is not None and each is not None
                scored[one.figure] = replace(
                    one,
                    indicator_points=means[indicator],
                    weight=scheme.weights[subject_type, indicator],
                    contribution=each * one.points * _dimension_weight(one) / divisor if is_counted else None,  # type: ignore[operator]
                )
    ranks = standard_ranks(totals)
    # Of the indicators that are in force this year: a later one that the scheme weighs already is not missed.
    possible = {
        key: sum((scheme.weights[subject_type, i] for i in ones), Fraction(0)) for key, ones in by_subject.items()
    }
    return [Ranked(subject_type, key, totals[key], ranks[key], weights_of[key], possible[key]) for key in by_subject]


def _dimension_weight(one: ScoredFigure) -> Fraction:
    return one.rule.dimension_weight if one.rule else Fraction(0)


def _mean_of_dimensions(ones: Iterable[ScoredFigure]) -> Fraction | None:
    """Return the mean of the dimensions that have a score, by their weights; None if none has."""
    known = [(one.points, _dimension_weight(one)) for one in ones if one.points is not None]
    weight = sum((w for _, w in known), Fraction(0))
    return sum((points * w for points, w in known), Fraction(0)) / weight if known else None


def _total(parts: Iterable[tuple[Fraction, Fraction]], mean_method: str) -> Fraction | None:
    """Return the weighted mean of (points, share of the weight); a geometric one of anything not above 0 is 0."""
    known = list(parts)
    if not known:
        return None
    if mean_method == "arithmetic":
        return sum((points * share for points, share in known), Fraction(0))
    if any(points <= 0 for points, _ in known):
        return Fraction(0)
    with localcontext() as context:
        context.prec = POWER_DIGITS
        return Fraction(sum((_ln(p) * _decimal(s) for p, s in known), Decimal(0)).exp())


def _per_point(
    parts: Mapping[str, tuple[Fraction, Fraction]], total: Fraction | None, mean_method: str
) -> dict[str, Fraction | None]:
    """Return what one point of each indicator gives to the total; of a geometric mean None where one is not above 1 point."""
    if mean_method == "arithmetic":
        return {indicator: share for indicator, (_, share) in parts.items()}
    if total is None or total <= 1 or any(points <= 1 for points, _ in parts.values()):
        return dict.fromkeys(parts)
    with localcontext() as context:
        context.prec = POWER_DIGITS
        logs = {i: Fraction(_ln(p) * _decimal(s)) for i, (p, s) in parts.items()}
    whole = sum(logs.values(), Fraction(0))
    return {i: total * log / whole / parts[i][0] for i, log in logs.items()}


def _decimal(value: Fraction) -> Decimal:
    return Decimal(value.numerator) / Decimal(value.denominator)


def _ln(value: Fraction) -> Decimal:
    return _decimal(value).ln()
