"""When a return is due: days after the end of its period, by cadence, as data (``calendar.yaml``)."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict

from sources.reference import periods

CALENDAR_FILE = Path(__file__).parent / "calendar.yaml"


class DueRule(BaseModel):
    """How long after the end of a period its return may arrive."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    due_days_after_end: int
    is_provisional: bool


@dataclass(frozen=True)
class Deadline:
    """The last day on which a return is in time, and whether that day is only provisional (暂定)."""

    due_on: date
    is_provisional: bool


@lru_cache(maxsize=1)
def _rules() -> dict[str, DueRule]:
    data = yaml.safe_load(CALENDAR_FILE.read_text(encoding="utf-8"))
    return {cadence: DueRule.model_validate(rule) for cadence, rule in data.items()}


def deadline(period: str) -> Deadline:
    """Return when the returns of a period such as ``2026H1`` or ``2026`` are due.

    Raises:
        KeyError: the period is not in the calendar.
    """
    known = periods()[period]
    rule = _rules()[known.kind]
    return Deadline(known.ends_on + timedelta(days=rule.due_days_after_end), rule.is_provisional)
