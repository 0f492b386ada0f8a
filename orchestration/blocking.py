"""What keeps a half-year from being published, in one place: every cause with who must act and how; and the returns that nobody sent.

Blocked by the text: an open 强制性 finding, a 核实性 one without an accepted explanation, a required return that is missing without a
decision. Beside that only our own order: nothing goes out that the gate has not let in.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from expectations import findings as ledger
from expectations.replay import NOT_SUBMITTED
from sources.contracts import Provider, providers, providers_of
from sources.finding import CLASS_ORDER, Finding
from sources.reading_rules import OUR_FAULT, breach
from sources.reference import periods
from warehouse import archive, layers
from warehouse.paths import Home

OFFICE, DATA_GROUP, REVIEWER = "市委科技办", "市委科技办数据组", "审核人"
OURS = frozenset((OUR_FAULT, "RD-097"))
"""Rules whose finding is the data group's to settle, though it is about a bureau's return."""

CAUSES_SHOWN = 10

CauseKind = Literal[
    "correct", "explain", "explain_again", "review", "decide_missing", "nothing_to_publish", "not_accepted"
]
KIND_LABELS: dict[CauseKind, str] = {
    "correct": "改正强制性问题",
    "explain": "说明或改正核实性问题",
    "explain_again": "说明被退回，重新说明或改正",
    "review": "审定说明",
    "decide_missing": "决定缺报",
    "nothing_to_publish": "等第一份准入",
    "not_accepted": "运行准入",
}


@dataclass(frozen=True)
class Cause:
    """One reason why a half-year may not be published: what it is, who must act, and what they do; its finding, if it is one.

    ``provider`` is whose return it is about, empty where it is nobody's alone; whom gate 2 asks, the finding says.
    """

    period: str
    kind: CauseKind
    actor: str
    message: str
    action: str
    finding: Finding | None = None
    provider: str = ""

    @property
    def place_count(self) -> int:
        """How many places it stands for: of the finding that closes a cut list all that are not listed."""
        return self.finding.stands_for_count if self.finding else 1

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        plain = {**asdict(self), "kind_label": KIND_LABELS[self.kind]}
        return plain | {"finding": self.finding.as_dict() if self.finding else None}


def blocking_causes(home: Home, period: str, scope: str = "") -> list[Cause]:
    """Return everything that blocks the publication of a period, hardest first; nothing else may block it.

    ``scope`` limits it to what one gate said, as for a half-year that is cleared otherwise.

    Raises:
        LedgerError: the ledger is damaged; nothing may pass.
    """
    states = ledger.states(home.findings, period)
    causes = [cause_of(period, state) for state in states if state.is_blocking and scope in ("", state.scope)]
    causes.sort(key=_hardness)
    if scope:
        return causes
    # Whose findings are open is not let in because of them; saying so would be no further cause.
    told = {cause.finding.provider for cause in causes if cause.finding}
    accepted = layers.accepted_periods(home).get(period, set())
    absent = [p for p in providers_of(periods()[period].kind) if p.provider not in told | accepted]
    agreed = _agreements_among(home, period, states)
    waited_for = [p for p in absent if p.provider not in agreed]
    causes += [_not_accepted(home, p, period) for p in waited_for]
    if causes or accepted:
        return causes
    message = f"{period} 一家的数据也没有准入"
    return [Cause(period, "nothing_to_publish", DATA_GROUP, message, "缺报可以决定，但全缺就没有可发布的数；请催报")]


def cause_of(period: str, state: ledger.FindingState) -> Cause:
    """Return what an open finding waits for, and whom."""
    finding = state.finding
    short = finding.finding_id[:8]
    if finding.rule_id == NOT_SUBMITTED:
        label = providers()[finding.provider].label
        how = f"催报；报不来的，由{OFFICE}决定：sti decide-missing {finding.provider} {period} --by 姓名 --reason 理由"
        return Cause(period, "decide_missing", f"{label}、{OFFICE}", finding.message, how, finding, finding.provider)
    who = actor_of(finding)
    if finding.rule_class == "mandatory":
        return Cause(period, "correct", who, finding.message, finding.action, finding, finding.provider)
    if state.state == ledger.EXPLAINED and state.explanation:
        how = f"sti decide {short} --accept（或 --return）--by 姓名 --reason 理由；不能是说明人 {state.explanation.by}"
        return Cause(period, "review", REVIEWER, finding.message, how, finding, finding.provider)
    where = "不属实的改正，属实的写进“核实说明”工作表，再报送" if who != DATA_GROUP else "请查明"
    if state.state == ledger.RETURNED and state.decision:
        why = f"说明被 {state.decision.by} 退回（{state.decision.reason}）"
        how = f"{why}。{where}；或 sti explain {short} --by 姓名 --text 说明"
        return Cause(period, "explain_again", who, finding.message, how, finding, finding.provider)
    how = f"{finding.action}{where}；或 sti explain {short} --by 姓名 --text 说明"
    return Cause(period, "explain", who, finding.message, how, finding, finding.provider)


def actor_of(finding: Finding) -> str:
    """Return who must correct or explain a finding: the bureau whose return it is about, those that gate 2 asks, else the data group."""
    if finding.asks:
        return "、".join(provider.label for name, provider in providers().items() if finding.ask_of(name))
    provider = providers().get(finding.provider)
    return DATA_GROUP if provider is None or finding.rule_id in OURS else provider.label


def next_actor(period: str, state: ledger.FindingState) -> str:
    """Return who must act next on a finding, and do what; a dash where nobody has to."""
    if not state.is_blocking:
        return "—"
    cause = cause_of(period, state)
    return f"{cause.actor}：{KIND_LABELS[cause.kind]}"


def by_actor(causes: Iterable[Cause]) -> list[str]:
    """Return one line per person who must act: what, and how much of it."""
    counts: dict[str, dict[CauseKind, int]] = defaultdict(lambda: defaultdict(int))
    for cause in causes:
        counts[cause.actor][cause.kind] += cause.place_count
    return [
        f"{actor}：" + "，".join(f"{KIND_LABELS[kind]} {count} 条" for kind, count in kinds.items())
        for actor, kinds in counts.items()
    ]


def refusal_text(period: str, causes: Sequence[Cause]) -> str:
    """Return why a half-year is not published, in a few lines: whose data it lacks, the causes, then who must act."""
    absent = [c.provider for c in causes if c.kind in ("decide_missing", "not_accepted")]
    lacks = f"还缺{'、'.join(providers()[p].label for p in absent)}的准入数据，" if absent else ""
    shown = [f"{cause.message}（{cause.actor}：{cause.action}）" for cause in causes[:CAUSES_SHOWN]]
    count, more_count = (sum(cause.place_count for cause in some) for some in (causes, causes[CAUSES_SHOWN:]))
    more = [f"另有 {more_count} 条"] if more_count else []
    return "\n".join([f"{period} {lacks}有 {count} 条阻断原因，不能发布：", *shown, *more, *by_actor(causes)])


def submission_scope(provider: str) -> str:
    """Return the ledger's scope of whether a provider has sent its return."""
    return f"submission:{provider}"


def missing_submission(home: Home, provider: Provider, period: str) -> list[Finding]:
    """Return the finding that a provider has sent nothing for a period; empty where it has."""
    if archive.versions(home, provider.provider, period):
        return []
    message = f"{provider.label}没有报送{periods()[period].name}的报表"
    where = {"file_name": "", "provider": provider.provider, "period": period}
    return [breach(NOT_SUBMITTED, message, subject="缺报", found="无", **where)]


def agreements(home: Home, period: str) -> dict[str, ledger.Decision]:
    """Return by provider the decisions that a period goes out without its figures; one whose return has come lapses with it."""
    return _agreements_among(home, period, ledger.states(home.findings, period))


def agreed_missing(home: Home, provider: Provider, period: str) -> ledger.Decision | None:
    """Return the decision that a period goes out without this provider's figures; None where nobody decided that, or the return came."""
    if archive.versions(home, provider.provider, period):
        # Nothing to look up in the ledger: a return that came has ended any decision.
        return None
    return agreements(home, period).get(provider.provider)


def agreed_text(provider: Provider, decision: ledger.Decision) -> str:
    """Return in words that a return is missing and who decided to publish without it."""
    return f"缺{provider.label}：{decision.by} {ledger.local_time(decision.at)} 同意缺报发布（{decision.reason}）"


def _agreements_among(home: Home, period: str, states: Iterable[ledger.FindingState]) -> dict[str, ledger.Decision]:
    return {
        state.finding.provider: state.decision
        for state in states
        if state.state == ledger.MISSING_AGREED
        and state.decision
        and not archive.versions(home, state.finding.provider, period)
    }


def _not_accepted(home: Home, provider: Provider, period: str) -> Cause:
    message = f"{period} 还缺{provider.label}的准入数据"
    if not archive.versions(home, provider.provider, period):
        how = f"催报；报不来的：sti decide-missing {provider.provider} {period} --by 姓名 --reason 理由"
        return Cause(period, "decide_missing", f"{provider.label}、{OFFICE}", message, how, provider=provider.provider)
    return Cause(period, "not_accepted", DATA_GROUP, message, f"运行 sti run {period}", provider=provider.provider)


def _hardness(cause: Cause) -> tuple[int, str, str]:
    finding = cause.finding
    return (CLASS_ORDER[finding.rule_class], finding.provider, finding.rule_id) if finding else (3, "", "")
