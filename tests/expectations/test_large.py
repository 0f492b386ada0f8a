"""A table beyond a sheet's size is judged without being held, and the judgement is the same."""

from pathlib import Path

import pytest

from expectations import large, measures
from expectations.judge import Verdict, judge, judge_workbook, load_suite
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


def test_ten_thousand_failing_rows_are_a_few_findings_and_an_exact_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = finance() | {PAYMENT: [payment(1, amount_wan=-1) for _ in range(60)]}
    monkeypatch.setattr(measures, "LARGE_ROWS", 50)
    monkeypatch.setattr(large, "FINDINGS_PER_RULE", 10)
    twice = [f for v in verdicts(tmp_path, tables) for f in v.findings if f.rule_id == "GEN-001"]
    assert len(twice) == 11
    assert [f.cell for f in twice[:3]] == ["A5", "A6", "A7"]
    assert "另有 49 行" in twice[-1].message
    assert len({f.finding_id for f in twice}) == 11
