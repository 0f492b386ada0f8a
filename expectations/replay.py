"""From the ledger's events to where every finding stands: its state, its explanation, its decision, its history.

States and moves: 未处理 → 已修改 | 已说明 → 说明通过 | 退回; 退回 → 已说明 | 已修改; 豁免 until its last day, then open as before; for a
return that nobody sent also 同意缺报. Whatever was said or decided holds for one occurrence of a finding, that is for its rule, unit, period
and **value**: when the finding goes away, or a value in it changes, it lapses, and what comes back starts at 未处理.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from expectations.ledger_file import SHANGHAI
from sources.finding import Finding

OPEN = "未处理"
CORRECTED = "已修改"
EXPLAINED = "已说明"
ACCEPTED = "说明通过"
RETURNED = "退回"
WAIVED = "豁免"
MISSING_AGREED = "同意缺报"
OPEN_STATES = frozenset((OPEN, EXPLAINED, RETURNED))
"""The states that a release has to wait for, of 强制性 and 核实性 findings."""

NOT_SUBMITTED = "RD-022"
"""The rule that a required submission is missing; nothing but a decision for it, or the submission, ends it."""

ACCEPTING = frozenset(("accepted", "explanation_accepted"))
"""``accepted``: in one go, with or without an explanation (``sti run --accept-queries``); ``explanation_accepted``: one by one."""

KIND_LABELS = {
    "accepted": "一次认可",
    "explanation_accepted": "说明通过",
    "returned": "退回",
    "waived": "豁免",
    "missing": "同意缺报",
    "revoked": "撤销",
}
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


@dataclass(frozen=True)
class Explanation:
    """What a provider, or a named person for it, says of a 核实性 finding; ``source`` is the hand-in's 受理号, empty for ``sti explain``."""

    by: str
    text: str
    at: datetime
    source: str = ""


@dataclass(frozen=True)
class Decision:
    """One recorded decision by a named person, on the findings that it lists and no others; ``until`` is a waiver's last day."""

    decision_id: str
    kind: str
    at: datetime
    by: str
    reason: str
    finding_ids: tuple[str, ...]
    until: date | None = None


@dataclass(frozen=True)
class FindingState:
    """A finding with its scope, its state in Chinese, the decision that the state rests on, if any, its explanation, and since when it stands."""

    finding: Finding
    scope: str
    state: str
    decision: Decision | None = None
    explanation: Explanation | None = None
    since: datetime | None = None
    explained_by: frozenset[str] = frozenset()
    """Everybody who has explained it as it stands, whoever spoke last; none of them may decide on it."""

    @property
    def is_blocking(self) -> bool:
        """Whether a release has to wait: an open mandatory finding, or a query without an accepted explanation."""
        return self.finding.rule_class != "note" and self.state in OPEN_STATES


@dataclass(frozen=True)
class Happening:
    """One line of a finding's history: when, what, by whom (empty for the gates), and the words."""

    at: datetime
    what: str
    by: str = ""
    words: str = ""


@dataclass
class Track:
    """One occurrence of a finding, from when a gate first said it until it goes away or its value changes."""

    finding: Finding
    scope: str
    since: datetime
    is_standing: bool = True
    explanation: Explanation | None = None
    verdict: Decision | None = None
    waiver: Decision | None = None
    missing: Decision | None = None
    texts: set[str] = field(default_factory=set)
    explained_by: set[str] = field(default_factory=set)

    def state_on(self, day: date) -> FindingState:
        """Return where it stands on a day of the Shanghai calendar."""
        state, decision = self._told(day)
        return FindingState(
            self.finding, self.scope, state, decision, self.explanation, self.since, frozenset(self.explained_by)
        )

    def _told(self, day: date) -> tuple[str, Decision | None]:
        if not self.is_standing:
            return CORRECTED, self.verdict
        if self.verdict and self.verdict.kind in ACCEPTING:
            return ACCEPTED, self.verdict
        if self.waiver and self.waiver.until and day <= self.waiver.until:
            return WAIVED, self.waiver
        if self.missing:
            return MISSING_AGREED, self.missing
        if self.verdict:
            return RETURNED, self.verdict
        return (EXPLAINED if self.explanation else OPEN), None


class Replay:
    """Every finding that a ledger knows, after its events."""

    def __init__(self, events: Iterable[dict[str, Any]]) -> None:
        self.tracks: dict[tuple[str, str], Track] = {}
        self.histories: dict[str, list[Happening]] = {}
        self.texts: dict[tuple[str, ...], dict[str, set[tuple[str, ...]]]] = {}
        """Per rule, table and unit the explanations ever given, with the values that they were given for."""
        self._by_id: dict[str, list[Track]] = {}
        for event in events:
            if event["event"] == "recorded":
                self._record(event)
            elif event["event"] == "explained":
                self._explain(event)
            else:
                self._decide(event)

    def states(self, at: datetime | None = None) -> list[FindingState]:
        """Return every finding's state at a time (now, unless given)."""
        day = local_day(at)
        return [track.state_on(day) for track in self.tracks.values()]

    def standing(self, finding_id: str) -> list[Track]:
        """Return the current occurrences of a finding, one per scope; none where it is gone or unknown."""
        return [track for track in self._by_id.get(finding_id, ()) if track.is_standing]

    def _record(self, event: dict[str, Any]) -> None:
        scope, at = event["scope"], datetime.fromisoformat(event["at"])
        found = {f.finding_id: f for f in (Finding.from_dict(entry) for entry in event["findings"])}
        for (of_scope, finding_id), track in self.tracks.items():
            if of_scope == scope and track.is_standing and finding_id not in found:
                track.is_standing = False
                self._tell(finding_id, at, CORRECTED, words="不再有这个问题：已修改、已补报，或数值已变")
        for finding_id, finding in found.items():
            known = self.tracks.get((scope, finding_id))
            if known and known.is_standing and _is_same(known.finding, finding):
                known.finding = finding
                continue
            again = "（原有的说明和决定不再有效）" if known else ""
            self.tracks[scope, finding_id] = self._replace(known, Track(finding, scope, at))
            self._tell(finding_id, at, OPEN, words=f"{finding.place or finding.subject}：{finding.message}{again}")

    def _replace(self, old: Track | None, new: Track) -> Track:
        of_id = self._by_id.setdefault(new.finding.finding_id, [])
        if old:
            of_id.remove(old)
        of_id.append(new)
        return new

    def _explain(self, event: dict[str, Any]) -> None:
        at, source = datetime.fromisoformat(event["at"]), event["source"]
        for entry in event["entries"]:
            said = Explanation(entry["by"], entry["text"], at, source)
            for track in self.standing(entry["finding_id"]):
                track.explanation, track.verdict = said, None
                track.explained_by.add(said.by)
                track.texts.add(text_key(said.text))
                given = self.texts.setdefault(unit_key(track.finding), {})
                given.setdefault(text_key(said.text), set()).add(value_of(track.finding))
            self._tell(entry["finding_id"], at, EXPLAINED, said.by, said.text)

    def _decide(self, event: dict[str, Any]) -> None:
        taken = decision_of(event)
        for finding_id in taken.finding_ids:
            for track in self.standing(finding_id):
                if taken.kind == "waived":
                    track.waiver = taken
                elif taken.kind == "missing":
                    track.missing = taken
                elif taken.kind == "revoked":
                    track.waiver = track.missing = None
                elif track.finding.rule_class == "query":
                    track.verdict = taken
            until = f"（到 {taken.until}，当天为止）" if taken.until else ""
            self._tell(finding_id, taken.at, KIND_LABELS[taken.kind] + until, taken.by, taken.reason)

    def _tell(self, finding_id: str, at: datetime, what: str, by: str = "", words: str = "") -> None:
        self.histories.setdefault(finding_id, []).append(Happening(at, what, by, words))


def decision_of(event: dict[str, Any]) -> Decision:
    """Return the decision that an event records."""
    return Decision(
        event["decision_id"],
        event["kind"],
        datetime.fromisoformat(event["at"]),
        event["by"],
        event["reason"],
        tuple(event["finding_ids"]),
        date.fromisoformat(event["until"]) if event.get("until") else None,
    )


def local_day(at: datetime | None = None) -> date:
    """Return the day in Shanghai at a time (now, unless given): waivers end with it."""
    return (at or datetime.now(UTC)).astimezone(SHANGHAI).date()


def text_key(text: str) -> str:
    """Return an explanation as it compares: the same words, however spaced, are the same explanation."""
    return "".join(text.split())


def unit_key(finding: Finding) -> tuple[str, ...]:
    """Return the rule and unit that a finding is about, whatever its value."""
    return (finding.rule_id, finding.provider, finding.table_id, finding.subject)


def value_of(finding: Finding) -> tuple[str, ...]:
    """Return the value that an explanation binds to: what was found, and the other side's numbers that it was compared with.

    Not the wording of ``expected``: a rule that is put better asks nothing new.
    """
    return (finding.found, *_numbers(finding.expected))


def _numbers(text: str) -> Iterator[str]:
    return (match.group() for match in _NUMBER.finditer(text))


def _is_same(one: Finding, other: Finding) -> bool:
    return one.rule_class == other.rule_class and value_of(one) == value_of(other)
