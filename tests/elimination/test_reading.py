"""The oracle itself: the text's worked examples, the samples' expected ledgers, the odd corners.

The comparison with the SQL is elsewhere; here no figure comes from SQL.
"""

import json
import random
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from sources.workbook import read_workbook
from tests.elimination.cities import PERIOD, random_city
from tests.elimination.drawn import SEEDS, half_year, lines
from tests.elimination.examples import (
    FIRM_F,
    HOSPITAL_B,
    UNIVERSITY_A,
    Example,
    examples,
    firm,
    from_unit,
    government,
    handed,
    payment,
    received,
    together,
    unit,
)
from tests.elimination.large import large_city
from tests.elimination.laying import Books, Laid, lay
from tests.elimination.matching import Match, Pile
from tests.elimination.reading import PeriodKind, eliminate
from tests.elimination.returns import sloppily_typed
from tests.elimination.rows import Tables, relabel, row, write_home

SAMPLES = Path(__file__).parent.parent / "samples"


# ---- worked examples, samples


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.name)
def test_a_worked_example_gives_the_numbers_that_the_text_states(example: Example) -> None:
    result = half_year(example.tables)
    ledger = {
        (r.reason, r.tier, r.unit_code, r.amount_wan, r.first_recipient, r.counterparty_code, r.reference_no)
        for r in result.ledger
    }
    assert ledger == example.ledger
    assert (result.city("total"), result.city("O_gross"), result.city("O_net")) == (
        example.total,
        example.o_gross,
        example.o_net,
    )
    assert result.findings_by_kind() == example.findings


@pytest.mark.parametrize(("period", "kind"), [("2026H1", "half_year"), ("2025", "year")])
def test_the_samples_give_the_expected_ledger(period: str, kind: PeriodKind) -> None:
    tables: Tables = {}
    for path in sorted((SAMPLES / period).glob("*.xlsx")):
        for table_id, reading in read_workbook(path).tables.items():
            tables[table_id] = reading.rows.to_pylist() if reading.rows is not None else []
    expected = json.loads((SAMPLES / "expected" / f"{period}.json").read_text(encoding="utf-8"))
    result = eliminate(tables, period_kind=kind, period=period)
    columns = (
        "reason",
        "tier",
        "provider",
        "unit_code",
        "area",
        "first_recipient",
        "counterparty_code",
        "reference_no",
    )
    assert sorted((r.key[1:], str(r.amount_wan), r.estimated) for r in result.ledger) == sorted(
        (tuple(line[c] for c in columns), line["amount"], line["estimated"]) for line in expected["ledger"]
    )
    assert result.findings_by_kind() == expected["findings_by_kind"]
    assert result.eg_wan == Decimal(expected["memo"]["EG_from_government_wan"])
    assert result.ee_wan == Decimal(expected["memo"]["EE_enterprise_to_enterprise_wan"])
    totals = {area: str(figures["total"]) for area, figures in result.by_area.items()}
    assert totals | {"CITY": str(result.city("total"))} == expected["sti_total_wan"]


# ---- odd corners that random cities cannot or may not have


def test_codes_and_numbers_compare_without_white_space_width_and_case() -> None:
    example = examples()[0]
    typed = sloppily_typed(example.tables)
    assert lines(half_year(typed)) == lines(half_year(example.tables))


def test_units_that_are_their_own_parents_stay() -> None:
    rings = 0
    for seed in SEEDS:
        result = half_year(random_city(random.Random(seed), has_rings=True))
        for remark in result.findings:
            if remark.kind == "OWN_PARENT":
                of_code = [r for r in result.ledger if r.unit_code == remark.subject[0] and r.reason == "UNIT_DUP"]
                assert "a" not in {removal.tier for removal in of_code}, seed
                rings += 1
    assert rings >= 20


def test_unit_records_go_before_the_bureaus_sums_by_area() -> None:
    example = examples()[0]
    sums = row("statistics_bureau__enterprise_rd_area", frame_category="工业", overlap_university_wan=9)
    tables = example.tables | relabel({"statistics_bureau__enterprise_rd_area": [sums]}, PERIOD)
    assert lines(half_year(tables)) == lines(half_year(example.tables))


def test_two_firms_may_number_their_contracts_alike() -> None:
    """The second firm booked its contract without the number: T1 did not match its key, and its money is laid all the same."""
    second = "91330400MYFIRMG00G"
    tables = together(
        firm(100, 30, (UNIVERSITY_A, "C1", 30)),
        unit(
            UNIVERSITY_A,
            40,
            received("企业合同", 30, payer_code=FIRM_F, contract_no="C1"),
            received("企业合同", 10, payer_code=second, contract_no="C1"),
        ),
        {
            "statistics_bureau__enterprise_rd": [
                row(
                    "statistics_bureau__enterprise_rd",
                    enterprise_code=second,
                    frame_category="工业",
                    external_rd_university_wan=10,
                )
            ],
            "statistics_bureau__enterprise_contract": [
                row(
                    "statistics_bureau__enterprise_contract",
                    payer_code=second,
                    payee_code=UNIVERSITY_A,
                    amount_wan=10,
                )
            ],
        },
    )
    result = half_year(tables)
    assert result.by_tier() == {("OE", "T1"): 30, ("OE", "T2"): 10}
    assert result.findings == []


def test_money_that_comes_back_is_netted_and_laid_where_it_stayed() -> None:
    """A hands 40 to B and B hands 15 of it back: 75 stayed with A, 25 with B."""
    local = "市县财政"
    tables = together(
        government(100, payment(UNIVERSITY_A, 100, "P1")),
        unit(
            UNIVERSITY_A,
            115,
            received(local, 100, "P1"),
            handed(HOSPITAL_B, 40, "P1"),
            from_unit(HOSPITAL_B, 15, local, "P1"),
        ),
        unit(HOSPITAL_B, 40, from_unit(UNIVERSITY_A, 40, local, "P1"), handed(UNIVERSITY_A, 15, "P1")),
    )
    result = half_year(tables)
    laid = {(r.unit_code, r.amount_wan) for r in result.ledger if r.reason == "OG"}
    assert laid == {(UNIVERSITY_A, 75), (HOSPITAL_B, 25)}
    assert result.city("total") == 100


def test_what_cannot_be_laid_is_said() -> None:
    """No city needs it (see above); the rule is there for figures that contradict themselves."""
    declared = Match("T3", "", UNIVERSITY_A, "", Decimal(10), frozenset({"row"}), Pile())
    books = Books(t1_keys=set(), own={}, own_unmatched={UNIVERSITY_A: Decimal(4)}, handed=[])
    assert lay([declared], books) == [Laid(declared, UNIVERSITY_A, Decimal(4)), Laid(declared, "", Decimal(6))]


# ---- the test data itself


def test_cities_in_one_home_read_back_as_written(tmp_path: Path) -> None:
    tables_by_period = {
        period: large_city(random.Random(seed), 5, period=period, is_aggregate_only=period == "2025H2")
        for seed, period in enumerate(("2024H1", "2024H2", "2025H2"))
    }
    tables_by_period["2026H1"] = relabel(tables_by_period["2024H1"], "2026H1")
    write_home(tables_by_period, tmp_path)
    row_ids = []
    for path in sorted(tmp_path.glob("accepted/*/*/rows.parquet")):
        read = pq.ParquetFile(path).read().to_pylist()
        assert read == tables_by_period[path.parent.name][path.parent.parent.name]
        row_ids += [one["row_id"] for one in read]
    assert len(set(row_ids)) == len(row_ids) == sum(len(r) for t in tables_by_period.values() for r in t.values())
    assert pq.ParquetFile(tmp_path / "accepted/finance_bureau__gov_input/schema.parquet").metadata.num_rows == 0
    first, last = (half_year(tables_by_period[period]) for period in ("2024H1", "2026H1"))
    assert lines(first) == lines(last)
