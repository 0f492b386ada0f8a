"""History is append-only: whoever alters, takes out, puts in or cuts off a line of the ledger is noticed, and nothing passes then."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from expectations.decisions import DecisionError, decide, explain
from expectations.findings import LedgerError, blocking, record, states
from expectations.ledger_file import head_of
from tests.conftest import run_sti
from tests.expectations.test_findings import AT, PERIOD, finding, lines, told

REASON = "已看原始凭证"


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """The ledger of a home in which a query was explained and accepted, and one still waits."""
    folder = tmp_path / "findings"
    record(folder, PERIOD, "gate2", [finding("a"), finding("b")], AT)
    explain(folder, PERIOD, "张三", "补拨尾款", [finding("a").finding_id], AT)
    decide(folder, PERIOD, "accept", "李四", REASON, [finding("a").finding_id], AT)
    return folder


def rewritten(folder: Path, change: Callable[[list[str]], list[str]]) -> None:
    path = folder / f"{PERIOD}.jsonl"
    path.write_text("".join(f"{line}\n" for line in change(lines(folder))), encoding="utf-8")


def renumbered(kept: list[str]) -> list[str]:
    return [json.dumps(json.loads(line) | {"number": n}, ensure_ascii=False) for n, line in enumerate(kept, 1)]


FORGERIES: dict[str, Callable[[list[str]], list[str]]] = {
    "the reason of the last decision": lambda kept: [*kept[:-1], kept[-1].replace(REASON, "看过了")],
    "who explained, in the middle": lambda kept: [kept[0], kept[1].replace("张三", "王五"), *kept[2:]],
    "the first line": lambda kept: [kept[0].replace("1 万元", "9 万元"), *kept[1:]],
    "a line taken out and the rest renumbered": lambda kept: renumbered([kept[0], kept[2]]),
    "a line put in at the end": lambda kept: [*kept, json.dumps({**json.loads(kept[-1]), "number": 4})],
    "a decision without its chain": lambda kept: [*kept[:2], kept[2].split(',"chain"')[0] + "}"],
    "two lines exchanged": lambda kept: [kept[0], kept[2], kept[1]],
    "the last line cut off": lambda kept: kept[:-1],
    "all but the first half of a line cut off": lambda kept: [kept[0], kept[1][:40]],
    "everything": lambda kept: [],
}  # fmt: skip


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES.keys())
def test_a_ledger_that_was_altered_by_hand_is_noticed_and_nothing_passes(
    ledger: Path, forgery: Callable[[list[str]], list[str]]
) -> None:
    assert blocking(ledger, PERIOD) == [finding("b")]
    rewritten(ledger, forgery)
    with pytest.raises(LedgerError, match="备份"):
        blocking(ledger, PERIOD)
    with pytest.raises(LedgerError):
        explain(ledger, PERIOD, "张三", "补拨尾款", [finding("b").finding_id])
    for command in (("findings", PERIOD), ("status", PERIOD)):
        result = run_sti("--home", ledger.parent, *command)
        assert (result.exit_code, "备份" in result.stderr) == (2, True), result.stderr
    examined = run_sti("--home", ledger.parent, "doctor")
    assert examined.exit_code == 1
    assert f"问题台账 {PERIOD}" in examined.stdout


def test_a_ledger_that_is_gone_is_noticed_too(ledger: Path) -> None:
    (ledger / f"{PERIOD}.jsonl").unlink()
    with pytest.raises(LedgerError, match="不见了"):
        states(ledger, PERIOD)


def test_a_head_that_cannot_be_read_is_no_missing_one_and_nothing_passes(ledger: Path) -> None:
    head = ledger / f"{PERIOD}.head"
    head.unlink()
    head.mkdir()
    rewritten(ledger, lambda kept: kept[:-1])
    with pytest.raises(OSError, match="head"):
        blocking(ledger, PERIOD)
    with pytest.raises(OSError, match="head"):
        explain(ledger, PERIOD, "张三", "补拨尾款", [finding("b").finding_id])
    for command in (("findings", PERIOD), ("status", PERIOD), ("doctor",)):
        result = run_sti("--home", ledger.parent, *command)
        assert (result.exit_code, f"{PERIOD}.head" in result.stderr) == (1, True), result.stderr


def test_what_was_written_before_there_was_a_chain_is_bound_by_the_first_line_that_has_one(ledger: Path) -> None:
    rewritten(ledger, lambda kept: [line.split(',"chain"')[0] + "}" for line in kept])
    (ledger / f"{PERIOD}.head").unlink()
    assert told(ledger) == {("a", "1 万元"): "说明通过", ("b", "1 万元"): "未处理"}
    explain(ledger, PERIOD, "张三", "口径不同", [finding("b").finding_id])
    assert told(ledger)["b", "1 万元"] == "已说明"
    rewritten(ledger, lambda kept: [kept[0], kept[1].replace("张三", "王五"), *kept[2:]])
    with pytest.raises(LedgerError, match="改动"):
        states(ledger, PERIOD)


def test_a_kill_between_a_line_and_its_head_costs_nothing(ledger: Path) -> None:
    head = (ledger / f"{PERIOD}.head").read_bytes()
    explain(ledger, PERIOD, "张三", "口径不同", [finding("b").finding_id])
    # A power failure may leave nothing of the new head, or a piece.
    for kept in (head, b"", head[:-30], b"4", b"\x00" * 40, None):
        path = ledger / f"{PERIOD}.head"
        path.unlink()
        if kept is not None:
            path.write_bytes(kept)
        assert told(ledger)["b", "1 万元"] == "已说明"
    assert head_of(ledger, PERIOD).number == 4
    decide(ledger, PERIOD, "accept", "李四", "已核", [finding("b").finding_id])
    assert blocking(ledger, PERIOD) == []


@pytest.mark.parametrize(
    "by", ["张 三", "张三 ", "　张三", "张\u200b三", "张\u2060三", "张三\u3164", "张三（预算处）", "张三(预算处", "张·三", "张三。"]
)  # fmt: skip
def test_one_person_under_another_spelling_is_still_one_person(ledger: Path, by: str) -> None:
    explain(ledger, PERIOD, "张三", "口径不同", [finding("b").finding_id])
    with pytest.raises(DecisionError, match="说明人"):
        decide(ledger, PERIOD, "accept", by, "已核", [finding("b").finding_id])


def test_names_in_letters_are_one_whatever_their_case_and_width_and_a_name_of_nothing_is_none(ledger: Path) -> None:
    explain(ledger, PERIOD, "Li Ming", "口径不同", [finding("b").finding_id])
    with pytest.raises(DecisionError, match="说明人"):
        decide(ledger, PERIOD, "accept", "ＬＩ　ｍｉｎｇ", "已核", [finding("b").finding_id])
    for nobody in ("\u3164", "。", "\u2060"):
        with pytest.raises(DecisionError, match="姓名"):
            decide(ledger, PERIOD, "accept", nobody, "已核", [finding("b").finding_id])
    decide(ledger, PERIOD, "accept", "李明", "已核", [finding("b").finding_id])


def test_what_changed_after_the_reviewer_read_it_is_not_decided_on(ledger: Path) -> None:
    waiting = finding("b").finding_id
    explain(ledger, PERIOD, "张三", "口径不同", [waiting])
    seen = head_of(ledger, PERIOD).number
    explain(ledger, PERIOD, "张三", "其实是漏报", [waiting])
    with pytest.raises(DecisionError, match="看过之后又变了"):
        decide(ledger, PERIOD, "accept", "李四", "已核", [waiting], seen=seen)
    result = run_sti("--home", ledger.parent, "findings", PERIOD)
    assert f"台账到第 {seen + 1} 条" in result.stderr
    for nowhere in (seen + 2, 0, -1):
        with pytest.raises(DecisionError, match=f"第 1 至 {seen + 1} 条"):
            decide(ledger, PERIOD, "accept", "李四", "已核", [waiting], seen=nowhere)
    decide(ledger, PERIOD, "accept", "李四", "已核", [waiting], seen=seen + 1)
    assert blocking(ledger, PERIOD) == []
