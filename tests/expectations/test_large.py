"""A table beyond a sheet's size is judged without being held, and the judgement is the same."""

from datetime import date
from pathlib import Path

import pytest

from expectations import judge as judge_module
from expectations import large, measures
from expectations.judge import Verdict, judge, judge_workbook, load_suite
from sources.finding import Finding, count_by_class
from tests.expectations.books import INPUT, PAYMENT, finance, payment, verdicts
from tests.expectations.test_samples import FAULTY, read


def said(verdict: Verdict) -> tuple[list[dict], list[tuple]]:
    """The findings, and per check how many rows it applied to and how many failed."""
    checks = verdict.summary["checks"]
    counts = [
        (c["check_id"], c["rows_checked"], c["could_be_computed"], c["gx"] and c["gx"]["failing_count"]) for c in checks
    ]
    return [f.as_dict() for f in verdict.findings], [*counts, verdict.summary["rows"], verdict.summary["rules_met"]]


@pytest.mark.parametrize("name", FAULTY)
def test_a_faulty_table_gets_the_same_findings_held_or_not(
    samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    relations, manifests = read(samples / "faulty" / f"{name}.xlsx", tmp_path)
    table_id = next(t for t, manifest in manifests.items() if manifest.sheet == FAULTY[name][0])
    held = judge(load_suite(table_id), relations=relations, manifests=manifests)
    monkeypatch.setattr(measures, "LARGE_ROWS", 0)
    assert said(judge(load_suite(table_id), relations=relations, manifests=manifests)) == said(held)


def test_good_returns_get_the_same_findings_held_or_not(
    samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for workbook in sorted((samples / "2026H1").glob("*.xlsx")):
        relations, manifests = read(workbook, tmp_path)
        held = judge_workbook(relations, manifests)
        with monkeypatch.context() as patch:
            patch.setattr(measures, "LARGE_ROWS", 0)
            assert [said(v) for v in judge_workbook(relations, manifests)] == [said(v) for v in held]


def test_a_missing_row_of_a_whole_table_rule_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tables = finance()
    tables[INPUT] = tables[INPUT][:9]
    held = verdicts(tmp_path, tables)
    monkeypatch.setattr(measures, "LARGE_ROWS", 0)
    assert [said(v) for v in verdicts(tmp_path, tables)] == [said(v) for v in held]
    assert any("9" in f.found for v in held for f in v.findings)


def paid_too_early(tmp_path: Path, days: list[int]) -> list[Finding]:
    """The findings of payments of these days of the January before the period."""
    tables = finance() | {PAYMENT: [payment(n, paid_on=date(2025, 1, day)) for n, day in enumerate(days)]}
    found = [f for v in verdicts(tmp_path, tables) for f in v.findings if f.table_id == PAYMENT]
    return [f for f in found if f.rule_id == next(one for one in found if "paid_on" in one.subject).rule_id]


@pytest.mark.parametrize("held_rows", [50, 200_000])
def test_sixty_failing_rows_are_a_few_findings_and_an_exact_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held_rows: int
) -> None:
    tables = finance() | {PAYMENT: [payment(1, amount_wan=-1) for _ in range(60)]}
    monkeypatch.setattr(measures, "LARGE_ROWS", held_rows)
    for module in (large, judge_module):
        monkeypatch.setattr(module, "findings_per_rule", lambda: 10)
    said_of = verdicts(tmp_path, tables)
    twice = [f for v in said_of for f in v.findings if f.rule_id == "GEN-001"]
    assert len(twice) == 11
    assert [f.cell for f in twice[:3]] == ["A5", "A6", "A7"]
    assert "另有 49 行" in twice[-1].message
    assert {f.rule_class for f in twice} == {"mandatory"}
    assert count_by_class(twice) == {"mandatory": 59}
    assert len({f.finding_id for f in twice}) == 11


@pytest.mark.parametrize("held_rows", [5, 200_000])
def test_what_closes_a_list_lapses_with_any_value_and_with_the_number_that_it_stands_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held_rows: int
) -> None:
    monkeypatch.setattr(measures, "LARGE_ROWS", held_rows)
    for module in (large, judge_module):
        monkeypatch.setattr(module, "findings_per_rule", lambda: 3)
    closing = set()
    # The same file hash throughout, as when a correction slip changes a row; the last list is the first one again.
    for days in ([1] * 9, [1] * 8 + [2], [1] * 10, [1] * 9):
        found = paid_too_early(tmp_path, days)
        assert [f.stands_for_count for f in found] == [1, 1, 1, len(days) - 3]
        closing.add(found[-1].finding_id)
    assert len(closing) == 3
