"""The calendar of returns, as data (``calendar.yaml``): when a period opens, when its returns are due, when to remind.

A deadline comes from a rule (days after the end of the period) or from a row that sets it for one period; the most specific wins: table,
provider, everybody. A moved deadline is one more row with its reason; the earlier ones stay as its history.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from sources.contracts import Cadence, Provider, providers, tables
from sources.reference import Period, periods
from sources.settings import read_yaml, reasons
from sources.working_days import WorkingDays

CALENDAR_FILE = Path(__file__).parent / "calendar.yaml"
IfNotWorking = Literal["keep", "next_working_day", "previous_working_day"]


class CalendarError(ValueError):
    """The calendar file is wrong; the message names the file, the field and the reason."""


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class OpeningRule(_Row):
    """How long after the end of a period its returns may come."""

    cadence: Cadence
    days_after_end: int = Field(ge=0)
    if_not_working: IfNotWorking


class _ForSome(_Row):
    """A row for everybody, for one provider, or for one table."""

    provider: str = ""
    table_id: str = ""

    @model_validator(mode="after")
    def _known(self) -> "_ForSome":
        if self.provider and self.provider not in providers():
            raise ValueError(f"没有填报单位 {self.provider}；可写 {'、'.join(providers())}")
        if self.table_id and (self.table_id not in tables() or self.provider):
            raise ValueError(f"table_id {self.table_id}：没有这张表，或同时写了 provider（表号里已有单位）")
        return self

    def covers(self, provider: str, table_id: str) -> bool:
        """Whether the row speaks of a provider's return, or of one of its tables."""
        return self.table_id in ("", table_id) and self.provider in ("", provider)

    @property
    def rank(self) -> int:
        """How specific the row is: 0 everybody, 1 a provider, 2 a table."""
        return 2 if self.table_id else 1 if self.provider else 0


class DueRule(_ForSome):
    """How many days after the end of a period its return may arrive; for the periods that end between two dates."""

    cadence: Cadence
    days_after_end: int = Field(ge=0)
    if_not_working: IfNotWorking
    is_provisional: bool
    valid_from: date = date.min
    valid_to: date = date.max


class Move(_ForSome):
    """A deadline set for one period by a named decision, with its reason."""

    period: str
    due_on: date
    decided_on: date
    by: str = Field(min_length=1)
    reason: str = Field(min_length=1)
    if_not_working: IfNotWorking = "keep"
    is_provisional: bool = False

    @model_validator(mode="after")
    def _of_a_period(self) -> "Move":
        if self.period not in periods():
            raise ValueError(f"没有报告期 {self.period}（dbt_project/seeds/period.csv）")
        return self


class ExtraDay(_Row):
    """A day that was announced and that the library does not have yet."""

    day: date
    is_working: bool
    reason: str = Field(min_length=1)


@dataclass(frozen=True)
class Deadline:
    """The last day on which a return is in time, and whether that day is only provisional (暂定).

    ``history``: the decisions that set it for this period, oldest first; empty where the rule alone says it. ``by_rule_on`` is what the
    rule says.
    """

    due_on: date
    is_provisional: bool
    by_rule_on: date
    history: tuple[Move, ...] = ()


class Calendar(_Row):
    """The whole calendar, as the file has it."""

    first_owed: dict[Cadence, str]
    opening: tuple[OpeningRule, ...]
    due: tuple[DueRule, ...]
    moved: tuple[Move, ...] = ()
    reminder_working_days_before: tuple[int, ...]
    escalation_working_days_after: tuple[int, ...]
    publication_working_days_after: int
    extra_days: tuple[ExtraDay, ...] = ()
    announced_years: tuple[int, ...] = ()

    @model_validator(mode="after")
    def _whole(self) -> "Calendar":
        unknown = sorted(set(self.first_owed.values()) - set(periods()))
        if unknown:
            raise ValueError(f"first_owed：没有报告期 {'、'.join(unknown)}")
        for period in periods().values():
            kind = cadence_of(period.key)
            if not any(rule.cadence == kind and rule.rank == 0 and _in_force(rule, period) for rule in self.due):
                raise ValueError(f"due：{period.key} 没有对所有单位都适用的期限规则")
            if not any(rule.cadence == kind for rule in self.opening):
                raise ValueError(f"opening：没有 {kind} 的开报规则")
        return self

    @property
    def working_days(self) -> WorkingDays:
        """The working days, with the file's own rows."""
        return WorkingDays({row.day: row.is_working for row in self.extra_days}, self.announced_years)

    def deadline(self, period: str, provider: str = "", table_id: str = "", as_of: date = date.max) -> Deadline:
        """Return when a provider's return for a period is due, or one of its tables; without a provider, what holds for everybody.

        ``as_of``: as it was known on a day, without later decisions.

        Raises:
            KeyError: the period is not in the calendar.
        """
        known, days = periods()[period], self.working_days
        owner = provider or table_id.split("__")[0]
        rule = max(
            (r for r in self.due if r.cadence == known.kind and _in_force(r, known) and r.covers(owner, table_id)),
            key=lambda r: r.rank,
        )
        nominal = known.ends_on + timedelta(days=rule.days_after_end)
        by_rule = days.settled(nominal, rule.if_not_working)
        moves = [m for m in self.moved if m.period == period and m.covers(owner, table_id) and m.decided_on <= as_of]
        if not moves:
            is_announced = rule.if_not_working == "keep" or days.is_announced(nominal, by_rule)
            return Deadline(by_rule, rule.is_provisional or not is_announced, by_rule)
        ordered = sorted(moves, key=lambda m: (m.rank, m.decided_on))
        last = ordered[-1]
        due_on = days.settled(last.due_on, last.if_not_working)
        is_announced = last.if_not_working == "keep" or days.is_announced(last.due_on, due_on)
        history = tuple(sorted(moves, key=lambda m: m.decided_on))
        return Deadline(due_on, last.is_provisional or not is_announced, by_rule, history)

    def opens_on(self, period: str) -> date:
        """Return the first day on which the returns of a period are asked for.

        Raises:
            KeyError: the period is not in the calendar.
        """
        known = periods()[period]
        rule = next(rule for rule in self.opening if rule.cadence == known.kind)
        return self.working_days.settled(known.ends_on + timedelta(days=rule.days_after_end), rule.if_not_working)

    def reminders(self, due_on: date) -> list[tuple[int, date]]:
        """Return the reminders of a deadline, first one first: how many working days before, and on which day."""
        days = self.working_days
        return [(n, days.shifted(due_on, -n)) for n in sorted(self.reminder_working_days_before, reverse=True)]

    def escalations(self, due_on: date) -> list[tuple[int, date]]:
        """Return when an overdue return is asked for again, first one first: how many working days after, and on which day."""
        return [(n, self.working_days.shifted(due_on, n)) for n in sorted(self.escalation_working_days_after)]

    def is_owed(self, period: str) -> bool:
        """Return whether a period is asked for at all; an earlier one is history, which nobody is late with."""
        known = periods()[period]
        return known.ends_on >= periods()[self.first_owed[cadence_of(period)]].ends_on

    def owed(self, today: date) -> list[str]:
        """Return the periods that are asked for by a day, in the calendar's order, and of each cadence the next one to open."""
        result: list[str] = []
        for cadence in self.first_owed:
            due = [key for key in periods() if cadence_of(key) == cadence and self.is_owed(key)]
            opened = [key for key in due if self.opens_on(key) <= today]
            result += due[: len(opened) + 1]
        return in_calendar_order(result)


def cadence_of(period: str) -> Cadence:
    """Return whether a period's returns are half-year or annual ones.

    Raises:
        KeyError: the period is not in the calendar.
    """
    return "half_year" if periods()[period].kind == "half_year" else "year"


def in_calendar_order(keys: Sequence[str]) -> list[str]:
    """Return periods in the calendar's order, each once."""
    return [key for key in periods() if key in set(keys)]


def owing(period: str) -> list[Provider]:
    """Return the providers that owe a return for a period, in the order of annex 1; five for a half-year, 市委科技办 too for a year."""
    return [provider for provider in providers().values() if provider.tables_of(cadence_of(period))]


def load_calendar(path: Path) -> Calendar:
    """Read and check a calendar file.

    Raises:
        CalendarError: naming the file, the field and the reason.
    """
    data = read_yaml(path, CalendarError)
    try:
        return Calendar.model_validate(data)
    except ValidationError as error:
        raise CalendarError(f"{path.name}：{reasons(error)}") from error


@lru_cache(maxsize=1)
def calendar() -> Calendar:
    """Return the calendar that the system works by (``calendar.yaml``).

    Raises:
        CalendarError: the file is wrong.
    """
    return load_calendar(CALENDAR_FILE)


def deadline(period: str, provider: str = "") -> Deadline:
    """Return when a provider's return for a period such as ``2026H1`` or ``2026`` is due; see `Calendar.deadline`.

    Raises:
        KeyError: the period is not in the calendar.
    """
    return calendar().deadline(period, provider)


def _in_force(rule: DueRule, period: Period) -> bool:
    return rule.valid_from <= period.ends_on <= rule.valid_to
