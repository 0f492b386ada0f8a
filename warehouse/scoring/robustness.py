"""How far a rank holds: weights and benchmarks drawn at random around the scheme's own, and the ranks that come out.

Uncertainty analysis as in OECD/JRC, *Handbook on Constructing Composite Indicators: Methodology and User Guide* (OECD Publishing
2008, ISBN 978-92-64-04345-9), step 7, by Monte Carlo. Every figure is laid once, exactly, on the scale of its own benchmarks
(0 at 不允许值, 1 at 满意值); what is drawn moves the ends of that scale. Doubles from there on: only ranks come out.
"""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Any

import numpy as np
from pydantic import model_validator

from warehouse.scoring.benchmarks import Benchmark
from warehouse.scoring.engine import FULL, Ranked, ScoredFigure
from warehouse.scoring.formulas import GRADES, LARGEST_RATIO
from warehouse.scoring.scheme import Exact, Scheme, SchemeRow, ScoredDimension

TIE_DECIMALS = 10
"""Composites of one draw that agree to this many decimals of a point are a tie; what is beyond is noise of doubles."""

FEWEST_DRAWS, MOST_DRAWS = 100, 20_000

Array = np.ndarray[Any, np.dtype[np.float64]]


class Robustness(SchemeRow):
    """How the simulation of a scheme is run (seed ``scoring_robustness``).

    Each weight of an indicator or a dimension is multiplied by a number between 1 − ``weight_spread`` and 1 + ``weight_spread``;
    不允许值 and 满意值 of a dimension each move by up to ``benchmark_spread`` of their distance, either way; all independently and
    uniformly. ``coverage_pct`` of the draws lie in the interval of ranks, the rest at most half on either side.
    """

    scheme_id: str
    draw_count: int
    random_seed: int
    weight_spread: Exact
    benchmark_spread: Exact
    coverage_pct: Exact

    @model_validator(mode="after")
    def _in_range(self) -> "Robustness":
        if not FEWEST_DRAWS <= self.draw_count <= MOST_DRAWS:
            raise ValueError(f"draw_count：须在 {FEWEST_DRAWS} 与 {MOST_DRAWS} 之间")
        if not 0 <= self.weight_spread < 1:
            raise ValueError("weight_spread：须不小于 0、小于 1（权重不能变负）")
        if not 0 <= self.benchmark_spread < Fraction(1, 2):
            raise ValueError("benchmark_spread：须不小于 0、小于 0.5（不允许值与满意值不能对调）")
        if not 0 < self.coverage_pct <= 100:
            raise ValueError("coverage_pct：须大于 0、不大于 100")
        return self


@dataclass(frozen=True)
class RankRange:
    """The ranks of one subject over all draws: the interval, and in how many draws it keeps its rank and is the first."""

    subject_type: str
    subject_key: str
    low: int
    high: int
    kept_count: int
    first_count: int


@dataclass(frozen=True)
class _Part:
    """One term of a weighted mean: weights (draws × 1), points (draws × subjects), and which subjects have it."""

    weight: Array
    points: Array
    is_there: np.ndarray[Any, np.dtype[np.bool_]]


def simulate(
    scored: Sequence[ScoredFigure], ranked: Sequence[Ranked], scheme: Scheme, robustness: Robustness, period: str
) -> list[RankRange]:
    """Return the range of ranks of every subject that has one.

    The same for the same arguments, whatever the order of the rows and whoever else is scored: every weight and benchmark has
    its own stream of random numbers, named by ``period``, kind of subject, indicator and dimension. So two schemes meet the
    same luck, and an indicator more leaves the draws of the others as they were.

    Args:
        scored: the figures as `engine.score` returned them for ``scheme``.
        ranked: the composites, likewise.
        scheme: the scheme that they were scored by.
        robustness: how wide, how often.
        period: the year, part of the streams' names.
    """
    found = []
    for subject_type in dict.fromkeys(one.subject_type for one in ranked):
        ones = [one for one in ranked if one.subject_type == subject_type and one.rank is not None]
        if ones:
            ones.sort(key=lambda one: one.subject_key)
            own = [each for each in scored if each.figure.subject_type == subject_type and each.rule]
            found += _ranges(own, ones, scheme, robustness, period)
    return found


def _ranges(
    scored: Sequence[ScoredFigure], ranked: Sequence[Ranked], scheme: Scheme, robustness: Robustness, period: str
) -> list[RankRange]:
    cells: dict[str, dict[str, dict[str, ScoredFigure]]] = defaultdict(lambda: defaultdict(dict))
    for one in scored:
        if one.points is not None:
            cells[one.figure.indicator_id][one.figure.dimension][one.figure.subject_key] = one
    keys = [one.subject_key for one in ranked]
    subject_type = ranked[0].subject_type
    parts = []
    for indicator, dimensions in sorted(cells.items()):
        weight = float(scheme.weights[subject_type, indicator])
        if not weight:
            continue
        name = (period, subject_type, indicator)
        means = [
            _dimension(column, keys, robustness, (*name, dimension)) for dimension, column in sorted(dimensions.items())
        ]
        is_there = np.any([mean.is_there for mean in means], axis=0)
        factor = 1 + float(robustness.weight_spread) * drawn(robustness, *name, "weight")
        parts.append(_Part(weight * factor, _mean(means), is_there))
    totals = _mean(parts) if scheme.mean_method == "arithmetic" else _geometric_mean(parts)
    # The first row is the scheme itself: the exact composites stand in its place, and with nothing drawn nothing moves.
    exact = np.array([float(one.total or 0) for one in ranked])
    ranks = _standard_ranks(np.round(exact + (totals[1:] - totals[0]), TIE_DECIMALS))
    ordered = np.sort(ranks, axis=0)
    tail = (1 - robustness.coverage_pct / 100) / 2
    low, high = (ceil(robustness.draw_count * share) for share in (tail, 1 - tail))
    return [
        RankRange(
            subject_type,
            one.subject_key,
            low=int(ordered[max(low, 1) - 1, place]),
            high=int(ordered[high - 1, place]),
            kept_count=int(np.count_nonzero(ranks[:, place] == one.rank)),
            first_count=int(np.count_nonzero(ranks[:, place] == 1)),
        )
        for place, one in enumerate(ranked)
    ]


def drawn(robustness: Robustness, *name: str) -> Array:
    """Return one column of numbers between −1 and 1, a draw each, after a 0 for the scheme itself.

    From the raw bits of the generator: those are what numpy promises never to change (NEP 19).
    """
    digest = hashlib.sha256("/".join((str(robustness.random_seed), *name)).encode()).digest()
    bits = np.random.PCG64(int.from_bytes(digest[:16], "big")).random_raw(robustness.draw_count)
    numbers = (bits >> np.uint64(11)) * 2.0**-52 - 1
    return np.concatenate(([0.0], numbers))[:, np.newaxis]


def _dimension(
    column: dict[str, ScoredFigure], keys: Sequence[str], robustness: Robustness, name: tuple[str, ...]
) -> _Part:
    """Return the points of one dimension as its benchmarks move; points that a policy gives stay where they are."""
    ones = [column.get(key) for key in keys]
    rule = next(iter(column.values())).rule
    assert rule is not None
    points = np.array([float(one.points or 0) if one else 0.0 for one in ones])
    measured = next((one for one in column.values() if not one.note_code), None)
    if measured and measured.benchmark:
        worst, best = (float(robustness.benchmark_spread) * drawn(robustness, *name, end) for end in ("worst", "best"))
        at = np.array([position_of(one.figure.value, one.benchmark) if one else 0.0 for one in ones])
        is_measured = np.array([one is not None and not one.note_code for one in ones])
        points = np.where(is_measured, points_at((at - worst) / (1 + best - worst), rule, measured.benchmark), points)
    factor = 1 + float(robustness.weight_spread) * drawn(robustness, *name, "weight")
    return _Part(float(rule.dimension_weight) * factor, points, np.array([one is not None for one in ones]))


def position_of(value: Fraction | None, benchmark: Benchmark | None) -> float:
    """Return where a value lies between 不允许值 (0) and 满意值 (1), divided exactly; 0 where there is nothing to place."""
    if value is None or benchmark is None:
        return 0.0
    return float((value - benchmark.unacceptable) / (benchmark.satisfactory - benchmark.unacceptable))


def points_at(at: Array, rule: ScoredDimension, benchmark: Benchmark) -> Array:
    """Return the points of positions between 不允许值 (0) and 满意值 (1): `formulas` on arrays, clamped as the rule says.

    The grades between keep their place between the two ends.
    """
    if rule.formula == "linear":
        points = float(rule.base_points) + float(rule.span_points) * at
    elif rule.formula == "zero_based":
        points = np.clip(100 * at, 0, 100)
    elif rule.formula == "exponential":
        points = 60 * (5 / 3) ** np.clip(at, -LARGEST_RATIO, LARGEST_RATIO)
    else:
        grades = [position_of(grade, benchmark) for grade in benchmark.grades]
        points = np.interp(at, grades, [float(FULL * grade) for grade in GRADES], left=0)
    low = -np.inf if rule.clamp_low is None else float(rule.clamp_low)
    high = np.inf if rule.clamp_high is None else float(rule.clamp_high)
    return np.clip(points, low, high)


def _mean(parts: Sequence[_Part]) -> Array:
    """Return the weighted mean over the parts that a subject has; 0 where it has none."""
    weight = np.sum([part.weight * part.is_there for part in parts], axis=0)
    whole = np.sum([part.weight * part.is_there * part.points for part in parts], axis=0)
    return np.divide(whole, weight, out=np.zeros_like(whole), where=weight > 0)


def _geometric_mean(parts: Sequence[_Part]) -> Array:
    """Return the weighted geometric mean over the parts that a subject has; 0 where one of them is not above 0."""
    logs = [_Part(p.weight, np.log(np.where(p.is_there & (p.points > 0), p.points, 1)), p.is_there) for p in parts]
    is_zero = np.any([part.is_there & (part.points <= 0) for part in parts], axis=0)
    return np.where(is_zero, 0, np.exp(_mean(logs)))


def _standard_ranks(totals: Array) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return the standard competition ranks (1, 2, 2, 4) of each row, 1 the highest."""
    order = np.argsort(-totals, axis=1, kind="stable")
    ordered = np.take_along_axis(totals, order, axis=1)
    is_new = np.ones(ordered.shape, dtype=bool)
    is_new[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    places = np.maximum.accumulate(np.where(is_new, np.arange(1, ordered.shape[1] + 1), 0), axis=1)
    ranks = np.empty_like(places)
    np.put_along_axis(ranks, order, places, axis=1)
    return ranks
