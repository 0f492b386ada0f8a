"""What each rule of the plan means, on exact fractions: one cell (target, area, period) and the figures in, one judgement out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

from warehouse.targets.projection import Method, Projection, project
from warehouse.targets.words import (
    BEHIND,
    COMPARED,
    MISSED,
    ON_TRACK,
    REACHED,
    STATE_OF_NOTE,
    UNDECIDABLE,
)

ABOVE = "above"
NO_PROJECTION = Projection()


class TargetError(ValueError):
    """A row of a seed of the targets is wrong; the message names the seed and what to correct."""


@dataclass(frozen=True)
class Known:
    """A figure, or the reason (``note``) why there is none; a note beside a value only remarks on it."""

    value: Fraction | None
    note: str | None
    basis: str = ""


@dataclass(frozen=True)
class Cell:
    """One target in one area and period, as ``int_list_target_cell`` lists it; amounts in the target's unit."""

    period: str
    series: str
    year: int
    target_id: str
    rule: str
    is_above: bool
    area_key: str
    measure: str
    denominator: str | None
    compare_measure: str | None
    compare_area_key: str
    threshold: Fraction | None
    target_year: int | None
    data_year_offset: int
    is_received: bool
    is_planned: bool
    reported_target: Fraction | None


@dataclass(frozen=True)
class Judgement:
    """What is known of a cell. Amounts in the target's unit, growth and progress in %; every None has its note, or never applies."""

    state: str
    data_year: int
    target: Fraction | None = None
    value: Fraction | None = None
    value_note: str | None = None
    base: Fraction | None = None
    growth: Fraction | None = None
    growth_note: str | None = None
    needed: Fraction | None = None
    needed_note: str | None = None
    projection: Projection = NO_PROJECTION

    @property
    def gap(self) -> Fraction | None:
        """How much is lacking: target − value; zero or negative where it is reached."""
        return None if self.target is None or self.value is None else self.target - self.value


class Figures:
    """Rows of ``int_list_target_figure`` by their keys: of a period, and of a data year within a series."""

    def __init__(self, rows: Iterable[Mapping[str, Any]]) -> None:
        self._of_period: dict[tuple[str, str, str], Mapping[str, Any]] = {}
        self._of_year: dict[tuple[str, str, str, int], Mapping[str, Any]] = {}
        # Of two periods that report one data year the later one counts: it knows better.
        for row in sorted(rows, key=lambda each: each["period"]):
            self._of_period[row["period"], row["area_key"], row["measure"]] = row
            self._of_year[row["series"], row["area_key"], row["measure"], row["data_year"]] = row

    def data_year(self, cell: Cell) -> int:
        """Return the year that the cell's own figure is of: as reported, else as it should be."""
        row = self._of_period.get((cell.period, cell.area_key, _own_measures(cell)[0]))
        return row["data_year"] if row else cell.year + cell.data_year_offset

    def now(self, cell: Cell, measure: str) -> Known:
        """Return a measure of the cell's own area and period."""
        row = self._of_period.get((cell.period, cell.area_key, measure))
        if row is None:
            lacking = "no_row" if cell.rule == "commitment" else "value_missing"
            return Known(None, lacking if cell.is_received else "not_received")
        return _known(row)

    def of_year(self, cell: Cell, area_key: str, measure: str, year: int) -> Known:
        """Return a measure of the cell's series (years, or halves of one kind) in a data year."""
        row = self._of_year.get((cell.series, area_key, measure, year))
        return Known(None, "value_missing") if row is None else _known(row)


def _known(row: Mapping[str, Any]) -> Known:
    value = row["amount"]
    return Known(None if value is None else Fraction(value), row["value_note"], row["basis"])


def _own_measures(cell: Cell) -> tuple[str, str | None]:
    """Return the numerator and denominator that a cell's value is made of."""
    if cell.rule == "coverage":
        return f"{cell.target_id}:reached", f"{cell.target_id}:units"
    if cell.rule == "commitment":
        return cell.target_id, None
    return cell.measure, cell.denominator


def _divided(part: Known, whole: Known) -> Known:
    """Return a ratio in %."""
    if part.value is None:
        return part
    if whole.value is None:
        # What keeps the denominator away says more than that it is away.
        return Known(None, whole.note if whole.note not in (None, "value_missing") else "denominator_missing")
    if whole.value <= 0:
        return Known(None, "denominator_not_positive")
    return Known(part.value / whole.value * 100, part.note or whole.note, f"{part.basis}/{whole.basis}")


def _value(cell: Cell, figures: Figures) -> Known:
    part, whole = _own_measures(cell)
    now = figures.now(cell, part)
    return now if whole is None else _divided(now, figures.now(cell, whole))


def _value_of_year(cell: Cell, figures: Figures, year: int) -> Known:
    part, whole = _own_measures(cell)
    then = figures.of_year(cell, cell.area_key, part, year)
    return then if whole is None else _divided(then, figures.of_year(cell, cell.area_key, whole, year))


def _growth(now: Known, base: Known) -> Known:
    """Return the growth in %, or why there is none."""
    if now.value is None:
        return Known(None, "value_missing")
    if base.value is None:
        return Known(None, "base_missing")
    if now.basis != base.basis:
        return Known(None, "basis_changed")
    if base.value <= 0:
        return Known(None, "base_not_positive")
    return Known((now.value / base.value - 1) * 100, None)


def needed_growth(value: Fraction, target: Fraction, years: int) -> Fraction:
    """Return the average yearly growth in % that leads from a value to a target in so many years; to 30 digits."""
    with localcontext() as context:
        context.prec = 40
        ratio = target / value
        times = (Decimal(ratio.numerator) / Decimal(ratio.denominator)) ** (Decimal(1) / years)
        return Fraction((times - 1) * 100)


def _meets(cell: Cell, value: Fraction, target: Fraction) -> bool:
    return value > target if cell.is_above else value >= target


def _without_value(data_year: int, target: Fraction | None, known: Known) -> Judgement:
    note = known.note or "value_missing"
    return Judgement(
        STATE_OF_NOTE.get(note, UNDECIDABLE),
        data_year,
        target=target,
        value_note=note,
        growth_note="value_missing",
        needed_note="value_missing",
    )


def judge(cell: Cell, figures: Figures, method: Method) -> Judgement:
    """Judge one cell by its rule.

    Raises:
        TargetError: the seed ``target`` names a rule that does not exist, or lacks what the rule needs.
    """
    rules = {
        "level": _judge_level,
        "coverage": _judge_level,
        "commitment": _judge_commitment,
        "never_falls": _judge_never_falls,
        "growth_above": _judge_growth_above,
    }
    if cell.rule not in rules:
        raise TargetError(f"seeds/target.csv {cell.target_id}：没有 {cell.rule} 这种规则，可用 {'、'.join(rules)}")
    return rules[cell.rule](cell, figures, method)


def _judge_level(cell: Cell, figures: Figures, method: Method) -> Judgement:
    """Judge a level to be reached: by a year, or (no target year) in each period."""
    now, year, target = _value(cell, figures), figures.data_year(cell), cell.threshold
    if target is None:
        raise TargetError(f"seeds/target.csv {cell.target_id}：规则 {cell.rule} 须有 threshold")
    if now.value is None:
        return _without_value(year, target, now)
    base = _value_of_year(cell, figures, year - 1)
    growth = _growth(now, base)
    judged = Judgement(
        MISSED,
        year,
        target=target,
        value=now.value,
        value_note=now.note,
        base=base.value,
        growth=growth.value,
        growth_note=growth.note,
        needed_note="each_period" if cell.target_year is None else "past",
    )
    if cell.target_year is not None and cell.target_year > year:
        judged = replace(judged, projection=_projection(cell, figures, year, method))
    if _meets(cell, now.value, target):
        return replace(judged, state=REACHED, needed_note="reached")
    if cell.target_year is None or cell.target_year <= year:
        return judged
    years = cell.target_year - year
    if now.value <= 0:
        return replace(judged, state=UNDECIDABLE, needed_note="value_not_positive")
    state = UNDECIDABLE
    if growth.value is not None:
        # Exact, without the root: would the last year's pace, kept up, get there?
        carried_on = now.value * (1 + growth.value / 100) ** years
        state = ON_TRACK if _meets(cell, carried_on, target) else BEHIND
    return replace(judged, state=state, needed=needed_growth(now.value, target, years), needed_note=None)


def _projection(cell: Cell, figures: Figures, year: int, method: Method) -> Projection:
    """Project from the years up to the cell's own, back to the first gap or change of basis; later periods are not looked at."""
    history: list[tuple[int, Fraction]] = []
    basis = _value_of_year(cell, figures, year).basis
    while (known := _value_of_year(cell, figures, year - len(history))).value is not None and known.basis == basis:
        history.append((year - len(history), known.value))
    assert cell.target_year is not None
    return project(history[::-1], cell.target_year, method)


def _judge_commitment(cell: Cell, figures: Figures, method: Method) -> Judgement:
    """Judge a countable commitment of one year by the plan's own target, whatever target the sheet writes."""
    if cell.threshold is None:
        return replace(
            _without_value(cell.year, None, Known(None, "no_target")), value=figures.now(cell, cell.target_id).value
        )
    judged = _judge_level(cell, figures, method)
    if not cell.is_planned:
        return replace(judged, value_note=judged.value_note or "not_in_plan")
    if cell.reported_target is None or cell.reported_target == cell.threshold or judged.value_note:
        return judged
    lower = cell.reported_target < cell.threshold
    return replace(judged, value_note="reported_target_lower" if lower else "reported_target_higher")


def _judge_never_falls(cell: Cell, figures: Figures, method: Method) -> Judgement:
    """Judge 只增不减: not below the same period last year."""
    now, year = _value(cell, figures), figures.data_year(cell)
    base = _value_of_year(cell, figures, year - 1)
    if now.value is None:
        return replace(_without_value(year, base.value, now), base=base.value)
    growth = _growth(now, base)
    judged = Judgement(
        UNDECIDABLE,
        year,
        value=now.value,
        value_note=now.note,
        base=base.value,
        growth=growth.value,
        growth_note=growth.note,
        needed_note="each_period",
    )
    if base.value is None or growth.note == "basis_changed":
        return judged
    is_met = _meets(cell, now.value, base.value)
    return replace(judged, target=base.value, state=REACHED if is_met else MISSED)


def _judge_growth_above(cell: Cell, figures: Figures, method: Method) -> Judgement:
    """Judge one growth against another of the same data year, by so many 百分点; value and target are growth rates in %."""
    if cell.compare_measure is None or cell.threshold is None:
        raise TargetError(
            f"seeds/target.csv {cell.target_id}：规则 growth_above 须有 compare_measure 和 threshold（百分点）"
        )
    now, year = _value(cell, figures), figures.data_year(cell)
    own = _growth(now, _value_of_year(cell, figures, year - 1))
    compared = _growth(
        figures.of_year(cell, cell.compare_area_key, cell.compare_measure, year),
        figures.of_year(cell, cell.compare_area_key, cell.compare_measure, year - 1),
    )
    target = None if compared.value is None else compared.value + cell.threshold
    if now.value is None:
        return _without_value(year, target, now)
    judged = Judgement(
        UNDECIDABLE,
        year,
        target=target,
        value=own.value,
        value_note=own.note or (compared.note and COMPARED + compared.note) or now.note,
        growth=own.value,
        growth_note=own.note,
        needed_note="each_period",
    )
    if own.value is None or target is None:
        return judged
    return replace(judged, state=REACHED if _meets(cell, own.value, target) else MISSED)
