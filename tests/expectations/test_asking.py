"""Whom gate 2 asks, in words that hold nothing of another bureau's units; and what gate 1 has asked already is not asked again."""

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from expectations.asking import was_asked
from expectations.findings import record, states
from expectations.judge import judge_database, load_suite
from expectations.receipt import renewed_document
from expectations.replay import CORRECTED, Explanation, FindingState
from expectations.rules import load_suites
from sources.contracts import providers
from sources.finding import Ask, Finding
from tests.expectations.test_gate2 import FACT, MART, WAN, clean, judged, where
from tests.expectations.test_mirrors import handed_on

__all__ = ["clean"]

RECONCILED = f"create table fct_reconciliation (period text, funder_code text, performer_code text, funder_side_wan {WAN}, performer_side_wan {WAN}, difference_wan {WAN}, difference_pct double, band text)"  # noqa: E501
FIRM = "91330402MA2B000001"


def asked(finding: Finding) -> dict[str, str]:
    return {ask.provider: f"{ask.message}{ask.found}{ask.expected}" for ask in finding.asks}


def test_each_side_of_money_handed_on_is_asked_about_its_own_figure_and_told_no_other(
    tmp_path: Path, clean: bytes
) -> None:
    elsewhere = "update staging.int_keep_performer set provider = 'science_bureau' where unit_code = 'U2'"
    (found,) = judged(tmp_path, clean, FACT, *handed_on(731), elsewhere)
    words = asked(found)
    assert list(words) == ["education_bureau", "science_bureau"]
    assert "1000 万元" in words["education_bureau"] and "731" not in words["education_bureau"]
    assert "731 万元" in words["science_bureau"] and "1000" not in words["science_bureau"]
    assert "较少" in words["education_bureau"] and "较多" in words["science_bureau"]
    (alone,) = judged(tmp_path, clean, FACT, *handed_on(731))
    assert list(asked(alone)) == ["education_bureau"]


@pytest.mark.parametrize(("funder", "of_funder"), [("330400", "finance_bureau"), (FIRM, "statistics_bureau")])
def test_each_side_of_a_payment_is_asked_about_its_own_figure_and_told_no_other(
    tmp_path: Path, clean: bytes, funder: str, of_funder: str
) -> None:
    def one(received: int) -> Finding:
        row = f"insert into fct_reconciliation values ('2026H1', '{funder}', 'U1', 900, {received}, 0, 50, 'query')"
        kept = "insert into staging.int_keep_performer values ('2026H1', 'health_commission', 'U1')"
        (found,) = judged(tmp_path, clean, "fct_reconciliation", RECONCILED, row, kept)
        return found

    words = asked(one(417))
    assert set(words) == {of_funder, "health_commission"}
    assert "900 万元" in words[of_funder] and "417" not in words[of_funder]
    assert "417 万元" in words["health_commission"] and "900" not in words["health_commission"]
    # What its units never reported, a bureau is not told: not even which firm.
    assert FIRM not in asked(one(0))["health_commission"]


def test_growth_is_asked_of_the_bureau_whose_figure_it_is_and_of_nobody_where_it_is_nobodys(
    tmp_path: Path, clean: bytes
) -> None:
    owners = {
        "gov_total": ["finance_bureau"], "enterprise_rd": ["statistics_bureau"], "university_sti": ["education_bureau"],
        "institute_sti": ["science_bureau"], "hospital_sti": ["health_commission"],
    }  # fmt: skip
    spoil = [f"update {MART} set growth_pct = 31 {where('330402', indicator)}" for indicator in owners]
    found = judged(tmp_path, clean, MART, *spoil, f"update {MART} set share_pct = 56 {where('330402', 'gov_total')}")
    assert {f.subject.split("/")[-1]: [a.provider for a in f.asks] for f in found if f.rule_id == "MON-011"} == owners
    assert [list(f.asks) for f in found if f.rule_id == "MON-016"] == [[]]


def settled(rule_id: str, found: str, expected: str, subject: str = "row/330402/gov_total_wan") -> Finding:
    where_ = ("finance_bureau", "finance_bureau__gov_input", "2026H1", "样表.xlsx", "ab", "政府科技创新投入", "B4")
    return Finding(rule_id, "query", 2, *where_, subject, found, expected, "问", "因", "办")


def test_a_figure_that_gate_1_asked_about_and_that_was_accepted_is_not_asked_about_again(
    tmp_path: Path, clean: bytes
) -> None:
    path = tmp_path / "candidate.duckdb"
    path.write_bytes(clean)
    with duckdb.connect(str(path)) as connection:
        connection.execute(f"update {MART} set growth_pct = -1, base_wan = 101.5 {where('330402', 'gov_total')}")

    def rules(*known: Finding) -> tuple[list[str], int]:
        (verdict,) = judge_database([load_suite(MART)], path, "2026H1", settled=known)
        (check,) = [c for c in verdict.summary["checks"] if c["check_id"] == "MON-014"]
        return [f.rule_id for f in verdict.findings if f.level < 5], check["asked_before_count"]

    same = settled("FIN-005", "100 万元", "不少于上年同期 101.5 万元")
    assert rules() == (["MON-014"], 0)
    assert rules(same) == ([], 1)
    # Another figure, another figure a year ago, another area, another question: asked.
    for other in (
        replace(same, found="100.000001 万元"),
        replace(same, expected="不少于上年同期 101.4 万元"),
        # A bound that happens to be the same number is no figure.
        replace(same, expected="增速在 ±101.5% 之内（上年同期 90 万元）"),
        replace(same, subject="row/330411/gov_total_wan"),
        replace(same, rule_id="CMP-001"),
        replace(same, table_id="finance_bureau__gov_payment"),
    ):
        assert rules(other) == (["MON-014"], 0)


def test_the_same_figure_as_a_year_ago_once_accepted_at_gate_1_is_not_asked_about_again() -> None:
    rules = {rule.id: rule for rule in load_suite(MART).rules}
    before = next(
        rule.asked_before for rule in rules.values() if rule.asked_before and rule.asked_before.rules == ("CMP-006",)
    )
    assert before
    texts = {"area_key": "330402", "indicator_id": "gov_total", "value_wan": "100 万元", "base_wan": "100 万元"}
    assert was_asked(before, texts, [settled("CMP-006", "100 万元", "与上年同期不同")])
    assert not was_asked(before, texts, [settled("CMP-006", "99 万元", "与上年同期不同")])


def test_what_one_side_says_is_not_read_in_the_receipt_of_the_other() -> None:
    asks = tuple(Ask(provider, "问", "甲", "乙") for provider in ("education_bureau", "finance_bureau"))
    finding = replace(settled("REC-001", "1 万元", "2 万元"), provider="", table_id="fct_reconciliation", asks=asks)
    said = Explanation("孙丽", "示例大学甲七月入账 731 万元", datetime.now(UTC), "2026H1-education_bureau-002")

    def read_by(provider: str, explanation: Explanation) -> str:
        kept = {"provider": provider, "replaced_by": "", "is_self_check": False, "due_on": ""}
        state = FindingState(finding, "gate2", "已说明", explanation=explanation)
        return renewed_document(kept, [state], datetime.now(UTC))["findings"][0]["explanation"]

    assert read_by("education_bureau", said) == said.text
    assert "731" not in read_by("finance_bureau", said)
    assert "731" not in read_by("finance_bureau", replace(said, source=""))


def test_what_the_suites_say_of_whom_they_ask_names_bureaus_and_only_what_can_be_explained() -> None:
    asking = [(suite, rule) for suite in load_suites().values() for rule in suite.rules if rule.asks]
    assert {rule.id for _, rule in asking} >= {
        "FCT-010",
        "FCT-011",
        "FCT-012",
        "FCT-013",
        "REC-001",
        "MON-011",
        "ELM-006",
    }
    for suite, rule in asking:
        assert suite.provider == ""
        assert rule.rule_class != "mandatory"
        assert {ask.provider for ask in rule.asks if ask.provider} <= providers().keys()


def ids_told(home: Path, clean: bytes, *spoil: str) -> list[tuple[str, str]]:
    """The ids of what gate 2 asks in a home, beside those that anybody could work out from the values."""
    path = home / "candidate.duckdb"
    path.write_bytes(clean)
    with duckdb.connect(str(path)) as connection:
        for statement in (*handed_on(731), *spoil):
            connection.execute(statement)
    (verdict,) = judge_database([load_suite(FACT)], path, "2026H1", ledgers=home / "findings")
    asked_ones = [f for f in verdict.findings if f.asks]
    record(home / "findings", "2026H1", "gate2", asked_ones)
    kept = [s.finding for s in states(home / "findings", "2026H1") if s.scope == "gate2" and s.state != CORRECTED]
    assert kept == asked_ones
    return [(f.finding_id, replace(f, id_salt="").finding_id) for f in kept]


def test_an_id_that_several_bureaus_are_told_cannot_be_worked_out_and_is_the_same_each_time_and_everywhere(
    tmp_path: Path, clean: bytes
) -> None:
    home, elsewhere, other = (tmp_path / name for name in ("home", "elsewhere", "other"))
    for each in (home, other):
        record(each / "findings", "2026H1", "gate1:education_bureau", [])
    told = ids_told(home, clean)
    assert told and all(kept != plain for kept, plain in told)
    written = (home / "findings" / "2026H1.jsonl").read_bytes()
    assert ids_told(home, clean) == told
    assert (home / "findings" / "2026H1.jsonl").read_bytes() == written
    # A ledger that is carried elsewhere, or comes back from a backup, has all that its ids are made with.
    (elsewhere / "findings").mkdir(parents=True)
    shutil.copy(home / "findings" / "2026H1.jsonl", elsewhere / "findings")
    assert ids_told(elsewhere, clean) == told
    assert [plain for _, plain in ids_told(other, clean)] == [plain for _, plain in told]
    assert {kept for kept, _ in ids_told(other, clean)}.isdisjoint(kept for kept, _ in told)
    # Another value is another finding, as ever.
    more = ids_told(home, clean, "update staging.int_read_inflow set amount_wan = 732 where money_class = 'hand_on'")
    assert {kept for kept, _ in more}.isdisjoint(kept for kept, _ in told)


def test_what_gate_2_says_first_of_all_keeps_its_ids(tmp_path: Path, clean: bytes) -> None:
    told = ids_told(tmp_path, clean)
    assert told and all(kept != plain for kept, plain in told)
    assert ids_told(tmp_path, clean) == told


def test_a_ledger_from_before_keeps_its_ids(tmp_path: Path, clean: bytes) -> None:
    folder = tmp_path / "findings"
    folder.mkdir()
    first = {"number": 1, "event": "recorded", "at": "2026-07-20T01:30:00+00:00", "scope": "gate2", "findings": []}
    (folder / "2026H1.jsonl").write_text(json.dumps(first) + "\n", encoding="utf-8")
    told = ids_told(tmp_path, clean)
    assert told and all(kept == plain for kept, plain in told)
    record(folder, "2026H1", "gate1:science_bureau", [])
    assert ids_told(tmp_path, clean) == told
