"""The four efficacy formulas, exact: fractions in, fractions out. Their constants come from a scheme.

The published warehouse holds the same formulas as DuckDB macros (``publish.MACROS``), for any numbers, in doubles.
"""

from decimal import Decimal, localcontext
from fractions import Fraction
from itertools import pairwise

GRADES = (Fraction(1, 5), Fraction(2, 5), Fraction(3, 5), Fraction(4, 5), Fraction(1))
"""Coefficients of the five grades: 较差, 较低, 平均, 良好, 优秀 (企业综合绩效评价, 标准系数)."""

POWER_DIGITS = 40
"""Significant digits of a power; every other result is exact."""

LARGEST_RATIO = 1000
"""An exponential score beyond this many times the distance of its benchmarks is no score but a wrong benchmark."""


class DegenerateBenchmarkError(ValueError):
    """满意值 equals 不允许值 (or grades out of order): there is nothing to measure the distance by."""


def _ratio(x: Fraction, unacceptable: Fraction, satisfactory: Fraction) -> Fraction:
    if satisfactory == unacceptable:
        raise DegenerateBenchmarkError(f"满意值与不允许值相同（{satisfactory}），算不出功效系数")
    return (x - unacceptable) / (satisfactory - unacceptable)


def efficacy_linear(
    x: Fraction,
    unacceptable: Fraction,
    satisfactory: Fraction,
    base: Fraction = Fraction(60),
    span: Fraction = Fraction(40),
) -> Fraction:
    """Return the efficacy score (功效系数) in points (分): ``base`` at ``unacceptable``, ``base + span`` at ``satisfactory``.

    All three in the same unit. Not clamped: 58.73 for (5.81, 6, 12). Serves inverse indicators too (``satisfactory`` <
    ``unacceptable``). Source: 附件2 评价规则; the constants are the textbook form.

    Raises:
        DegenerateBenchmarkError: ``satisfactory`` equals ``unacceptable``.
    """
    return _ratio(x, unacceptable, satisfactory) * span + base


def efficacy_zero_based(x: Fraction, unacceptable: Fraction, satisfactory: Fraction) -> Fraction:
    """Return the score from 0 at ``unacceptable`` to 100 at ``satisfactory``, held to [0, 100].

    Raises:
        DegenerateBenchmarkError: ``satisfactory`` equals ``unacceptable``.
    """
    return min(max(_ratio(x, unacceptable, satisfactory) * 100, Fraction(0)), Fraction(100))


def efficacy_exponential(x: Fraction, unacceptable: Fraction, satisfactory: Fraction) -> Fraction:
    """Return 60 × (5/3)^((x − x_s)/(x_h − x_s)): 60 at ``unacceptable``, 100 at ``satisfactory``, steeper above; 40 digits.

    Raises:
        DegenerateBenchmarkError: ``satisfactory`` equals ``unacceptable``, or ``x`` lies a thousand times their distance away.
    """
    ratio = _ratio(x, unacceptable, satisfactory)
    if abs(ratio) > LARGEST_RATIO:
        raise DegenerateBenchmarkError(f"数值离满意值、不允许值太远（{float(ratio):.0f} 倍），请核对标准值")
    with localcontext() as context:
        context.prec = POWER_DIGITS
        power = (Decimal(5) / Decimal(3)) ** (Decimal(ratio.numerator) / Decimal(ratio.denominator))
        return Fraction(60 * power)


def efficacy_five_grade(
    x: Fraction, weight: Fraction, poorest: Fraction, low: Fraction, average: Fraction, good: Fraction, best: Fraction
) -> Fraction:
    """Return the score out of ``weight`` by five standard values (较差, 较低, 平均, 良好, 优秀 值), straight between two of them.

    Full weight at or beyond ``best``, 0 short of ``poorest``; 15.23 for x = 8, weight 20, average 1.7, good 9.5. Grades run up,
    or down for an inverse indicator.

    Raises:
        DegenerateBenchmarkError: two neighbouring grades are equal, or they run neither up nor down.
    """
    values = (poorest, low, average, good, best)
    is_up = best > poorest
    steps = [(b > a) if is_up else (b < a) for a, b in pairwise(values)]
    if not all(steps):
        raise DegenerateBenchmarkError(
            f"五档标准值须由差到优依次递增（逆向指标递减），现为 {'、'.join(str(float(v)) for v in values)}"
        )

    def reaches(value: Fraction) -> bool:
        return x >= value if is_up else x <= value

    if reaches(best):
        return weight
    for place in (3, 2, 1, 0):
        lower, upper = values[place], values[place + 1]
        if reaches(lower):
            return weight * (GRADES[place] + (x - lower) / (upper - lower) * (GRADES[place + 1] - GRADES[place]))
    return Fraction(0)
