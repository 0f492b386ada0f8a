"""Three ways to set 满意值 and 不允许值 (and, for the five-grade formula, the values between): fixed, or from the group itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

Direction = Literal["higher", "lower"]
"""Whether more is better, or less (逆向指标)."""


@dataclass(frozen=True)
class Benchmark:
    """不允许值 and 满意值 of one dimension, and the three grades between them (较低, 平均, 良好)."""

    unacceptable: Fraction
    satisfactory: Fraction
    between: tuple[Fraction, Fraction, Fraction]

    @property
    def grades(self) -> tuple[Fraction, Fraction, Fraction, Fraction, Fraction]:
        """The five standard values, 较差 to 优秀."""
        return (self.unacceptable, *self.between, self.satisfactory)


def fixed(
    unacceptable: Fraction, satisfactory: Fraction, between: tuple[Fraction, Fraction, Fraction] | None = None
) -> Benchmark:
    """Return the benchmark as the scheme sets it; without grades of its own they lie a quarter of the way apart."""
    quarter = (satisfactory - unacceptable) / 4
    even = (unacceptable + quarter, unacceptable + 2 * quarter, unacceptable + 3 * quarter)
    return Benchmark(unacceptable, satisfactory, between or even)


def group_max_min(values: Sequence[Fraction], direction: Direction) -> Benchmark:
    """Return the benchmark between the worst and the best of the group."""
    low, high = min(values), max(values)
    return fixed(low, high) if direction == "higher" else fixed(high, low)


def top_k_mean(values: Sequence[Fraction], k: int, direction: Direction) -> Benchmark:
    """Return the benchmark between the mean of the ``k`` worst and of the ``k`` best.

    In a group of fewer than ``2 k`` the two would share members; then each takes half of the group.
    """
    ordered = sorted(values, reverse=direction == "lower")
    taken = max(1, min(k, len(ordered) // 2))
    worst, best = ordered[:taken], ordered[-taken:]
    return fixed(sum(worst, Fraction(0)) / taken, sum(best, Fraction(0)) / taken)
