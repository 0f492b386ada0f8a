"""Who may move a finding how: explanations, the reviewers' decisions, waivers, and decisions on returns that nobody sent.

Every move is judged on the ledger as it stands, under its lock, and written as one event, whole or not at all. A move that is refused
raises `DecisionError`, which says for every finding why, and what to do instead.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from expectations.authority import Authority, authority_in
from expectations.ledger_file import append, events_of, locked, stamp
from expectations.replay import (
    ACCEPTED,
    MISSING_AGREED,
    NOT_SUBMITTED,
    OPEN,
    RETURNED,
    WAIVED,
    Decision,
    FindingState,
    Replay,
    Track,
    decision_of,
    local_day,
    text_key,
    value_of,
)
from sources.finding import CLASS_LABELS, Finding
from sources.text import clean, label_of, person_of

MOST_SAID = 5
Verdict = Literal["accept", "return"]


class DecisionError(ValueError):
    """A move that may not be made; the message says why and what to do."""


@dataclass(frozen=True)
class Given:
    """An explanation as a hand-in gives it: for which finding, by whom, in what words."""

    finding_id: str
    by: str
    text: str


_Judge = Callable[[Track, FindingState], str]


def explain(
    directory: Path, period: str, by: str, text: str, finding_ids: Sequence[str], at: datetime | None = None
) -> list[FindingState]:
    """Record an explanation of 核实性 findings by a named person, and return where they stand then.

    Raises:
        DecisionError: no name or text, or one of the findings takes no explanation.
        LedgerError: the ledger is damaged.
    """
    by, text = _said(by, text, "说明须写明说明人姓名（--by）和说明（--text）")
    _refuse(authority_in(directory).explain.refusal(by, "代填说明"))

    def refusal(track: Track, state: FindingState) -> str:
        return _no_explanation_wanted(track, state, text)

    event = {
        "event": "explained",
        "source": "",
        "entries": [{"finding_id": i, "by": by, "text": text} for i in finding_ids],
    }
    return _move(directory, period, finding_ids, refusal, event, at)


def take_explanations(
    directory: Path, period: str, given: Iterable[Given], source: str, at: datetime | None = None
) -> list[str]:
    """Record the explanations of a hand-in where they are new and a finding waits for them; return those findings' ids.

    The same words for the same value are taken once: a workbook that is judged again says nothing new, after a return (退回) least of all.

    Raises:
        LedgerError: the ledger is damaged.
    """
    given = list(given)
    if not given:
        return []
    with locked(directory, period) as file:
        events, head = events_of(file)
        replay, day = Replay(events), local_day(at)
        taken = [
            one
            for one in given
            if (tracks := replay.standing(one.finding_id))
            and all(not _no_explanation_wanted(t, t.state_on(day), one.text) for t in tracks)
        ]
        if taken:
            entries = [{"finding_id": one.finding_id, "by": one.by, "text": one.text} for one in taken]
            event = {"event": "explained", "at": stamp(at), "source": source, "entries": entries}
            append(file, head, event)
    return [one.finding_id for one in taken]


def decide(
    directory: Path,
    period: str,
    verdict: Verdict,
    by: str,
    reason: str,
    finding_ids: Sequence[str],
    at: datetime | None = None,
    seen: int | None = None,
) -> list[FindingState]:
    """Accept or return the explanations of 核实性 findings by a named reviewer, and return where they stand then.

    ``seen`` is the number of the ledger's event up to which the reviewer has read; what has changed after it is not decided on.

    Raises:
        DecisionError: no name or reason, a reviewer who explained it, a finding whose explanation does not wait for a decision, or one that the
            reviewer has not seen as it now stands.
        LedgerError: the ledger is damaged.
    """
    by, reason = _said(by, reason, "审定须写明审核人姓名（--by）和理由（--reason）")
    _refuse(authority_in(directory).accept.refusal(by, "说明通过或退回"))

    def refusal(track: Track, state: FindingState) -> str:
        if track.finding.rule_class != "query":
            return _not_to_explain(track.finding)
        if state.state in (OPEN, RETURNED) or not track.explanation:
            wait = "上一次的说明已退回，还没有新的说明" if state.state == RETURNED else "还没有说明"
            return f"{wait}，不能审定；请先由报送单位在“核实说明”工作表写明，或用 sti explain 写明"
        if state.state == ACCEPTED:
            return "已经说明通过，不需要再审定"
        if track.verdict:
            return "说明已退回；请等新的说明"
        return _same_person(track, by)

    kind = "explanation_accepted" if verdict == "accept" else "returned"
    return _move(directory, period, finding_ids, refusal, _decided(kind, by, reason, finding_ids), at, seen)


def accept_in_one_go(
    directory: Path,
    period: str,
    by: str,
    reason: str,
    finding_ids: Iterable[str],
    at: datetime | None = None,
    decision_id: str = "",
) -> Decision:
    """Accept 核实性 findings, explained or not, in one recorded decision (``sti run --accept-queries``).

    What counts is the finding as the ledger holds it: it must be current and of class query there. A decision that is taken gate by
    gate, within one run, is recorded under one ``decision_id``.

    Raises:
        DecisionError: no name or reason, no finding, one that is not current or not 核实性, or one that this person explained.
        LedgerError: the ledger is damaged.
    """
    wanted = list(dict.fromkeys(finding_ids))
    by, reason = _said(by, reason, "说明通过须写明审核人姓名和理由")
    _refuse(authority_in(directory).accept.refusal(by, "一次认可"))
    if not wanted:
        raise DecisionError("没有要说明通过的核实性问题")

    def refusal(track: Track, state: FindingState) -> str:
        if track.finding.rule_class != "query":
            return f"是{CLASS_LABELS[track.finding.rule_class]}的，只有核实性问题可以说明通过"
        return "已经说明通过，不需要再认可" if state.state == ACCEPTED else _same_person(track, by)

    event = _decided("accepted", by, reason, wanted, decision_id=decision_id)
    _move(directory, period, wanted, refusal, event, at)
    return decision_of(event)


def may_accept(state: FindingState, by: str) -> bool:
    """Whether a person may accept a query: they did not explain it themselves, nor before somebody else did."""
    return not _own_name(state.explained_by, by)


def waive(
    directory: Path,
    period: str,
    by: str,
    reason: str,
    until: date,
    finding_ids: Sequence[str],
    at: datetime | None = None,
) -> list[FindingState]:
    """Waive (豁免) open findings until a day of the Shanghai calendar, that day included; return where they stand then.

    Raises:
        DecisionError: no name or reason, a day that is past or too far off, or a finding that this person may not waive.
        LedgerError: the ledger is damaged.
    """
    by, reason = _said(by, reason, "豁免须写明决定人姓名（--by）和理由（--reason）")
    authority, today = authority_in(directory), local_day(at)
    if until < today:
        raise DecisionError(f"豁免的截止日 {until} 已经过去（今天是 {today}）；请写今天或以后的日子（--until）")

    def refusal(track: Track, state: FindingState) -> str:
        if state.state == ACCEPTED:
            return "已经说明通过，不需要豁免"
        return (
            authority.waiver_refusal(track.finding, by)
            or _too_long(authority, track, until, today)
            or _same_person(track, by)
        )

    return _move(directory, period, finding_ids, refusal, _decided("waived", by, reason, finding_ids, until=until), at)


def agree_missing(
    directory: Path, period: str, by: str, reason: str, finding_id: str, at: datetime | None = None
) -> list[FindingState]:
    """Decide that a release may go out without a required submission; it lapses by itself when the submission arrives.

    Raises:
        DecisionError: no name or reason, a person who may not, or the finding is not that of a missing submission.
        LedgerError: the ledger is damaged.
    """
    by, reason = _said(by, reason, "缺报的决定须写明决定人姓名（--by）和理由（--reason）")
    _refuse(authority_in(directory).missing.refusal(by, "缺报仍发布"))

    def refusal(track: Track, state: FindingState) -> str:
        if track.finding.rule_id != NOT_SUBMITTED:
            return "不是缺报；强制性问题须改正，或用 sti waive 限期豁免"
        return "已有缺报的决定；要改请先撤销（sti revoke）" if track.missing else ""

    return _move(directory, period, [finding_id], refusal, _decided("missing", by, reason, [finding_id]), at)


def revoke(
    directory: Path, period: str, by: str, reason: str, finding_ids: Sequence[str], at: datetime | None = None
) -> list[FindingState]:
    """Revoke a waiver, or a decision on a missing submission, before its time; the finding is open again at once.

    Raises:
        DecisionError: no name or reason, or there is nothing to revoke.
        LedgerError: the ledger is damaged.
    """
    by, reason = _said(by, reason, "撤销须写明姓名（--by）和理由（--reason）")

    def refusal(track: Track, state: FindingState) -> str:
        if state.state in (WAIVED, MISSING_AGREED):
            return ""
        return "没有生效的豁免或缺报决定可撤销" + ("；说明通过只随数值改变失效" if state.state == ACCEPTED else "")

    return _move(directory, period, finding_ids, refusal, _decided("revoked", by, reason, finding_ids), at)


def _move(
    directory: Path,
    period: str,
    finding_ids: Sequence[str],
    refusal: _Judge,
    event: dict[str, Any],
    at: datetime | None,
    seen: int | None = None,
) -> list[FindingState]:
    """Write an event if none of its findings refuses it; all or nothing."""
    with locked(directory, period) as file:
        events, head = events_of(file)
        if seen is not None and not 0 < seen <= len(events):
            raise DecisionError(
                f"--seen {seen}：{period} 的台账只有第 1 至 {len(events)} 条；请照 sti findings {period} 末行写"
            )
        replay, day = Replay(events), local_day(at)
        before = replay if seen is None else Replay(events[:seen])
        reasons = []
        for finding_id in finding_ids:
            tracks = replay.standing(finding_id)
            if not tracks:
                reasons.append(f"问题 {finding_id} 不在 {period} 的现有问题中，可能已修改或数值已变")
            for track in tracks:
                why = refusal(track, track.state_on(day)) or _not_seen(track, before.standing(finding_id))
                if why:
                    reasons.append(
                        f"问题 {finding_id}（{track.finding.rule_id}，{track.finding.place or track.finding.subject}）{why}"
                    )
        if reasons:
            more = f"……另有 {len(reasons) - MOST_SAID} 条" if len(reasons) > MOST_SAID else ""
            raise DecisionError("\n".join(reasons[:MOST_SAID]) + more)
        event["at"] = stamp(at)
        if event["event"] == "decided":
            event["decision_id"] = event["decision_id"] or f"{period}-{len(events) + 1:05d}"
        append(file, head, event)
        after = Replay([*events, event])
    return [track.state_on(day) for finding_id in finding_ids for track in after.standing(finding_id)]


def _decided(
    kind: str, by: str, reason: str, finding_ids: Sequence[str], *, until: date | None = None, decision_id: str = ""
) -> dict[str, Any]:
    event = {"event": "decided", "decision_id": decision_id, "kind": kind, "by": by, "reason": reason}
    return event | {"finding_ids": list(finding_ids)} | ({"until": until.isoformat()} if until else {})


def _said(by: str, words: str, message: str) -> tuple[str, str]:
    by, words = clean(by), clean(words)
    if not person_of(by) or not label_of(words):
        raise DecisionError(message)
    return by, words


def _refuse(why: str) -> None:
    if why:
        raise DecisionError(why)


def _no_explanation_wanted(track: Track, state: FindingState, text: str) -> str:
    """Return why a finding takes no (new) explanation; empty where it does."""
    if track.finding.rule_class != "query":
        return _not_to_explain(track.finding)
    if state.state == ACCEPTED:
        return "已经说明通过，不需要再说明"
    if text_key(text) in track.texts:
        return "这条说明已经登记过" + (
            "，并且已退回；请针对退回的理由写新的说明" if state.state == RETURNED else "，不需要重复"
        )
    return ""


def _not_to_explain(finding: Finding) -> str:
    if finding.rule_class == "mandatory":
        return "是强制性的，说明不起作用：须改正后重新报送，或由有权的人限期豁免（sti waive）"
    return "只是提示，不需要说明，也不挡发布"


def _same_person(track: Track, by: str) -> str:
    name = _own_name(track.explained_by, by)
    return f"是 {name} 说明过的，不能由说明人自己审定；请另一个人来决定" if name else ""


def _own_name(names: Iterable[str], by: str) -> str:
    """Return under which of the names a person has spoken; empty if under none."""
    return next((name for name in sorted(names) if person_of(name) == person_of(by)), "")


def _not_seen(track: Track, before: Sequence[Track]) -> str:
    """Return why a decision comes too early: what was said of a finding, or a value in it, has changed since its reviewer read it."""
    same = [old for old in before if old.scope == track.scope and value_of(old.finding) == value_of(track.finding)]
    if same and (same[0].explanation, same[0].verdict) == (track.explanation, track.verdict):
        return ""
    return "在您看过之后又变了（数或说明）；请重新看一遍（sti findings）再审定"


def _too_long(authority: Authority, track: Track, until: date, today: date) -> str:
    power = authority.waiver_of(track.finding)
    last = today + timedelta(days=power.most_days - 1) if power else today
    return "" if until <= last else f"最长豁免到 {last}；到期仍未解决的再决定一次"
