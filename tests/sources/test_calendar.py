"""The calendar of returns: working days with moved ones, deadlines as data, moved deadlines with their history."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from sources.calendar import CALENDAR_FILE, Calendar, CalendarError, calendar, load_calendar, owing
from sources.reference import periods
from sources.working_days import WorkingDays

DAYS = WorkingDays()
MOVE = {
    "period": "2026H1",
    "due_on": "2026-08-05",
    "decided_on": "2026-07-20",
    "by": "市委科技办",
    "reason": "系统升级",
}


def written(tmp_path: Path, **changes: Any) -> Calendar:
    data = yaml.safe_load(CALENDAR_FILE.read_text(encoding="utf-8")) | changes
    path = tmp_path / "calendar.yaml"
    path.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    return load_calendar(path)


@pytest.mark.parametrize(
    ("day", "is_worked"),
    [
        ("2025-01-26", True),  # a Sunday that is worked for the spring festival
        ("2025-02-03", False),  # a Monday of the spring festival
        ("2026-02-14", True),
        ("2026-10-10", True),
        ("2026-10-01", False),
        ("2026-11-25", True),
        ("2026-11-28", False),
    ],
)
def test_moved_working_days_and_holidays_count_as_the_state_council_has_announced(day: str, is_worked: bool) -> None:
    assert WorkingDays().is_working(date.fromisoformat(day)) is is_worked


def test_the_order_in_which_years_are_asked_for_changes_nothing() -> None:
    fresh = WorkingDays()
    fresh.is_working(date(2026, 1, 5))
    assert fresh.is_working(date(2025, 1, 26))


def test_a_year_without_a_notice_is_provisional_and_its_holidays_by_law_are_still_no_working_days() -> None:
    assert DAYS.is_announced(date(2001, 1, 1), date(2026, 12, 31))
    assert not DAYS.is_announced(date(2026, 12, 31), date(2029, 1, 1))
    assert not DAYS.is_working(date(2029, 10, 1))
    known = WorkingDays({date(2029, 10, 6): True}, announced_years=(2029,))
    assert known.is_announced(date(2029, 1, 1))
    assert known.is_working(date(2029, 10, 6))


@given(st.dates(date(2002, 1, 1), date(2030, 1, 1)), st.integers(-30, 30))
def test_working_days_counted_and_shifted_agree(day: date, count: int) -> None:
    moved = DAYS.shifted(day, count)
    assert count == 0 or DAYS.is_working(moved)
    # A day counts at the end of a stretch, not at its beginning.
    expected = count if count >= 0 else count + 1 - DAYS.is_working(day)
    assert DAYS.between(day, moved) == expected
    assert DAYS.between(day, day + timedelta(days=40)) == sum(
        DAYS.is_working(day + timedelta(days=n)) for n in range(1, 41)
    )


def test_every_period_of_the_calendar_opens_after_its_end_and_is_due_on_a_working_day() -> None:
    for period in periods().values():
        due = calendar().deadline(period.key)
        assert period.ends_on < calendar().opens_on(period.key) < due.due_on
        assert DAYS.is_working(due.due_on)


def test_a_deadline_in_the_spring_festival_moves_to_the_first_day_after_it() -> None:
    assert calendar().deadline("2024H2").due_on == date(2025, 2, 5)
    assert calendar().deadline("2025H2").due_on == date(2026, 2, 2)


def test_a_deadline_moves_as_the_data_say(tmp_path: Path) -> None:
    rule = {"cadence": "half_year", "days_after_end": 31, "is_provisional": False}
    year = {"cadence": "year", "days_after_end": 120, "is_provisional": False, "if_not_working": "keep"}
    for how, due_on in {
        "keep": "2026-01-31",
        "previous_working_day": "2026-01-30",
        "next_working_day": "2026-02-02",
    }.items():
        found = written(tmp_path, due=[rule | {"if_not_working": how}, year]).deadline("2025H2")
        assert (found.due_on.isoformat(), found.is_provisional) == (due_on, False)


def test_a_deadline_in_a_year_without_a_notice_is_provisional_unless_the_year_was_entered(tmp_path: Path) -> None:
    rules = [
        {"cadence": c, "days_after_end": 31, "is_provisional": False, "if_not_working": "next_working_day"}
        for c in ("half_year", "year")
    ]
    assert written(tmp_path, due=rules).deadline("2026H2").is_provisional
    extra = [{"day": "2027-02-01", "is_working": False, "reason": "假设的通知"}]
    entered = written(tmp_path, due=rules, extra_days=extra, announced_years=[2027]).deadline("2026H2")
    assert (entered.due_on, entered.is_provisional) == (date(2027, 2, 2), False)


def test_the_most_specific_rule_holds_and_only_for_the_periods_it_is_valid_for(tmp_path: Path) -> None:
    rows = yaml.safe_load(CALENDAR_FILE.read_text(encoding="utf-8"))["due"]
    own = rows[0] | {"provider": "finance_bureau", "days_after_end": 20, "valid_from": "2026-06-01"}
    table = {k: v for k, v in own.items() if k != "provider"} | {
        "table_id": "finance_bureau__gov_payment", "days_after_end": 40,
    }  # fmt: skip
    rules = written(tmp_path, due=[table, own, *rows])
    assert rules.deadline("2026H1", "finance_bureau").due_on == date(2026, 7, 20)
    assert rules.deadline("2026H1", table_id="finance_bureau__gov_payment").due_on == date(2026, 8, 10)
    assert rules.deadline("2026H1", table_id="finance_bureau__gov_input").due_on == date(2026, 7, 20)
    assert rules.deadline("2026H1", "health_commission").due_on == date(2026, 7, 31)
    assert rules.deadline("2025H2", "finance_bureau").due_on == date(2026, 2, 2)


def test_a_moved_deadline_keeps_what_was_decided_before_and_why(tmp_path: Path) -> None:
    again = MOVE | {"due_on": "2026-08-12", "decided_on": "2026-08-03", "reason": "台风"}
    own = MOVE | {"provider": "finance_bureau", "due_on": "2026-08-20", "decided_on": "2026-07-25", "reason": "决算"}
    rules = written(tmp_path, moved=[MOVE, again, own])
    everybody = rules.deadline("2026H1", "health_commission")
    assert (everybody.due_on, everybody.by_rule_on, everybody.is_provisional) == (
        date(2026, 8, 12), date(2026, 7, 31), False,
    )  # fmt: skip
    assert [(m.due_on.day, m.reason) for m in everybody.history] == [(5, "系统升级"), (12, "台风")]
    assert rules.deadline("2026H1", "finance_bureau").due_on == date(2026, 8, 20)
    assert rules.deadline("2026H1", "health_commission", as_of=date(2026, 7, 22)).due_on == date(2026, 8, 5)
    assert rules.deadline("2026H1", "health_commission", as_of=date(2026, 7, 1)).due_on == date(2026, 7, 31)
    assert rules.deadline("2025H2").history == ()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"moved": [MOVE | {"reason": ""}]}, "moved.0.reason"),
        ({"moved": [MOVE | {"period": "2026H3"}]}, "2026H3"),
        ({"moved": [MOVE | {"provider": "tax_bureau"}]}, "tax_bureau"),
        ({"moved": [MOVE | {"table_id": "finance_bureau__none"}]}, "finance_bureau__none"),
        ({"due": []}, "没有对所有单位都适用的期限规则"),
        ({"first_owed": {"half_year": "2025H9"}}, "2025H9"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_a_wrong_calendar_says_which_field_and_why(tmp_path: Path, changes: dict, said: str) -> None:
    with pytest.raises(CalendarError, match=said):
        written(tmp_path, **changes)


@pytest.mark.parametrize(
    ("content", "said"),
    [("期限: []".encode("gb18030"), "另存为 UTF-8"), (b"due:\n  - {days: 1\nmoved: []\n", "第 3 行不是合格的 YAML")],
)
def test_a_calendar_that_cannot_be_read_says_what_to_do(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "calendar.yaml"
    path.write_bytes(content)
    with pytest.raises(CalendarError, match=said):
        load_calendar(path)


def test_reminders_and_escalations_fall_on_working_days_around_the_deadline() -> None:
    assert calendar().reminders(date(2025, 2, 5)) == [
        (10, date(2025, 1, 15)), (3, date(2025, 1, 24)), (1, date(2025, 1, 27)),
    ]  # fmt: skip
    assert calendar().escalations(date(2026, 2, 2)) == [
        (3, date(2026, 2, 5)), (5, date(2026, 2, 9)), (10, date(2026, 2, 14)),
    ]  # fmt: skip


def test_five_bureaus_owe_a_half_year_and_the_office_too_owes_a_year() -> None:
    assert len(owing("2026H1")) == 5
    assert [p.provider for p in owing("2025")][-1] == "sti_office"
    assert len(owing("2025")) == 6


def test_periods_are_asked_for_from_the_documents_first_on_and_the_next_one_is_announced() -> None:
    assert calendar().owed(date(2026, 7, 1)) == ["2025H2", "2025", "2026H1", "2026H2", "2026"]
    assert calendar().owed(date(2025, 12, 1)) == ["2025H2", "2025"]
    assert not calendar().is_owed("2025H1")
