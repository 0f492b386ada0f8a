import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expectations.decisions import decide, explain, waive
from expectations.findings import (
    DecisionError,
    LedgerError,
    accept_queries,
    blocking,
    current,
    local_time,
    record,
    states,
)
from sources.finding import Finding

AT = datetime(2026, 7, 20, 1, 30, tzinfo=UTC)
PERIOD = "2026H1"


def finding(subject: str, rule_class: str = "query", found: str = "1 万元") -> Finding:
    where = ("finance_bureau", "finance_bureau__gov_input", PERIOD, "样表.xlsx", "ab", "政府科技创新投入", "B4")
    return Finding("FIN-001", rule_class, 1, *where, subject, found, "2 万元", "一句话", "为什么", "怎么办")  # type: ignore[arg-type]


def told(folder: Path) -> dict[tuple[str, str], str]:
    return {(s.finding.subject, s.finding.found): s.state for s in states(folder, PERIOD)}


def lines(folder: Path) -> list[str]:
    return (folder / f"{PERIOD}.jsonl").read_text(encoding="utf-8").splitlines()


def test_nothing_is_recorded_and_nothing_blocks_at_first(tmp_path: Path) -> None:
    assert (current(tmp_path, PERIOD), states(tmp_path, PERIOD), blocking(tmp_path, PERIOD)) == ([], [], [])


def test_a_later_record_supersedes_its_own_scope_only(tmp_path: Path) -> None:
    record(tmp_path, PERIOD, "gate1:finance_bureau", [finding("a"), finding("b", "mandatory")], AT)
    record(tmp_path, PERIOD, "gate2", [finding("c", "note")], AT)
    record(tmp_path, PERIOD, "gate1:finance_bureau", [finding("a")], AT)
    assert [f.subject for f in current(tmp_path, PERIOD)] == ["a", "c"]
    assert told(tmp_path) == {("a", "1 万元"): "未处理", ("b", "1 万元"): "已修改", ("c", "1 万元"): "未处理"}


def test_recording_the_same_again_writes_nothing(tmp_path: Path) -> None:
    assert record(tmp_path, PERIOD, "gate2", [finding("a"), finding("b")], AT)
    assert not record(tmp_path, PERIOD, "gate2", [finding("b"), finding("a")])
    assert len(lines(tmp_path)) == 1
    assert record(tmp_path, PERIOD, "gate2", [])
    assert record(tmp_path, PERIOD, "gate2", [finding("a"), finding("b")])


def test_mandatory_findings_and_open_queries_block_and_notes_do_not(tmp_path: Path) -> None:
    record(tmp_path, PERIOD, "gate2", [finding("n", "note"), finding("q"), finding("m", "mandatory")], AT)
    assert [f.subject for f in blocking(tmp_path, PERIOD)] == ["m", "q"]


def test_one_decision_accepts_the_queries_that_it_lists_and_no_others(tmp_path: Path) -> None:
    record(tmp_path, PERIOD, "gate2", [finding("a"), finding("b"), finding("c")], AT)
    decision = accept_queries(tmp_path, PERIOD, " 张三 ", "已核对原始凭证", [finding("a"), finding("b")], AT)
    assert (decision.by, decision.at, len(decision.finding_ids)) == ("张三", AT, 2)
    assert len(lines(tmp_path)) == 2
    assert told(tmp_path) == {("a", "1 万元"): "说明通过", ("b", "1 万元"): "说明通过", ("c", "1 万元"): "未处理"}
    assert [f.subject for f in blocking(tmp_path, PERIOD)] == ["c"]
    assert {s.decision for s in states(tmp_path, PERIOD) if s.state == "说明通过"} == {decision}


def test_decisions_taken_gate_by_gate_can_share_an_id_and_a_scope_can_be_asked_alone(tmp_path: Path) -> None:
    record(tmp_path, PERIOD, "gate1:a", [finding("a")], AT)
    record(tmp_path, PERIOD, "gate2", [finding("b")], AT)
    accept_queries(tmp_path, PERIOD, "张三", "属实", [finding("a")], AT, decision_id="run-1")
    assert [f.subject for f in blocking(tmp_path, PERIOD, "gate1:a")] == []
    assert [f.subject for f in blocking(tmp_path, PERIOD, "gate2")] == ["b"]
    accept_queries(tmp_path, PERIOD, "张三", "属实", [finding("b")], AT, decision_id="run-1")
    assert {s.decision.decision_id for s in states(tmp_path, PERIOD) if s.decision} == {"run-1"}


def test_an_acceptance_lapses_when_the_value_changes(tmp_path: Path) -> None:
    record(tmp_path, PERIOD, "gate2", [finding("a")], AT)
    accept_queries(tmp_path, PERIOD, "张三", "属实", [finding("a")], AT)
    moved = replace(finding("a"), cell="B9", file_sha256="cd")
    record(tmp_path, PERIOD, "gate2", [moved], AT)
    assert blocking(tmp_path, PERIOD) == []
    record(tmp_path, PERIOD, "gate2", [finding("a", found="9 万元")], AT)
    assert [f.found for f in blocking(tmp_path, PERIOD)] == ["9 万元"]
    assert told(tmp_path) == {("a", "1 万元"): "已修改", ("a", "9 万元"): "未处理"}


@pytest.mark.parametrize("rule_class", ["mandatory", "note"])
def test_only_queries_can_be_accepted_whatever_the_caller_says(tmp_path: Path, rule_class: str) -> None:
    record(tmp_path, PERIOD, "gate2", [finding("a", rule_class), finding("q")], AT)
    for claimed in (finding("a", rule_class), finding("a", "query")):
        with pytest.raises(DecisionError):
            accept_queries(tmp_path, PERIOD, "张三", "属实", [finding("q"), claimed], AT)
    assert len(lines(tmp_path)) == 1
    assert "q" in [f.subject for f in blocking(tmp_path, PERIOD)]


def test_a_query_that_became_mandatory_is_open_again(tmp_path: Path) -> None:
    record(tmp_path, PERIOD, "gate2", [finding("a")], AT)
    accept_queries(tmp_path, PERIOD, "张三", "属实", [finding("a")], AT)
    record(tmp_path, PERIOD, "gate2", [finding("a", "mandatory")], AT)
    assert [f.subject for f in blocking(tmp_path, PERIOD)] == ["a"]


@pytest.mark.parametrize(("by", "reason"), [("", "属实"), ("  ", "属实"), ("张三", ""), ("张三", "\t")])
def test_a_decision_without_a_name_or_a_reason_is_refused(tmp_path: Path, by: str, reason: str) -> None:
    record(tmp_path, PERIOD, "gate2", [finding("a")], AT)
    with pytest.raises(DecisionError, match="姓名"):
        accept_queries(tmp_path, PERIOD, by, reason, [finding("a")], AT)


def test_what_is_not_current_cannot_be_accepted(tmp_path: Path) -> None:
    record(tmp_path, PERIOD, "gate2", [finding("a")], AT)
    for gone in ([finding("b")], [finding("a", found="9 万元")], []):
        with pytest.raises(DecisionError):
            accept_queries(tmp_path, PERIOD, "张三", "属实", gone, AT)


def test_findings_of_another_period_or_with_one_id_are_not_recorded(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="不属于"):
        record(tmp_path, "2025H1", "gate2", [finding("a")], AT)
    with pytest.raises(ValueError, match="编号相同"):
        record(tmp_path, PERIOD, "gate2", [finding("a"), finding("a")], AT)
    with pytest.raises(ValueError, match="2026H1 或 2026"):
        record(tmp_path, "../2026H1", "gate2", [], AT)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_line_torn_anywhere_is_passed_over_and_the_next_event_stands(tmp_path_factory, data: st.DataObject) -> None:
    folder = tmp_path_factory.mktemp("ledger")
    record(folder, PERIOD, "gate1:a", [finding("a", "mandatory")], AT)
    whole = (folder / f"{PERIOD}.jsonl").read_bytes()
    head = (folder / f"{PERIOD}.head").read_bytes()
    record(folder, PERIOD, "gate2", [finding("c")], AT)
    both = (folder / f"{PERIOD}.jsonl").read_bytes()
    cut = data.draw(st.integers(len(whole), len(both) - 2))
    (folder / f"{PERIOD}.jsonl").write_bytes(both[:cut])
    # Whoever is killed in a line has not come to the head.
    (folder / f"{PERIOD}.head").write_bytes(head)
    assert [f.subject for f in current(folder, PERIOD)] == ["a"]
    record(folder, PERIOD, "gate2", [finding("d")], AT)
    assert [f.subject for f in current(folder, PERIOD)] == ["a", "d"]


def test_a_line_that_lacks_only_its_end_counts_before_and_after(tmp_path: Path) -> None:
    record(tmp_path, PERIOD, "gate2", [finding("a")], AT)
    path = tmp_path / f"{PERIOD}.jsonl"
    path.write_bytes(path.read_bytes()[:-1])
    assert [f.subject for f in current(tmp_path, PERIOD)] == ["a"]
    record(tmp_path, PERIOD, "gate1:a", [finding("b")], AT)
    assert [f.subject for f in current(tmp_path, PERIOD)] == ["a", "b"]


def test_a_lost_line_is_noticed_and_nothing_passes(tmp_path: Path) -> None:
    for subject in ("a", "b", "c"):
        record(tmp_path, PERIOD, f"gate1:{subject}", [finding(subject, "mandatory")], AT)
    path = tmp_path / f"{PERIOD}.jsonl"
    kept = path.read_bytes().splitlines(keepends=True)
    for damaged in (kept[0] + kept[2], kept[0] + b"{}\n" + kept[2], kept[0] + kept[1][:40] + b"\n" + kept[2]):
        path.write_bytes(damaged)
        with pytest.raises(LedgerError):
            blocking(tmp_path, PERIOD)


def test_times_are_kept_in_utc_and_shown_in_beijing_time(tmp_path: Path) -> None:
    record(tmp_path, PERIOD, "gate2", [finding("a")], AT)
    assert json.loads(lines(tmp_path)[0])["at"] == "2026-07-20T01:30:00+00:00"
    assert local_time(AT) == "2026-07-20 09:30"
    with pytest.raises(ValueError, match="时区"):
        record(tmp_path, PERIOD, "gate2", [], datetime(2026, 7, 20))


def test_a_ledger_of_the_first_version_is_read_as_it_was_meant(tmp_path: Path) -> None:
    entries = [finding("a").as_dict(), finding("b").as_dict()]
    old = [
        {"number": 1, "event": "recorded", "at": "2026-07-20T01:30:00+00:00", "scope": "gate2", "findings": entries},
        {"number": 2, "event": "decided", "decision_id": "2026H1-00002", "kind": "accepted", "at": "2026-07-20T01:31:00+00:00",
         "by": "张三", "reason": "属实", "finding_ids": [finding("a").finding_id]},
    ]  # fmt: skip
    (tmp_path / f"{PERIOD}.jsonl").write_text("".join(json.dumps(e, ensure_ascii=False) + "\n" for e in old), "utf-8")
    assert told(tmp_path) == {("a", "1 万元"): "说明通过", ("b", "1 万元"): "未处理"}
    explain(tmp_path, PERIOD, "李四", "补拨尾款", [finding("b").finding_id])
    decide(tmp_path, PERIOD, "accept", "张三", "已核", [finding("b").finding_id])
    assert blocking(tmp_path, PERIOD) == []


def test_a_waiver_ends_with_its_last_day_in_shanghai(tmp_path: Path) -> None:
    record(tmp_path, PERIOD, "gate2", [finding("a", "mandatory")], AT)
    waive(tmp_path, PERIOD, "张三", "待补件", date(2026, 7, 21), [finding("a").finding_id], AT)
    last_minute = datetime(2026, 7, 21, 15, 59, tzinfo=UTC)
    assert blocking(tmp_path, PERIOD, at=last_minute) == []
    assert [f.subject for f in blocking(tmp_path, PERIOD, at=last_minute + timedelta(minutes=1))] == ["a"]


def test_what_was_accepted_lapses_when_the_other_sides_figure_changes_but_not_with_the_rules_wording(
    tmp_path: Path,
) -> None:
    mirror = replace(finding("a"), expected="收款单位自报 2 万元")
    record(tmp_path, PERIOD, "gate2", [mirror], AT)
    explain(tmp_path, PERIOD, "李四", "跨期入账", [mirror.finding_id], AT)
    decide(tmp_path, PERIOD, "accept", "张三", "已核", [mirror.finding_id], AT)
    record(tmp_path, PERIOD, "gate2", [replace(mirror, expected="对方自报 2 万元")], AT)
    assert blocking(tmp_path, PERIOD) == []
    record(tmp_path, PERIOD, "gate2", [replace(mirror, expected="对方自报 3 万元")], AT)
    assert told(tmp_path) == {("a", "1 万元"): "未处理"}
