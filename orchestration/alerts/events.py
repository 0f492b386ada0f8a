"""What there is to tell now: derived anew each time from the calendar, the archive, the ledger, the publication and Dagster's runs.

Nothing in a run sends or even notes an alert, so that no alert can hold up a run or be lost with it.
"""

import hashlib
import math
from dataclasses import dataclass, field

from orchestration import running
from orchestration.alerts.wording import KINDS
from orchestration.blocking import blocking_causes
from orchestration.status import due_text
from orchestration.submissions import AWAITING, IN_REVIEW, NOT_DUE, RETURNED, Submission
from sources.calendar import Calendar
from sources.reference import periods
from warehouse import archive
from warehouse.paths import Home
from warehouse.publish import published_at, published_inputs


@dataclass(frozen=True)
class Event:
    """Something that happened, or that stands as long as it is found again.

    ``key`` names it for good; a new ``stage`` of a standing one is told anew (the next reminder, another version returned). ``is_old``: nobody
    who begins to look today needs to be told one by one.
    """

    kind: str
    key: str
    stage: str = ""
    provider: str = ""
    facts: dict[str, str] = field(default_factory=dict)
    is_old: bool = False

    @property
    def has_end(self) -> bool:
        """Whether it stands until something is done."""
        return KINDS[self.kind].has_end


@dataclass(frozen=True)
class LastRun:
    """How the last finished run of a period ended; ``is_blocked``: by what was found in the returns, not by an error.

    ``ended_at``: seconds since 1970.
    """

    run_id: str
    is_success: bool
    is_blocked: bool = False
    ended_at: float = math.inf


def happening(home: Home, found: list[Submission], runs: dict[str, LastRun], rules: Calendar) -> list[Event]:
    """Return all there is to tell of the returns as they stand, in a fixed order; ``runs``: the last finished run by period."""
    result: list[Event] = []
    for period in dict.fromkeys(each.period for each in found if each.is_owed):
        mine = [each for each in found if each.period == period]
        if mine[0].today >= mine[0].opens_on:
            due = max((each.deadline for each in mine), key=lambda d: d.due_on)
            facts = _facts(period) | {"due": f"{due.due_on}" + ("（暂定）" if due.is_provisional else "")}
            result.append(Event("opened", f"opened:{period}", facts=facts))
        is_old = any(_is_due_after(other, mine[0]) for other in found)
        for each in mine:
            result += _of_return(home, rules, each, is_old)
    return [*result, *_of_runs(home, runs), *_published(home, rules)]


def _is_due_after(other: Submission, each: Submission) -> bool:
    """Whether a return of the same kind, but for a later period, is due already."""
    a, b = periods()[other.period], periods()[each.period]
    return a.kind == b.kind and a.ends_on > b.ends_on and other.is_owed and other.today > other.deadline.due_on


def _facts(period: str) -> dict[str, str]:
    return {"period": period, "period_name": periods()[period].name}


def _of_return(home: Home, rules: Calendar, each: Submission, is_old: bool) -> list[Event]:
    facts = _facts(each.period) | {
        "provider": each.provider.label,
        "due": due_text(each),
        "remaining": each.remaining,
        "version": str(each.version_count),
        "receipt_no": each.receipt_no,
        "state": each.state,
    }

    def event(kind: str, stage: str = "", more: str = "", **other: str) -> Event:
        key = f"{kind}:{each.period}:{each.provider.provider}{more}"
        is_known = is_old and kind == "overdue"
        return Event(kind, key, stage, each.provider.provider, facts | {"stage": stage} | other, is_known)

    result = [
        event("received", more=f":{receipt.receipt_no}", version=str(number), receipt_no=receipt.receipt_no)
        for number, receipt in enumerate(archive.versions(home, each.provider.provider, each.period), 1)
    ]
    if each.state == NOT_DUE and each.today >= each.opens_on:
        reached = [n for n, day in rules.reminders(each.deadline.due_on) if day <= each.today]
        result += [event("reminder", str(min(reached)))] if reached else []
    if each.is_overdue:
        reached = [n for n, day in rules.escalations(each.deadline.due_on) if day <= each.today]
        result.append(event("overdue", str(max(reached, default=0))))
    if each.state == RETURNED:
        result.append(event("returned", each.receipt_no))
    # Until the reviewer has decided; explained alone is not over.
    if each.state in (AWAITING, IN_REVIEW):
        result.append(event("awaiting", each.receipt_no))
    return result


def _of_runs(home: Home, runs: dict[str, LastRun]) -> list[Event]:
    stopped = running.interrupted(home)
    result = [
        Event(
            "run_interrupted",
            f"run_interrupted:{mark.period}",
            mark.run_id,
            facts=_facts(mark.period) | {"run": mark.run_id.split("-")[0]},
        )
        for mark in stopped
    ]
    told = {mark.run_id for mark in stopped}
    for period, run in sorted(runs.items()):
        if not run.is_success and period in periods() and run.run_id not in told and not _is_over(home, period, run):
            kind = "run_blocked" if run.is_blocked else "run_failed"
            facts = _facts(period) | {"run": run.run_id.split("-")[0]}
            result.append(Event(kind, f"{kind}:{period}", run.run_id, facts=facts))
    return result


def _is_over(home: Home, period: str, run: LastRun) -> bool:
    """Whether a period has gone out since with the run of another one, and nothing keeps it from going out again."""
    published = {key.split("/")[1] for key in published_inputs(home)}
    return period in published and published_at(home) > run.ended_at and not blocking_causes(home, period)


def _published(home: Home, rules: Calendar) -> list[Event]:
    inputs: dict[str, list[str]] = {}
    for key, sha256 in sorted(published_inputs(home).items()):
        inputs.setdefault(key.split("/")[1], []).append(f"{key} {sha256}")
    return [
        Event(
            "published",
            f"published:{period}:{hashlib.sha256(' '.join(files).encode()).hexdigest()[:12]}",
            facts=_facts(period),
        )
        for period, files in inputs.items()
        if rules.is_owed(period)
    ]
