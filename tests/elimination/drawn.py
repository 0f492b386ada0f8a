"""Random cities and their results, drawn once for all tests, and ways to change a city."""

import random
from decimal import Decimal
from functools import lru_cache
from typing import Any

from hypothesis import strategies as st

from tests.elimination.cities import PERIOD, random_city
from tests.elimination.reading import eliminate
from tests.elimination.result import Result
from tests.elimination.rows import Tables, relabel, row
from tests.elimination.units import BUREAUS

SEEDS = range(200)


def half_year(tables: Tables) -> Result:
    return eliminate(tables, period_kind="half_year", period=PERIOD)


@lru_cache(maxsize=len(SEEDS))
def drawn(seed: int) -> tuple[Tables, Result]:
    """One random city and its result; not to be changed."""
    city = random_city(random.Random(seed))
    return city, half_year(city)


def cities() -> st.SearchStrategy[Tables]:
    """Return `random_city` as a hypothesis strategy, which shrinks."""
    return st.randoms(use_true_random=False).map(random_city)


def lines(result: Result, scale: int = 1) -> dict[tuple[str, ...], tuple[Decimal, bool]]:
    """The ledger without evidence."""
    return {removal.key: (removal.amount_wan * scale, removal.estimated) for removal in result.ledger}


def plus(city: Tables, **more: dict[str, Any] | list[dict[str, Any]]) -> Tables:
    """The city with more rows, as ``table_id={column: value}``, one row or several."""
    copied = {table_id: [dict(one) for one in rows] for table_id, rows in city.items()}
    for table_id, rows in more.items():
        for values in rows if isinstance(rows, list) else [rows]:
            copied.setdefault(table_id, []).append(row(table_id, **values))
    return relabel(copied, PERIOD)


def with_activity(city: Tables, code: str, bureau: str, more: Decimal) -> Tables:
    """The city with a unit's 科技活动费用合计 raised."""
    changed = plus(city)
    for one in changed[f"{bureau}__unit"]:
        if one["unit_code"] == code:
            one["sti_activity_wan"] += more
    return changed


def below_caps(city: Tables) -> Tables:
    """The city with every 科技活动费用合计 so high that no unit's cap binds."""
    changed = plus(city)
    for bureau in BUREAUS:
        for one in changed.get(f"{bureau}__unit", []):
            one["sti_activity_wan"] = Decimal(100000)
    return changed


def with_government(city: Tables, more: Decimal) -> Tables:
    """The city with 政府科技创新投入合计 of its first area raised."""
    changed = plus(city)
    changed["finance_bureau__gov_input"][0]["gov_total_wan"] += more
    return changed
