"""The SQL against the reading in Python: random cities in every half-year, one dbt build, compared row by row.

The cities of a period do not meet (their codes and numbers differ) but share the areas and the city-wide limit of step 3.
"""

import json
import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pytest

from orchestration import dbt
from sources.reference import half_years
from tests.elimination.large import large_city
from tests.elimination.reading import eliminate
from tests.elimination.result import Result
from tests.elimination.rows import write_home
from warehouse.paths import Home

SEED, CITIES_PER_PERIOD = 1, 36
"""288 cities, in which every change of the rules that was tried shows."""
AGGREGATE_ONLY = ("2025H1", "2026H2")
"""Half-years for which 市统计局 sends sums by area instead of unit records."""
KEY = (
    "period, reason, tier, provider, unit_code, area, first_recipient, counterparty_code, reference_no, "
    "amount_wan, estimated, evidence"
)
SUBJECTS = {
    "OWN_PARENT": "unit_code",
    "OG_T3_LIMIT": "unit_code",
    "OE_NO_CAP": "counterparty_code",
    "OE_CAP": "counterparty_code, tier, unit_code, reference_no",
    "LAY_FAILED": "reason, tier, unit_code, counterparty_code, reference_no",
    "UNIT_CAP": "unit_code, reason, tier, counterparty_code, reference_no, first_recipient",
    "BUREAU_CAP": "provider, area",
}
"""The kinds of findings that both sides have, and which columns of the SQL's are the subject of the Python's."""


class BothSides(NamedTuple):
    """What Python read, per period, and the file that dbt built from the same rows."""

    results: dict[str, Result]
    candidate: Path

    def sql(self, query: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.candidate), read_only=True) as connection:
            return connection.execute(query).fetchall()

    def python(self) -> Iterable[tuple[str, Result]]:
        return self.results.items()


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> BothSides:
    home = Home.at(tmp_path_factory.mktemp("cities"))
    rng = random.Random(SEED)
    cities = {
        period: large_city(rng, CITIES_PER_PERIOD, period=period, is_aggregate_only=period in AGGREGATE_ONLY)
        for period in half_years()
    }
    write_home(cities, home.root)
    nodes = dbt.build(home).results
    assert [(n.node.name, n.message) for n in nodes if str(n.status) not in ("success", "pass")] == []
    results = {period: eliminate(city, period_kind="half_year", period=period) for period, city in cities.items()}
    return BothSides(results, home.candidate)


def assert_same(sql: Iterable[tuple[Any, ...]], python: Iterable[tuple[Any, ...]]) -> None:
    """Compare rows without their order, and say the first few that only one side has."""
    ours, theirs = sorted(sql, key=repr), sorted(python, key=repr)
    only_sql, only_python = ([r for r in a if r not in set(b)][:5] for a, b in ((ours, theirs), (theirs, ours)))
    assert (only_sql, only_python) == ([], [])
    assert len(ours) == len(theirs) > 0


def test_the_ledger_is_the_same_row_by_row_with_its_evidence(both: BothSides) -> None:
    rows = both.sql(f"select {KEY} from fct_elimination")
    cited = [json.loads(evidence) for *_, evidence in rows]
    assert all(len(ids) == len(set(ids)) for ids in cited)
    assert_same(
        ((*row[:-1], frozenset(ids)) for row, ids in zip(rows, cited, strict=True)),
        ((*r.key, r.amount_wan, r.estimated, r.evidence) for _, result in both.python() for r in result.ledger),
    )


def test_the_cities_meet_every_rule(both: BothSides) -> None:
    """The comparison is worth what the cities contain: every reason and tier, money laid on others, every kind of cut."""
    ledger = [r for _, result in both.python() for r in result.ledger]
    assert {(r.reason, r.tier) for r in ledger} == {
        *(("UNIT_DUP", tier) for tier in "abc"),
        *(("OO", tier) for tier in ("T1", "T2")),
        *((reason, tier) for reason in ("OG", "OE") for tier in ("T1", "T2", "T3")),
        ("OE", "bureau"),
    }
    handed_on = {(r.reason, r.tier, bool(r.counterparty_code)) for r in ledger if r.first_recipient}
    assert handed_on == {
        *(("OG", tier, False) for tier in ("T1", "T2", "T3")),
        *(("OE", tier, True) for tier in ("T1", "T2", "T3")),
        ("OE", "T1", False),
    }
    kinds = {remark.kind for _, result in both.python() for remark in result.findings}
    assert kinds == {"OG_T3_LIMIT", "OE_NO_CAP", "OE_CAP", "UNIT_CAP", "BUREAU_CAP"}


def test_what_was_cut_is_said_alike(both: BothSides) -> None:
    found: list[tuple[Any, ...]] = []
    for kind, subject in SUBJECTS.items():
        found += both.sql(
            f"select distinct period, finding_kind, [{subject}], case when finding_kind = 'OWN_PARENT' then 0 "
            f"else coalesce(amount_wan, 0) end from fct_elimination_finding where finding_kind = '{kind}'"
        )
    assert_same(
        ((period, kind, tuple(subject), amount) for period, kind, subject, amount in found),
        ((p, f.kind, f.subject, f.not_removed_wan) for p, result in both.python() for f in result.findings),
    )


def test_every_unit_keeps_the_same(both: BothSides) -> None:
    units = "select period, provider, unit_key, gross_wan, net_wan from fct_input where contains(unit_key, ':')"
    assert_same(
        both.sql(units),
        (
            (period, provider, f"{provider}:{code}", gross, result.net[provider, code])
            for period, result in both.python()
            for (provider, code), gross in result.gross.items()
        ),
    )


def test_sectors_areas_and_the_city_come_to_the_same(both: BothSides) -> None:
    assert_same(
        both.sql(
            "select period, provider, area_key, sum(gross_wan), sum(net_wan) from fct_input "
            "where subject in ('university', 'institute', 'hospital') group by all having sum(gross_wan) <> 0"
        ),
        (
            (period, provider, area, figures["O_gross"], figures["O_net"])
            for period, result in both.python()
            for (provider, area), figures in result.by_sector.items()
            if figures["O_gross"]
        ),
    )
    names = {
        "gov_total": "G",
        "enterprise_rd": "E",
        "other_gross": "O_gross",
        "other_net": "O_net",
        "sti_total": "total",
    }
    assert_same(
        both.sql(
            f"select period, area_key, indicator_id, value_wan from fct_indicator_value where indicator_id in {tuple(names)}"
        ),
        (
            (period, area, indicator, figures[name])
            for period, result in both.python()
            for area, figures in [
                *result.by_area.items(),
                ("330400", {name: result.city(name) for name in names.values()}),
            ]
            for indicator, name in names.items()
        ),
    )


def test_both_sides_of_every_pair_are_reconciled_alike(both: BothSides) -> None:
    assert_same(
        both.sql(
            "select period, funder_code, performer_code, funder_side_wan, performer_side_wan, difference_wan, band "
            "from fct_reconciliation"
        ),
        (
            (p, r.funder_code, r.performer_code, r.funder_side_wan, r.performer_side_wan, r.difference_wan, r.band)
            for p, result in both.python()
            for r in result.reconciliation
        ),
    )


def test_what_stands_beside_the_total_is_the_same(both: BothSides) -> None:
    assert_same(
        both.sql("select period, memo_id, value_wan from mart_overlap_memo where area_key = '330400'"),
        (row for p, result in both.python() for row in ((p, "EG", result.eg_wan), (p, "EE", result.ee_wan))),
    )
