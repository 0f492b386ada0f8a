"""Levels 3 to 5: what one provider says beside what another says, domains beside each other, and results beside public figures."""

import shutil
from pathlib import Path

import duckdb
import pytest

from expectations.judge import judge, judge_database, load_suite
from expectations.measures import measure, open_database, prepare
from sources.reference import SEEDS_DIR
from tests.expectations.books import AREAS, FIRMS, FIRMS_BY_AREA, Tables, findings, statistics, write
from tests.expectations.test_gate2 import FACT, MART, clean, judged, where

__all__ = ["clean"]

PAID = "insert into staging.stg_finance_bureau__gov_payment select '2026H1', '330402', {}, null, '本级安排', 'F1'"
FIRM = "insert into staging.stg_statistics_bureau__enterprise_rd values ('2026H1', 'F1', {government}, {institute}, 0)"
UNIT_ROW = "insert into staging.stg_{bureau}__unit values ('2026H1', {large}, {local}, {upper}{more})"
ENTERPRISE = (
    "insert into fct_input values "
    "('2026H1', 'enterprise', 'statistics_bureau', '330402', '330402', 500, 0, 500, 0, '', '')"
)
COVERED = "update fct_input set gross_wan = 5000, net_wan = 5000 where subject = 'government'"


def unit_row(bureau: str, large: float = 0, local: float = 0, upper: float = 0, more: str = "") -> str:
    return UNIT_ROW.format(bureau=bureau, large=large, local=local, upper=upper, more=more)


@pytest.mark.parametrize(("reported", "is_asked"), [(2782, False), (2781, True)])
def test_what_finance_paid_to_firms_is_held_against_what_they_report(
    tmp_path: Path, clean: bytes, reported: int, is_asked: bool
) -> None:
    spoil = (ENTERPRISE, COVERED, PAID.format(3000), FIRM.format(government=reported, institute=0))
    found = judged(tmp_path, clean, FACT, *spoil)
    assert [(f.rule_id, f.level, f.rule_class) for f in found] == [("FCT-010", 3, "note")] * is_asked


@pytest.mark.parametrize(("received", "rules"), [(1100, []), (1100.000001, ["FCT-011"])])
def test_contracts_that_performers_report_are_held_against_what_firms_report(
    tmp_path: Path, clean: bytes, received: float, rules: list[str]
) -> None:
    spoil = (
        ENTERPRISE,
        FIRM.format(government=0, institute=1000),
        unit_row("education_bureau", received - 100),
        unit_row("health_commission", 100, more=", true, true"),
        unit_row("health_commission", 9999, more=", true, false"),
    )
    assert [f.rule_id for f in judged(tmp_path, clean, FACT, *spoil)] == rules


def handed_on(received: float, provider: str = "education_bureau") -> tuple[str, ...]:
    return (
        "update fct_input set unit_key = 'education_bureau:' || unit_key where subject = 'university'",
        f"insert into staging.int_keep_performer values ('2026H1', '{provider}', 'U1'), ('2026H1', 'education_bureau', 'U2')",
        "insert into staging.int_read_as_parent values ('2026H1', 'U3', 'U2')",
        "insert into staging.stg_education_bureau__outflow values ('2026H1', 'U1', 'U2', 600), ('2026H1', 'U1', 'U3', 400), "
        "('2026H1', 'U1', 'abroad', 5000)",
        f"insert into staging.int_read_inflow values ('2026H1', 'U2', 'U1', 'hand_on', {received}), "
        "('2026H1', 'U2', 'U1', 'local', 7000)",
    )


@pytest.mark.parametrize(("received", "is_asked"), [(900, False), (899, True), (1111, False), (1112, True)])
def test_money_handed_on_is_held_against_what_the_receivers_report(
    tmp_path: Path, clean: bytes, received: int, is_asked: bool
) -> None:
    found = judged(tmp_path, clean, FACT, *handed_on(received))
    assert [(f.rule_id, f.subject) for f in found] == [("FCT-012", "education_bureau:U1/转拨")] * is_asked


def test_a_unit_that_is_counted_elsewhere_is_not_asked_about_money_handed_on(tmp_path: Path, clean: bytes) -> None:
    assert judged(tmp_path, clean, FACT, *handed_on(0, provider="science_bureau")) == ()


def test_local_money_that_performers_report_is_at_most_what_government_spent(tmp_path: Path, clean: bytes) -> None:
    covered = "update fct_input set gross_wan = 1000, net_wan = 1000 where subject = 'government'"
    ledger = PAID.format(600)
    within = (covered, ledger, unit_row("science_bureau", local=700, upper=300))
    assert judged(tmp_path, clean, FACT, *within) == ()
    over = (*within, unit_row("education_bureau", local=1))
    assert [(f.rule_id, f.level, f.rule_class) for f in judged(tmp_path, clean, FACT, *over)] == [
        ("FCT-013", 4, "query")
    ]


@pytest.mark.parametrize(("total", "is_said"), [(190_000, False), (189_999, True), (855_000, False), (855_001, True)])
def test_a_city_total_far_from_the_public_figure_is_said_with_its_source(
    tmp_path: Path, clean: bytes, total: int, is_said: bool
) -> None:
    path = tmp_path / "candidate.duckdb"
    path.write_bytes(clean)
    with duckdb.connect(str(path)) as connection:
        connection.execute(f"update {MART} set value_wan = {total} {where('330400', 'gov_total')}")
    (verdict,) = judge_database([load_suite(MART)], path, "2026H1")
    found = [f for f in verdict.findings if f.level == 5 and f.subject.endswith("/gov_total")]
    assert [(f.rule_id, f.rule_class) for f in found] == [("MON-021", "note")] * is_said
    assert all("嘉政发〔2025〕14号" in f.message for f in found)


def test_before_the_plan_was_in_force_there_is_no_public_figure_to_hold_against(tmp_path: Path, clean: bytes) -> None:
    path = tmp_path / "candidate.duckdb"
    path.write_bytes(clean)
    (verdict,) = judge_database([load_suite(MART)], path, "2025H1")
    assert [f for f in verdict.findings if f.level == 5] == []


@pytest.mark.parametrize(("period", "held_against"), [("2031", 0), ("2032", 0), ("2031H1", 4), ("2032H2", 4)])
def test_a_figure_of_a_half_year_is_held_against_no_year_whatever_digit_that_ends_in(
    tmp_path: Path, clean: bytes, period: str, held_against: int
) -> None:
    seeds, path = tmp_path / "seeds", tmp_path / "candidate.duckdb"
    shutil.copytree(SEEDS_DIR, seeds)
    with (seeds / "period.csv").open("a", encoding="utf-8") as calendar:
        calendar.write(f"{period},,,,{period[:4]}-01-01,{period[:4]}-12-31,{period},\n")
    mart = MART if "H" in period else "mart_annual_monitoring"
    path.write_bytes(clean)
    with duckdb.connect(str(path)) as connection:
        rows = f"select * replace ('{period}' as period) from {MART} where period = '2026H1'"
        connection.execute(f"create or replace table {mart} as {rows}")
    suite = load_suite(mart)
    with open_database(path, period, seeds=seeds) as bench:
        rules = [rule for rule in suite.rules if rule.id == "MON-021"]
        _, applied = measure(bench, suite, rules, prepare(bench, suite))
    assert applied == {"MON-021": held_against}


RD_GDP = "statistics_bureau__rd_gdp"


@pytest.mark.parametrize(
    ("changes", "rules"),
    [
        ({}, []),
        ({"rd_expenditure_enterprise_wan": 120, "rd_expenditure_wan": 130}, []),
        ({"rd_expenditure_enterprise_wan": 121, "rd_expenditure_wan": 130}, ["RDG-001"]),
        ({"rd_expenditure_enterprise_wan": 49}, ["RDG-001"]),
        ({"rd_expenditure_wan": 84}, ["RDG-002"]),
        ({"gdp_wan": 1000}, ["RDG-003"]),
        ({"gdp_wan": 30_000}, ["RDG-003"]),
    ],
)
def test_research_expenditure_is_held_against_expenses_and_output(
    tmp_path: Path, changes: dict[str, int], rules: list[str]
) -> None:
    clean = {"data_year": 2025, "rd_expenditure_wan": 100, "rd_expenditure_enterprise_wan": 80, "gdp_wan": 3000}
    clean |= {"rd_expenditure_university_wan": 5}
    rows = [{"area_key": area} | clean | (changes if area == "330402" else {}) for area in AREAS]
    rows[AREAS.index("JX-CITY")]["gdp_wan"] = None
    relations, manifests = write(tmp_path, {RD_GDP: rows, FIRMS: statistics()[FIRMS]}, period="2026")
    found = judge(load_suite(RD_GDP), relations=relations, manifests=manifests).findings
    assert [f.rule_id for f in found] == rules


def test_the_city_level_has_no_gdp_that_could_count_as_an_areas(tmp_path: Path) -> None:
    rows = [{"area_key": area, "data_year": 2025, "rd_expenditure_wan": 100, "gdp_wan": 3000} for area in AREAS]
    tables: Tables = {RD_GDP: rows, FIRMS: statistics()[FIRMS]}
    found = [f for f in findings(tmp_path, tables, period="2026") if f.rule_id == "RDG-010"]
    assert [(f.rule_class, f.cell) for f in found] == [("mandatory", f"H{4 + AREAS.index('JX-CITY')}")]


def test_what_the_sheet_by_area_stands_in_for_is_not_asked_for(tmp_path: Path) -> None:
    rows = [{"area_key": area, "data_year": 2025, "rd_expenditure_wan": 100, "gdp_wan": 3000} for area in AREAS]
    by_area = [{"area_key": "330402", "frame_category": "工业", "enterprise_count": 9, "rd_expense_wan": 50}]
    found = findings(tmp_path, {RD_GDP: rows, FIRMS_BY_AREA: by_area}, period="2026")
    assert [f for f in found if f.rule_id == "RDG-001"] == []
    assert [f.rule_id for f in findings(tmp_path, {RD_GDP: rows}, period="2026") if f.rule_id == "RDG-001"] == [
        "RDG-001"
    ]
