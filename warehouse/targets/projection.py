"""Where a trend leads by the year of a target: log-linear, with a prediction interval only where there are enough years for one."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

LARGEST = 1e15
"""A projected value beyond this is no forecast but two odd years carried on."""


@dataclass(frozen=True)
class Method:
    """How to project: confidence of the interval in %, and the least number of years for a value and for an interval."""

    confidence_pct: Fraction
    min_years_value: int
    min_years_interval: int


@dataclass(frozen=True)
class Projection:
    """The value expected in the target's year and the bounds of the interval, in the target's unit; ``note`` says what is not there and why."""

    value: Fraction | None = None
    low: Fraction | None = None
    high: Fraction | None = None
    note: str | None = None


def project(history: Sequence[tuple[int, Fraction]], year: int, method: Method) -> Projection:
    """Carry a history of yearly values on to a year.

    Ordinary least squares of the logarithm on the year (a constant average growth); the interval is that of one new observation, with
    Student's t of n − 2 degrees of freedom. Two years give their own growth carried on and never an interval.

    Args:
        history: (year, value) of consecutive years on one basis, oldest first.
        year: the year of the target, after the last of the history.
        method: the parameters in force (seed ``target_projection``).
    """
    count = len(history)
    if count < max(method.min_years_value, 2):
        return Projection(note="too_few_years_for_value")
    if any(value <= 0 for _, value in history):
        return Projection(note="value_not_positive")
    years = [float(each) for each, _ in history]
    logs = [math.log(value) for _, value in history]
    mean_year, mean_log = sum(years) / count, sum(logs) / count
    spread = sum((each - mean_year) ** 2 for each in years)
    slope = sum((x - mean_year) * (y - mean_log) for x, y in zip(years, logs, strict=True)) / spread
    expected = mean_log + slope * (year - mean_year)
    if expected > math.log(LARGEST):
        return Projection(note="not_credible")
    value = Fraction(math.exp(expected))
    if count < max(method.min_years_interval, 3):
        return Projection(value, note="too_few_years_for_interval")
    # scipy costs a quarter of a second: only where an interval is worked out.
    from scipy.special import stdtrit  # type: ignore[import-untyped]

    residual = sum((y - mean_log - slope * (x - mean_year)) ** 2 for x, y in zip(years, logs, strict=True))
    error = math.sqrt(residual / (count - 2) * (1 + 1 / count + (year - mean_year) ** 2 / spread))
    half = float(stdtrit(count - 2, 0.5 + float(method.confidence_pct) / 200)) * error
    if expected + half > math.log(LARGEST):
        return Projection(value, note="not_credible")
    return Projection(value, Fraction(math.exp(expected - half)), Fraction(math.exp(expected + half)))
