import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from expectations import bridge
from expectations.comparison import Earlier, compare
from expectations.judge import JudgeError, NoSuiteError, counts, judge, judge_workbook, load_suite
from expectations.measures import measure, open_workbook, prepare
from sources import contracts
from tests.expectations.books import (
    CONTRACTS,
    FEN,
    FIRMS,
    INFLOW,
    INPUT,
    OUTFLOW,
    PAYMENT,
    UNIT,
    contract,
    finance,
    findings,
    payment,
    performer,
    places,
    statistics,
    verdicts,
    write,
)


@pytest.mark.parametrize("book", [finance, statistics, performer])
def test_a_clean_workbook_has_no_findings(tmp_path: Path, book: Callable) -> None:
    assert findings(tmp_path, book()) == []


# --- identities: half a fen per summand ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("book", "table", "column", "rule", "letter", "allowed_fen"),
    [
        (finance, INPUT, "gov_total_wan", "FIN-001", "B", 1),  # 3 summands: 1.5 fen
        (statistics, FIRMS, "external_rd_wan", "ENT-001", "J", 2),  # 4 summands: 2 fen
        (performer, UNIT, "sti_activity_wan", "UNT-001", "F", 5),  # 11 summands: 5.5 fen
    ],
)
def test_an_identity_holds_to_half_a_fen_per_summand(
    tmp_path: Path, book: Callable, table: str, column: str, rule: str, letter: str, allowed_fen: int
) -> None:
    tables = book()
    for allowed, expected in ((allowed_fen, []), (allowed_fen + 1, [f"{letter}4", f"{letter}5"])):
        for row, sign in zip(tables[table], (1, -1), strict=False):
            row[column] = book()[table][0][column] + sign * allowed * FEN
        found = findings(tmp_path, tables, only=table)
        assert places(found) == [(rule, "mandatory", cell) for cell in expected]


def test_a_sum_is_exact_where_floats_would_misjudge(tmp_path: Path) -> None:
    """At 10¹² 万元 a double steps by more than a fen: sums of doubles would see neither of these differences."""
    tables = finance()
    row = tables[INPUT][0]
    row["general_budget_wan"] = Decimal("999999999999.000001")
    row["fund_budget_wan"] = Decimal("0.000001")
    row["state_capital_budget_wan"] = 0
    row["gov_total_wan"] = Decimal("999999999999.000003")
    assert float(row["gov_total_wan"]) == float(row["general_budget_wan"]) + float(row["fund_budget_wan"])
    assert findings(tmp_path, tables, only=INPUT) == []  # one fen: within 1.5
    row["gov_total_wan"] += FEN
    (finding,) = findings(tmp_path, tables, only=INPUT)
    assert finding.rule_id == "FIN-001"
    assert finding.found == "999999999999.000004 万元"
    assert "多 0.000002 万元" in finding.message


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    parts=st.lists(st.integers(0, 10**17), min_size=3, max_size=3),
    slips=st.lists(st.integers(-4, 4), min_size=10, max_size=10),
)
def test_exactly_the_rows_beyond_the_tolerance_are_named(tmp_path: Path, parts: list[int], slips: list[int]) -> None:
    tables = finance()
    for row, slip in zip(tables[INPUT], slips, strict=True):
        budgets = [part * FEN for part in parts]
        row["general_budget_wan"], row["fund_budget_wan"], row["state_capital_budget_wan"] = budgets
        row["gov_total_wan"] = sum(budgets) + slip * FEN
    relations, manifests = write(tmp_path, tables)
    suite = load_suite(INPUT)
    alone = suite.model_copy(update={"rules": tuple(rule for rule in suite.rules if rule.id == "FIN-001")})
    named = {f.cell for f in judge(alone, relations=relations, manifests=manifests).findings}
    assert named == {f"B{4 + n}" for n, slip in enumerate(slips) if abs(slip) > 1}


# --- keys, dates, places -------------------------------------------------------------------------------------


def test_the_second_and_later_occurrences_are_named_and_point_to_the_first(tmp_path: Path) -> None:
    tables = finance()
    tables[INPUT] += [dict(tables[INPUT][4]), dict(tables[INPUT][4])]
    found = findings(tmp_path, tables, only=INPUT)
    assert places(found) == [("GEN-001", "mandatory", "A14"), ("GEN-001", "mandatory", "A15")]
    assert "海盐县" in found[0].message
    assert "第 5 行数据" in found[0].message
    assert len({f.finding_id for f in found}) == 2


def test_data_rows_are_counted_without_blank_rows(tmp_path: Path) -> None:
    tables = finance()
    tables[PAYMENT] = [payment(1), payment(2), payment(1)]
    relations, manifests = write(tmp_path, tables)
    rows = pq.read_table(relations[PAYMENT]).to_pylist()
    for row, number in zip(rows, (7, 20, 31), strict=True):
        row["row_number"] = number
    pq.write_table(pa.Table.from_pylist(rows, schema=contracts.table(PAYMENT).schema), relations[PAYMENT])
    (finding,) = judge(load_suite(PAYMENT), relations=relations, manifests=manifests).findings
    assert finding.cell == "A31"
    assert "第 1 行数据（工作表第 7 行）" in finding.message


def test_a_date_outside_the_period_is_asked_about(tmp_path: Path) -> None:
    tables = finance()
    days = ("2025-12-31", "2026-01-01", "2026-06-30", "2026-07-01")
    tables[PAYMENT] = [payment(n, paid_on=date.fromisoformat(day)) for n, day in enumerate(days)]
    found = findings(tmp_path, tables, only=PAYMENT)
    assert places(found) == [("GEN-003", "query", "J4"), ("GEN-003", "query", "J7")]
    assert [f.message for f in found] == [
        "拨付日期 2025-12-31 早于报告期初 2026-01-01。",
        "拨付日期 2026-07-01 晚于报告期末 2026-06-30。",
    ]


def test_the_second_half_is_the_whole_year(tmp_path: Path) -> None:
    tables = finance()
    tables[PAYMENT][0]["paid_on"], tables[PAYMENT][1]["paid_on"] = date(2025, 1, 1), date(2025, 12, 31)
    assert findings(tmp_path, tables, only=PAYMENT, period="2025H2") == []


def test_messages_give_both_values_exactly_and_in_the_unit_of_the_sheet(tmp_path: Path) -> None:
    tables = statistics()
    tables[FIRMS][0]["external_rd_wan"] = Decimal("10.3")
    (finding,) = findings(tmp_path, tables, only=FIRMS, unit="千元")
    assert "10.3 万元（103 千元）" in finding.message
    assert "10 万元（100 千元）" in finding.message
    assert (finding.found, finding.place) == ("10.3 万元", "样表.xlsx[规上企业研发费用]!J4")
    (again,) = findings(tmp_path, tables, only=FIRMS, unit="万元")
    assert again.finding_id == finding.finding_id


def test_a_cell_of_a_column_that_the_sheet_lacks_names_the_row(tmp_path: Path) -> None:
    tables = statistics()
    tables[FIRMS][0]["external_rd_wan"] = 11
    relations, manifests = write(tmp_path, tables)
    del manifests[FIRMS].cell_columns["external_rd_wan"]
    assert judge(load_suite(FIRMS), relations=relations, manifests=manifests).findings[0].cell == "4:4"


# --- failing closed ------------------------------------------------------------------------------------------


def test_a_missing_sibling_is_a_finding_of_the_rules_own_class(tmp_path: Path) -> None:
    tables = performer()
    del tables[UNIT]
    found = findings(tmp_path, tables)
    assert {(f.rule_id, f.rule_class) for f in found} == {
        ("INF-001", "mandatory"),
        ("INF-002", "query"),
        ("OUT-001", "query"),
    }
    assert all(f.cell == "" and "“科技活动费用”" in f.message for f in found)


def test_a_sibling_that_the_reader_refused_is_not_said_twice(tmp_path: Path) -> None:
    tables = performer()
    del tables[UNIT]
    relations, manifests = write(tmp_path, tables)
    result = judge_workbook(relations, manifests, refused={UNIT})
    assert [f for verdict in result for f in verdict.findings] == []
    left_out = {c["check_id"] for verdict in result for c in verdict.summary["checks"] if not c["could_be_computed"]}
    assert left_out == {"INF-001", "INF-002", "OUT-001"}


def test_no_suite_no_entry(tmp_path: Path) -> None:
    relations, manifests = write(tmp_path, finance())
    strangers = {f"{table_id}_more": path for table_id, path in relations.items()}
    with pytest.raises(NoSuiteError):
        judge_workbook(strangers, {f"{table_id}_more": manifest for table_id, manifest in manifests.items()})


def test_an_unknown_period_or_rows_of_another_period_cannot_be_judged(tmp_path: Path) -> None:
    with pytest.raises(JudgeError, match="2031H1"):
        verdicts(tmp_path, finance(), period="2031H1")
    relations, manifests = write(tmp_path, finance(), period="2025H1")
    manifests = {table_id: replace(manifest, period="2026H1") for table_id, manifest in manifests.items()}
    with pytest.raises(JudgeError, match="不属于 2026H1"):
        judge_workbook(relations, manifests)


def test_an_expectation_that_cannot_be_evaluated_raises(tmp_path: Path) -> None:
    suite = load_suite(INPUT)
    rule = next(rule for rule in suite.rules if rule.id == "FIN-001")
    broken = rule.model_copy(update={"measure": "t.no_such_column"})
    relations, manifests = write(tmp_path, finance())
    with pytest.raises(JudgeError, match=broken.id):
        judge(suite.model_copy(update={"rules": (broken,)}), relations=relations, manifests=manifests)
    empty = rule.model_copy(update={"measure": "nullif(t.gov_total_wan, 100)"})
    with pytest.raises(JudgeError, match="空值"):
        judge(suite.model_copy(update={"rules": (empty,)}), relations=relations, manifests=manifests)


def test_a_rule_that_fails_without_naming_rows_does_not_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tables = finance()
    tables[INPUT][0]["gov_total_wan"] = 1
    monkeypatch.setattr(bridge, "_plain", lambda result, plain=bridge._plain: plain(result) | {"failing": []})
    with pytest.raises(bridge.ExpectationRunError, match="FIN-001"):
        findings(tmp_path, tables, only=INPUT)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_pattern_of_blanks_leaves_a_rule_without_an_answer(tmp_path: Path, data: st.DataObject) -> None:
    tables = data.draw(st.sampled_from([finance, statistics, performer]))()
    for table_id, rows in tables.items():
        names = [c.name for c in contracts.table(table_id).columns]
        for row in rows[:3]:
            for name in data.draw(st.sets(st.sampled_from(names), max_size=len(names))):
                row[name] = None
    relations, _ = write(tmp_path, tables)
    with open_workbook(relations, "2026H1") as bench:
        for suite in map(load_suite, tables):
            rules = [rule for rule in suite.rules if not rule.expect.is_of_table and not rule.against]
            judged = prepare(bench, suite)
            frame, _ = measure(bench, suite, rules, judged)
            assert len(frame) == len(tables[suite.name])
            if suite.compares:
                against = [rule for rule in suite.rules if rule.against]
                itself = Earlier({"last_year": relations, "last_period": relations, "last_version": relations})
                measure(bench, suite, against, compare(bench, suite, judged, itself))


def test_empty_ledgers_are_judged(tmp_path: Path) -> None:
    assert findings(tmp_path, performer() | {INFLOW: [], OUTFLOW: []}) == []


# --- what is kept --------------------------------------------------------------------------------------------


def test_the_summary_is_json_with_rows_checked_and_failing_ids_cut_while_findings_are_not(tmp_path: Path) -> None:
    tables = finance()
    tables[PAYMENT] = [payment(n, budget_type=None, amount_wan=n) for n in range(300)]
    relations, manifests = write(tmp_path, tables)
    verdict = judge(load_suite(PAYMENT), relations=relations, manifests=manifests)
    assert len(verdict.findings) == 300
    assert not verdict.passed
    summary = json.loads(json.dumps(verdict.summary, ensure_ascii=False))
    check = next(c for c in summary["checks"] if c["check_id"] == "PAY-003")
    assert (check["rows_checked"], check["gx"]["failing_count"], len(check["gx"]["failing"])) == (300, 300, 200)
    assert summary["findings"] == {"mandatory": 300, "query": 0, "note": 0}
    assert check["gx"]["severity"] == "critical"


def test_the_same_rows_give_the_same_verdict(tmp_path: Path) -> None:
    tables = finance()
    tables[INPUT][0]["gov_total_wan"] = 1
    relations, manifests = write(tmp_path, tables)
    once, again = (judge(load_suite(INPUT), relations=relations, manifests=manifests) for _ in range(2))
    assert once == again


def test_counts_say_how_many_and_nothing_of_whom(tmp_path: Path) -> None:
    tables = statistics()
    tables[FIRMS][0]["external_rd_wan"] = 11
    shown = counts(findings(tmp_path, tables, only=FIRMS))
    assert shown == {"ENT-001": {"class": "mandatory", "class_label": "强制性", "count": 1}}


def test_like_findings_on_several_rows_stay_apart(tmp_path: Path) -> None:
    tables = statistics()
    tables[CONTRACTS] = [contract(1, amount_wan=-1), contract(1, amount_wan=-1)]
    found = findings(tmp_path, tables, only=CONTRACTS)
    assert [f.cell for f in found] == ["G4", "G5"]
    assert len({f.finding_id for f in found}) == 2


def test_a_large_table_is_judged_in_seconds(tmp_path: Path) -> None:
    tables = statistics()
    tables[FIRMS] = [tables[FIRMS][0] | {"enterprise_code": f"F{n}"} for n in range(20_000)]
    relations, manifests = write(tmp_path, tables)
    start = time.monotonic()
    judge(load_suite(FIRMS), relations=relations, manifests=manifests)
    assert time.monotonic() - start < 5


def test_great_expectations_is_not_imported_until_something_is_judged() -> None:
    code = "import sys, expectations.judge, expectations.findings; assert 'great_expectations' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_analytics_and_progress_bars_are_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("GX_ANALYTICS_ENABLED", raising=False)
    bridge.batches.cache_clear()
    findings(tmp_path, finance(), only=INPUT)
    assert os.environ["GX_ANALYTICS_ENABLED"] == "false"
    assert capfd.readouterr() == ("", "")
