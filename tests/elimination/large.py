"""Many random small cities as one, for readers that are slow to start, like dbt: their codes and numbers do not meet.

They share the areas, hence the room of the bureau tier, and the city-wide limit of the declared tier of step 3.
"""

import random
from collections.abc import Iterable
from decimal import Decimal

from sources.reference import area_names
from tests.elimination.cities import AREAS, CITY, PERIOD, SERIAL_COLUMN, City, paid_in
from tests.elimination.matching import Row
from tests.elimination.rows import Tables, relabel, row


def large_city(rng: random.Random, quarters: int, *, period: str = PERIOD, is_aggregate_only: bool = False) -> Tables:
    """Return random small cities, drawn one after the other, as one."""
    small = [City(rng, quarter, is_aggregate_only=is_aggregate_only).tables for quarter in range(quarters)]
    return as_one(small, period=period, rng=rng)


def small_cities(seeds: Iterable[int]) -> list[Tables]:
    """Return small cities to be put together `as_one`: a seed is also the quarter; all with unit records of enterprises."""
    return [relabel(City(random.Random(seed), seed, is_aggregate_only=False).tables, PERIOD) for seed in seeds]


def quarter_of(code: str) -> int:
    """Return which quarter a drawn code belongs to."""
    return int(code[-5:-1])


def as_one(small: list[Tables], *, period: str, rng: random.Random) -> Tables:
    """Put small cities of different quarters together as one complete city; G may be hardly more than what was paid."""
    tables: Tables = {}
    for city in small:
        for table_id, rows in city.items():
            tables.setdefault(table_id, []).extend(dict(one) for one in rows)
    # 市财政局 sends a row per area; nothing was spent in those where nobody is.
    elsewhere = [key for key in area_names() if key not in (*AREAS, CITY)]
    tables["finance_bureau__gov_input"] += [row("finance_bureau__gov_input", area_key=key) for key in elsewhere]
    for table_id in ("finance_bureau__gov_input", "statistics_bureau__enterprise_rd_area"):
        tables[table_id] = _one_row_per_key(tables.get(table_id, []))
    if rng.random() < 0.6:
        # Little more than was paid, so that the limit of the declared tier is met somewhere on the way.
        for one in tables["finance_bureau__gov_input"][: len(AREAS)]:
            paid = paid_in(tables, one["area_key"])
            one["gov_total_wan"] = one["general_budget_wan"] = max(Decimal(0), paid + rng.randint(0, 5 * len(small)))
    for rows in tables.values():
        for number, one in enumerate(rows, start=1):
            one |= {name: str(number) for name in SERIAL_COLUMN.values() if name in one}
    return relabel(tables, period)


def _one_row_per_key(rows: list[Row]) -> list[Row]:
    """Add up the rows of one area (and 规上类别); a blank stays blank only where all are."""
    summed: dict[tuple[str, str | None], Row] = {}
    for one in rows:
        key = (one["area_key"], one.get("frame_category"))
        before = summed.setdefault(key, one)
        if before is not one:
            for name, value in one.items():
                if isinstance(value, Decimal):
                    before[name] = (before[name] or 0) + value
                    before[name + "_status"] = "reported"
    return list(summed.values())
