"""The rules of the plan as pure functions: the edges that no city of workbooks happens to have."""

import math
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from scipy import stats

from warehouse.targets.projection import Method, project
from warehouse.targets.rules import Cell, Figures, TargetError, judge, needed_growth

METHOD = Method(Fraction(80), 2, 4)
CELL = Cell(
    period="2025",
    series="year",
    year=2025,
    target_id="t",
    rule="level",
    is_above=False,
    area_key="330400",
    measure="m",
    denominator=None,
    compare_measure=None,
    compare_area_key="330400",
    threshold=Fraction(100),
    target_year=2027,
    data_year_offset=0,
    is_received=True,
    is_planned=True,
    reported_target=None,
)


def figure(year: int, value: Any, measure: str = "m", **more: Any) -> dict[str, Any]:
    row = {"period": str(year), "series": "year", "area_key": "330400", "measure": measure, "data_year": year}
    return row | {"amount": value, "value_note": None, "basis": "b"} | more


def judged(*rows: dict[str, Any], **changes: Any) -> Any:
    return judge(replace(CELL, **changes), Figures(rows), METHOD)


@pytest.mark.parametrize(
    ("before", "now", "state"),
    [
        (50, 99, "on_track"),
        (81, 90, "on_track"),
        (90, 91, "behind"),
        (95, 90, "behind"),
        (99, 100, "reached"),
        (200, 150, "reached"),
        (0, 90, "undecidable"),
        (None, 90, "undecidable"),
        (90, 0, "undecidable"),
    ],
)
def test_before_its_year_a_level_is_judged_by_whether_the_last_pace_gets_there(
    before: Any, now: Any, state: str
) -> None:
    assert judged(figure(2024, before), figure(2025, now)).state == state


def test_the_pace_that_leads_exactly_to_the_target_is_enough() -> None:
    # 64 to 80 is a quarter a year; two years more give 125, to the unit.
    rows = (figure(2024, 64), figure(2025, 80))
    assert judged(*rows, threshold=Fraction(125)).state == "on_track"
    assert judged(*rows, threshold=Fraction("125.000001")).state == "behind"
    assert round(needed_growth(Fraction(80), Fraction(125), 2), 20) == 25


def test_in_its_year_a_level_is_reached_or_missed_and_nothing_is_needed_any_more() -> None:
    missed = judged(figure(2024, 90), figure(2025, 99), target_year=2025)
    assert (missed.state, missed.gap, missed.needed, missed.needed_note) == ("missed", 1, None, "past")
    assert missed.projection.value is None
    assert judged(figure(2025, 100), target_year=2025).state == "reached"


def test_above_means_above() -> None:
    rows = (figure(2024, 100), figure(2025, 110), figure(2024, 50, "c"), figure(2025, 55, "c"))
    equal = {"rule": "growth_above", "compare_measure": "c", "threshold": Fraction(0), "target_year": None}
    assert judged(*rows, **equal, is_above=True).state == "missed"
    assert judged(*rows, **equal, is_above=False).state == "reached"
    assert judged(*rows, **(equal | {"threshold": Fraction(-1)}), is_above=True).state == "reached"


def test_another_basis_is_no_base() -> None:
    rows = (figure(2024, 100, basis="a"), figure(2025, 90))
    level = judged(*rows)
    assert (level.state, level.growth_note) == ("undecidable", "basis_changed")
    fall = judged(*rows, rule="never_falls", target_year=None, threshold=None)
    assert (fall.state, fall.growth_note, fall.target) == ("undecidable", "basis_changed", None)
    # Only the years on the present basis are carried on.
    assert level.projection.note == "too_few_years_for_value"


def test_equal_to_last_year_is_no_fall_and_from_zero_nothing_falls() -> None:
    rule = {"rule": "never_falls", "target_year": None, "threshold": None}
    assert judged(figure(2024, 7), figure(2025, 7), **rule).state == "reached"
    risen = judged(figure(2024, 0), figure(2025, 7), **rule)
    assert (risen.state, risen.growth, risen.growth_note) == ("reached", None, "base_not_positive")


def test_a_gap_in_the_years_ends_the_history() -> None:
    rows = [figure(year, value) for year, value in ((2020, 10), (2021, 20), (2022, 30), (2024, 40), (2025, 44))]
    found = judged(*rows).projection
    assert round(float(found.value), 6) == 53.24
    assert (found.low, found.note) == (None, "too_few_years_for_interval")


def test_the_interval_is_that_of_one_new_observation() -> None:
    history = [(2020 + n, Fraction(v)) for n, v in enumerate((100, 112, 118, 131, 150))]
    found = project(history, 2027, METHOD)
    # Beside scipy's own regression and the textbook formula.
    xs, ys = [x for x, _ in history], [math.log(y) for _, y in history]
    line = stats.linregress(xs, ys)
    middle = line.intercept + line.slope * 2027
    spread = sum((x - 2022) ** 2 for x in xs)
    rest = math.sqrt(sum((y - line.intercept - line.slope * x) ** 2 for x, y in zip(xs, ys, strict=True)) / 3)
    half = stats.t.ppf(0.9, 3) * rest * math.sqrt(1 + 1 / 5 + (2027 - 2022) ** 2 / spread)
    assert found.value is not None and found.low is not None and found.high is not None
    assert float(found.value) == pytest.approx(math.exp(middle), rel=1e-9)
    assert float(found.low) == pytest.approx(math.exp(middle - half), rel=1e-9)
    assert float(found.high) == pytest.approx(math.exp(middle + half), rel=1e-9)


def test_a_parameter_cannot_make_an_interval_of_two_years() -> None:
    bold = Method(Fraction(80), 1, 1)
    found = project([(2024, Fraction(100)), (2025, Fraction(110))], 2027, bold)
    assert (found.low, found.high, found.note) == (None, None, "too_few_years_for_interval")
    assert project([(2025, Fraction(110))], 2027, bold).value is None


@pytest.mark.parametrize(
    ("values", "note"), [((1, 10**6), "not_credible"), ((5, 0), "value_not_positive"), ((-3, 5), "value_not_positive")]
)
def test_what_cannot_be_carried_on_is_not(values: tuple[int, int], note: str) -> None:
    history = [(2024 + n, Fraction(v)) for n, v in enumerate(values)]
    found = project(history, 2030, METHOD)
    assert (found.value, found.note) == (None, note)


def test_what_is_not_received_is_not_what_is_not_filled_in() -> None:
    assert (judged(is_received=False).state, judged().state) == ("not_received", "no_data")
    blank = judged(figure(2025, None, value_note="not_reported"))
    assert (blank.state, blank.gap, blank.growth_note) == ("no_data", None, "value_missing")


def test_a_rule_that_does_not_exist_is_named_with_its_seed() -> None:
    with pytest.raises(TargetError, match=r"seeds/target\.csv t：没有 grows 这种规则"):
        judged(rule="grows")
