"""The text's metamorphic properties, through the SQL: 200 random cities and their changed twins, as periods of one dbt build.

All cities of a period are one (`large`), yet do not meet: what must not change must not change in any of them.
Of two ``OPEN`` cities no unit's cap binds; of the others many do, and the limit of the declared tier.
"""

import random
from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pytest

from orchestration import dbt
from tests.elimination.changes import (
    hand_on,
    in_thousands,
    memo_pair,
    paid_and_booked,
    shanghai_contract,
    shuffled,
    split,
)
from tests.elimination.drawn import SEEDS, below_caps, half_year
from tests.elimination.large import as_one, quarter_of, small_cities
from tests.elimination.reading import eliminate
from tests.elimination.rows import relabel, write_home
from warehouse.paths import Home

BASE, SHUFFLED, SPLIT, THOUSANDS, PAID = "2024H1", "2024H2", "2025H1", "2025H2", "2026H1"
OPEN, SHANGHAI, HANDED_ON = "2026H2", "2027H1", "2027H2"
IN_G, BESIDE = "2026", "2027"
"""A pair of years: the rules of annual periods, which count all enterprises, hold alike."""
KEY = "reason, tier, provider, unit_code, area, first_recipient, counterparty_code, reference_no, estimated"
Figures = dict[str, Decimal]
Quarters = dict[int, Decimal]


class Twins(NamedTuple):
    """The file that dbt built, and per changed city what was added to each quarter (0 where nothing could be)."""

    candidate: Path
    added: dict[str, Quarters]

    def sql(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.candidate), read_only=True) as connection:
            return connection.execute(query, list(values)).fetchall()

    def ledger(self, period: str) -> dict[tuple[Any, ...], Decimal]:
        rows = self.sql(f"select {KEY}, amount_wan from fct_elimination where period = ?", period)
        return {tuple(row[:-1]): row[-1] for row in rows}

    def units(self, period: str, column: str = "net_wan") -> dict[str, Decimal]:
        query = f"select unit_key, {column} from fct_input where period = ? and contains(unit_key, ':')"
        return dict(self.sql(query, period))

    def quarters(self, period: str) -> Quarters:
        """Σ of what the units of each quarter are left with."""
        sums: Quarters = defaultdict(Decimal)
        for unit_key, net in self.units(period).items():
            sums[quarter_of(unit_key)] += net
        return sums

    def findings(self, period: str) -> list[tuple[Any, ...]]:
        return sorted(
            self.sql(
                "select * exclude (period, elimination_finding_id) from fct_elimination_finding where period = ?",
                period,
            )
        )

    def city(self, period: str) -> Figures:
        query = "select indicator_id, value_wan from fct_indicator_value where period = ? and area_key = '330400'"
        return dict(self.sql(query, period))


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> Twins:
    small = small_cities(SEEDS)
    base = as_one(small, period=BASE, rng=random.Random(1))
    open_cities = [below_caps(city) for city in small]
    results = [half_year(city) for city in open_cities]
    opened = as_one(open_cities, period=OPEN, rng=random.Random(1))
    cities = {
        BASE: base,
        SHUFFLED: shuffled(base),
        SPLIT: split(base),
        THOUSANDS: in_thousands(base),
        OPEN: opened,
    }
    added: dict[str, Quarters] = {}
    cities[PAID], added[PAID] = paid_and_booked(base, results)
    cities[SHANGHAI], added[SHANGHAI] = shanghai_contract(opened, results)
    cities[HANDED_ON], added[HANDED_ON] = hand_on(opened, results)
    of_year = [eliminate(city, period_kind="year", period=IN_G) for city in open_cities]
    cities[IN_G], cities[BESIDE], added[BESIDE] = memo_pair(opened, of_year)
    home = Home.at(tmp_path_factory.mktemp("twins"))
    write_home({period: relabel(city, period) for period, city in cities.items()}, home.root)
    nodes = dbt.build(home).results
    assert [(n.node.name, n.message) for n in nodes if str(n.status) not in ("success", "pass")] == []
    return Twins(home.candidate, added)


def test_many_caps_and_limits_bind_in_the_cities(twins: Twins) -> None:
    """The properties are worth what the cities contain."""
    cuts = dict(
        twins.sql("select finding_kind, count(*) from fct_elimination_finding where period = ? group by all", BASE)
    )
    assert min(cuts["UNIT_CAP"], cuts["OE_CAP"], cuts["OG_T3_LIMIT"]) >= 20
    assert "UNIT_CAP" not in dict(
        twins.sql("select finding_kind, count(*) from fct_elimination_finding where period = ? group by all", OPEN)
    )
    for quarters in twins.added.values():
        assert sum(1 for amount in quarters.values() if amount > 0) >= 100


@pytest.mark.parametrize("period", [SHUFFLED, SPLIT])
def test_permuting_rows_or_splitting_a_row_in_two_changes_nothing(twins: Twins, period: str) -> None:
    assert twins.ledger(period) == twins.ledger(BASE)
    assert twins.findings(period) == twins.findings(BASE)
    assert twins.units(period) == twins.units(BASE)
    assert twins.city(period) == twins.city(BASE)


def test_thousands_and_ten_thousands_of_yuan_give_the_same(twins: Twins) -> None:
    for figures in (twins.ledger, twins.units, twins.city):
        in_ten_thousands: dict[Any, Decimal] = figures(BASE)  # type: ignore[operator]
        assert figures(THOUSANDS) == {key: value * 10 for key, value in in_ten_thousands.items()}  # type: ignore[operator]


def test_a_new_matched_payment_with_a_new_project_raises_the_total_by_it_and_changes_no_unit(twins: Twins) -> None:
    """The unit booked it, so its gross grows; all of it is a duplicate, so what it is left with stays, cap or no cap."""
    added = sum(twins.added[PAID].values())
    before, after = twins.city(BASE), twins.city(PAID)
    assert after["sti_total"] - before["sti_total"] == after["gov_total"] - before["gov_total"] == added
    assert after["other_gross"] - before["other_gross"] == added
    assert twins.units(PAID) == twins.units(BASE)


def test_a_new_shanghai_contract_raises_the_total_by_it_at_its_unit(twins: Twins) -> None:
    before, after = twins.city(OPEN), twins.city(SHANGHAI)
    assert after["sti_total"] - before["sti_total"] == sum(twins.added[SHANGHAI].values())
    assert twins.ledger(SHANGHAI) == twins.ledger(OPEN)
    assert _more(twins.quarters, OPEN, SHANGHAI) == twins.added[SHANGHAI]


def test_a_new_hand_on_of_matched_money_does_not_change_the_total_of_any_city(twins: Twins) -> None:
    added = twins.added[HANDED_ON]
    before, after = twins.city(OPEN), twins.city(HANDED_ON)
    assert after["sti_total"] == before["sti_total"]
    assert after["other_gross"] - before["other_gross"] == sum(added.values())
    assert _more(twins.quarters, OPEN, HANDED_ON) == {}


def test_moving_a_matched_payment_into_the_memo_items_does_not_change_the_total(twins: Twins) -> None:
    """G falls by it and O keeps it; part of it may have been handed on."""
    in_g, beside = twins.city(IN_G), twins.city(BESIDE)
    added = sum(twins.added[BESIDE].values())
    assert in_g["gov_total"] - beside["gov_total"] == beside["other_net"] - in_g["other_net"] == added
    assert in_g["sti_total"] == beside["sti_total"]
    assert _more(twins.quarters, IN_G, BESIDE) == twins.added[BESIDE]


def _more(quarters: Callable[[str], Quarters], before: str, after: str) -> Quarters:
    """Return by how much the quarters grew that changed."""
    ours, theirs = quarters(before), quarters(after)
    assert ours.keys() == theirs.keys()
    return {quarter: theirs[quarter] - ours[quarter] for quarter in ours if theirs[quarter] != ours[quarter]}
