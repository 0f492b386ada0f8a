"""Ten thousand moves on the finding ledger, each compared with an independent model of what the text says, kept as plain as can be."""

import os
import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import pytest

from expectations.decisions import (
    DecisionError,
    Given,
    agree_missing,
    decide,
    explain,
    revoke,
    take_explanations,
    waive,
)
from expectations.findings import FindingState, accept_queries, blocking, record, states
from sources.finding import Finding

PERIOD = "2026H1"
LEDGERS, MOVES = 200, 50
PEOPLE = ("张三", "李四", "王五")
TEXTS = ("项目集中在上半年", "补拨上年尾款", "口径不同")
CLASSES = ("query", "query", "query", "mandatory", "note", "missing", "unread")
SCOPES = ("gate1:a", "gate1:a", "gate2", "gate1:a", "gate1:a", "submission:a", "gate1:a")
STATED = {
    "未处理": {"已说明", "已修改", "豁免", "说明通过", "同意缺报"},
    "已说明": {"说明通过", "退回", "已修改", "豁免", "未处理"},
    "退回": {"已说明", "已修改", "豁免", "说明通过", "未处理"},
    "豁免": {"未处理", "已说明", "退回", "已修改", "说明通过"},
    "说明通过": {"已修改", "未处理"},
    "同意缺报": {"已修改", "未处理"},
    "已修改": {"未处理"},
}
"""Where a state may go in one move; to 未处理 by a changed value, or by the end of what held it."""
OPEN = {"未处理", "已说明", "退回"}


def finding(unit: int, value: int, other: int) -> Finding:
    """A finding on a unit, with its own value and the other side's; a missing or unread return has no values."""
    kind = CLASSES[unit]
    rule_id = {"missing": "RD-022", "unread": "RD-034"}.get(kind, f"TST-00{unit}")
    rule_class = "mandatory" if kind in ("missing", "unread") else kind
    found, expected = f"{value} 万元", f"对方 {other} 万元"
    where = ("finance_bureau", "", PERIOD, "甲.xlsx", "ab", "表", "B4")
    return Finding(rule_id, rule_class, 1, *where, f"单位{unit}", found, expected, "问", "因", "办")  # type: ignore[arg-type]


@dataclass
class Occurrence:
    """What is true of one unit's finding from when it appears until it goes or a value changes."""

    value: int
    other: int
    explained_by: set[str] = field(default_factory=set)
    texts: set[str] = field(default_factory=set)
    verdict: str = ""
    until: date | None = None
    is_missing_agreed: bool = False

    def state(self, today: date) -> str:
        if self.verdict == "accepted":
            return "说明通过"
        if self.until and today <= self.until:
            return "豁免"
        if self.is_missing_agreed:
            return "同意缺报"
        if self.verdict == "returned":
            return "退回"
        return "已说明" if self.explained_by else "未处理"


class Walk:
    """One ledger, walked at random beside the model."""

    def __init__(self, folder: Path, draw: random.Random) -> None:
        self.folder, self.draw = folder, draw
        self.now = datetime(2026, 7, 20, 12, tzinfo=UTC)
        self.model: dict[int, Occurrence] = {}
        self.seen: set[str] = set()
        self.told: dict[str, str] = {}
        self.done: list[str] = []

    @property
    def today(self) -> date:
        return self.now.astimezone(ZoneInfo("Asia/Shanghai")).date()

    def move(self) -> None:
        moves = (self.judge, self.judge, self.say, self.say, self.hand_in, self.review, self.review, self.accept_all,
                 self.waive, self.revoke, self.miss, self.wait)  # fmt: skip
        chosen = self.draw.choice(moves)
        before = dict(self.told)
        chosen()
        self.compare(before, chosen.__name__)

    def judge(self) -> None:
        """A gate judges one scope anew: findings come, go, and change their own or the other side's value."""
        scope = self.draw.choice(SCOPES)
        found = []
        for unit in (u for u, s in enumerate(SCOPES) if s == scope):
            old = self.model.get(unit)
            what = self.draw.choice(("same", "same", "same", "gone", "value", "other", "other", "new"))
            if what == "gone" or (old is None and what == "same"):
                self.model.pop(unit, None)
                continue
            value, other = (old.value, old.other) if old else (1, 1)
            if what in ("value", "new"):
                value = self.draw.randint(1, 3)
            if what in ("other", "new"):
                other = self.draw.randint(1, 2)
            if old is None or (value, other) != (old.value, old.other):
                self.model[unit] = Occurrence(value, other)
            # The row may stand anywhere, in any file: that is no new finding.
            found.append(replace(finding(unit, value, other), cell=f"B{self.draw.randint(4, 9)}"))
        record(self.folder, PERIOD, scope, found, self.now)

    def say(self) -> None:
        unit, by, text = self.unit(), self.draw.choice(PEOPLE), self.draw.choice(TEXTS)
        self.expect(self.takes_text(unit, text), lambda i: explain(self.folder, PERIOD, by, text, [i], self.now), unit)
        if self.takes_text(unit, text):
            self.explained(unit, by, text)

    def hand_in(self) -> None:
        by, text = self.draw.choice(PEOPLE), self.draw.choice(TEXTS)
        units = [u for u in range(len(CLASSES)) if self.draw.random() < 0.5]
        given = [Given(self.id_of(u), by, text) for u in units]
        taken = take_explanations(self.folder, PERIOD, given, "2026H1-a-001", self.now)
        wanted = [u for u in units if self.takes_text(u, text)]
        assert taken == [self.id_of(u) for u in wanted]
        for unit in wanted:
            self.explained(unit, by, text)

    def review(self) -> None:
        unit, by = self.unit(), self.draw.choice(PEOPLE)
        verdict = self.draw.choice(("accept", "return"))
        at = self.model.get(unit)
        may = bool(at and CLASSES[unit] == "query" and at.explained_by and not at.verdict and by not in at.explained_by)
        self.expect(may, lambda i: decide(self.folder, PERIOD, verdict, by, "已核", [i], self.now), unit)  # type: ignore[arg-type]
        if at and may:
            at.verdict = "accepted" if verdict == "accept" else "returned"

    def accept_all(self) -> None:
        by = self.draw.choice(PEOPLE)
        found = [f for f in blocking(self.folder, PERIOD, at=self.now) if f.rule_class == "query"]
        own = [u for u, at in self.model.items() if self.is_open(u) and by in at.explained_by]
        if not found or own:
            with pytest.raises(DecisionError):
                accept_queries(self.folder, PERIOD, by, "一次认可", found, self.now)
            return
        accept_queries(self.folder, PERIOD, by, "一次认可", found, self.now)
        for unit, at in self.model.items():
            if CLASSES[unit] == "query" and self.is_open(unit):
                at.verdict = "accepted"

    def waive(self) -> None:
        unit, by, days = self.unit(), self.draw.choice(PEOPLE), self.draw.choice((-1, 0, 1, 3, 100, 400))
        until, at = self.today + timedelta(days=days), self.model.get(unit)
        longest = {"query": 366, "mandatory": 184}.get(CLASSES[unit], 0)
        may = bool(at and at.verdict != "accepted" and by not in at.explained_by and 0 <= days < longest)
        self.expect(may, lambda i: waive(self.folder, PERIOD, by, "待补件", until, [i], self.now), unit)
        if at and may:
            at.until = until

    def revoke(self) -> None:
        unit = self.unit()
        at = self.model.get(unit)
        may = bool(at and at.state(self.today) in ("豁免", "同意缺报"))
        self.expect(may, lambda i: revoke(self.folder, PERIOD, "张三", "不再需要", [i], self.now), unit)
        if at and may:
            at.until, at.is_missing_agreed = None, False

    def miss(self) -> None:
        unit = self.draw.choice((self.unit(), 5, 5))
        at = self.model.get(unit)
        may = bool(at and CLASSES[unit] == "missing" and not at.is_missing_agreed)
        self.expect(may, lambda i: agree_missing(self.folder, PERIOD, "张三", "机构改革", i, self.now), unit)
        if at and may:
            at.is_missing_agreed = True

    def wait(self) -> None:
        self.now += timedelta(hours=self.draw.choice((3, 8, 24, 72)))

    def unit(self) -> int:
        """A unit; the queries, which have the most moves, oftenest."""
        return self.draw.choice((0, 0, 1, 1, 2, 2, 3, 4, 5, 6))

    def id_of(self, unit: int) -> str:
        at = self.model.get(unit, Occurrence(9, 9))
        return finding(unit, at.value, at.other).finding_id

    def is_open(self, unit: int) -> bool:
        return self.model[unit].state(self.today) in OPEN

    def takes_text(self, unit: int, text: str) -> bool:
        at = self.model.get(unit)
        return bool(at and CLASSES[unit] == "query" and at.verdict != "accepted" and text not in at.texts)

    def explained(self, unit: int, by: str, text: str) -> None:
        at = self.model[unit]
        at.explained_by.add(by)
        at.verdict = ""
        at.texts.add(text)

    def expect(self, may: bool, act, unit: int) -> None:  # type: ignore[no-untyped-def]
        if may:
            act(self.id_of(unit))
            return
        with pytest.raises(DecisionError) as refused:
            act(self.id_of(unit))
        assert len(str(refused.value)) > 10

    def compare(self, before: dict[str, str], what: str) -> None:
        found: dict[str, FindingState] = {s.finding.finding_id: s for s in states(self.folder, PERIOD, self.now)}
        self.told = {finding_id: state.state for finding_id, state in found.items()}
        self.done.append(what)
        wanted = {self.id_of(unit): at.state(self.today) for unit, at in self.model.items()}
        self.seen |= set(wanted)
        assert self.told == dict.fromkeys(self.seen, "已修改") | wanted, self.done
        for finding_id, state in found.items():
            must_wait = state.finding.rule_class != "note" and wanted.get(finding_id) in OPEN
            assert state.is_blocking == must_wait, self.done
        assert {f.finding_id for f in blocking(self.folder, PERIOD, at=self.now)} == {
            i for i, s in found.items() if s.is_blocking
        }
        for finding_id, state_before in before.items():
            after = self.told[finding_id]
            assert after == state_before or after in STATED[state_before], (state_before, after, self.done)


@pytest.fixture
def in_memory(tmp_path: Path) -> Iterator[Path]:
    """A folder where syncing to disk costs nothing, if the machine has one: ten thousand syncs are not what is tested."""
    shared = Path("/dev/shm")
    with TemporaryDirectory(dir=shared if os.access(shared, os.W_OK) else tmp_path) as folder:
        yield Path(folder)


def test_ten_thousand_moves_go_only_where_the_text_says_and_every_open_state_blocks(in_memory: Path) -> None:
    seen: set[tuple[str, str]] = set()
    moves = 0
    for seed in range(LEDGERS):
        walk = Walk(in_memory / str(seed), random.Random(seed))
        for _ in range(MOVES):
            before = dict(walk.told)
            walk.move()
            moves += 1
            seen |= {(before[i], walk.told[i]) for i in before}
    assert moves >= 10_000
    # Every arrow of the text was walked, many times over; what was never tried would prove nothing.
    assert {(a, b) for a, b in seen if a != b} == {(a, b) for a, nexts in STATED.items() for b in nexts}
