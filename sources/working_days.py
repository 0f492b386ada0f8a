"""Working days (工作日) of mainland China: weekends, public holidays and moved working days (调休).

They come from the notices of the State Council's office (国务院办公厅) as the ``holidays`` library keeps them; an announcement that the library
does not have yet is data (``calendar.yaml``). For a year without a notice only weekends and the holidays fixed by law are known, so
whatever is counted there is provisional.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

ONE_DAY = timedelta(days=1)


@lru_cache(maxsize=64)
def _year(year: int) -> Any:
    from holidays import CN

    # The year by name: for a year not expanded yet `is_working_day` does not see the moved working days.
    return CN(years=year)


@dataclass(frozen=True)
class WorkingDays:
    """A calendar of working days: the library's, with the rows that were added as data.

    ``extra``: whether a day is worked, whatever the library says. ``announced_years``: years whose whole announcement stands in ``extra``.
    """

    extra: Mapping[date, bool] = field(default_factory=dict)
    announced_years: Collection[int] = ()

    def is_working(self, day: date) -> bool:
        """Return whether a day is worked."""
        return self.extra[day] if day in self.extra else _year(day.year).is_working_day(day)

    def is_announced(self, *days: date) -> bool:
        """Return whether every year from the first of these days to the last has its notice."""
        years = range(min(days).year, max(days).year + 1)
        return all(year in self.announced_years or year in _year(year).special_public_holidays for year in years)

    def settled(self, day: date, rule: str) -> date:
        """Return a day moved as ``rule`` says where it is not worked: ``keep``, ``next_working_day`` or ``previous_working_day``."""
        step = {"keep": None, "next_working_day": ONE_DAY, "previous_working_day": -ONE_DAY}[rule]
        while step and not self.is_working(day):
            day += step
        return day

    def shifted(self, day: date, working_days: int) -> date:
        """Return the working day that lies so many working days after ``day`` (before it, if negative); 0 is the day itself."""
        step = ONE_DAY if working_days > 0 else -ONE_DAY
        for _ in range(abs(working_days)):
            day += step
            while not self.is_working(day):
                day += step
        return day

    def between(self, start: date, end: date) -> int:
        """Return how many working days lie after ``start``, up to and with ``end``; negative where ``end`` is earlier."""
        if end < start:
            return -self.between(end, start)
        return sum(self.is_working(start + timedelta(days=n)) for n in range(1, (end - start).days + 1))
