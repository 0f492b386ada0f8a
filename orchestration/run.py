"""One half-year or year from the command line: the same Dagster job as in the UI, in this process, without a daemon."""

import os
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from expectations import findings as ledger
from orchestration import running
from orchestration.blocking import Cause, blocking_causes
from sources import reader_process
from sources.finding import Finding, in_order, place_count
from sources.reference import periods
from warehouse.paths import Home, write_atomically

BLOCKED_BY_US = {"DagsterAssetCheckFailedError", "Failure"}


@dataclass(frozen=True)
class RunOutcome:
    """How a run ended: ``published``; the findings that block, hardest first; the steps that refused, with their own words.

    ``causes`` are all that block the period, findings among them, with who must act.
    """

    period: str
    is_published: bool
    blocking: list[Finding] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    accepted_query_count: int = 0
    causes: list[Cause] = field(default_factory=list)


class RunBroke(RuntimeError):
    """A step failed for a reason that is no finding: an internal error."""


def prepare(home: Home) -> None:
    """Create the home's Dagster store with telemetry and first-run dialogs off, and point this process at it."""
    path = home.dagster / "dagster.yaml"
    content = yaml.safe_dump(_dagster_yaml(home), sort_keys=True).encode()
    if not path.exists() or path.read_bytes() != content:
        write_atomically(path, content)
    os.environ["DAGSTER_HOME"] = str(home.dagster)
    os.environ["STI_HOME"] = str(home.root)


def _dagster_yaml(home: Home) -> dict[str, Any]:
    return {
        "telemetry": {"enabled": False},
        "nux": {"enabled": False},
        # One run at a time: every run writes the one private candidate.
        "run_coordinator": {
            "module": "dagster.core.run_coordinator",
            "class": "QueuedRunCoordinator",
            "config": {"max_concurrent_runs": 1},
        },
        "event_log_storage": {
            "module": "orchestration.event_log",
            "class": "PooledSqliteEventLogStorage",
            "config": {"base_dir": str(home.dagster / "history" / "runs")},
        },
    }


def run_period(
    home: Home, period: str, *, inbox: Path | None = None, accept_by: str = "", accept_reason: str = ""
) -> RunOutcome:
    """Run the whole job for one half-year or year.

    Args:
        home: where everything is kept.
        period: a key of the calendar such as ``2026H1`` or ``2025``.
        inbox: folder tree to receive from; None works from the archive.
        accept_by: who accepts all open 核实性 findings of this run, if anybody.
        accept_reason: why.

    Raises:
        RunBroke: a step failed for a reason that is no finding.
    """
    prepare(home)
    # The reader's imports run beside Dagster's.
    reader_process.start()
    import dagster as dg

    from orchestration.definitions import HALF_YEAR_JOB, YEAR_JOB, defs

    options = {
        "home": str(home.root),
        "inbox": str(inbox or ""),
        "accept_by": accept_by,
        "accept_reason": accept_reason,
    }
    accepted_before = _accepted(home, period)
    run_id = str(uuid.uuid4())
    with dg.DagsterInstance.get() as instance, running.under_way(home, run_id, period):
        job = YEAR_JOB if periods()[period].kind == "year" else HALF_YEAR_JOB
        result = defs.resolve_job_def(job).execute_in_process(
            partition_key=period,
            instance=instance,
            run_id=run_id,
            raise_on_error=False,
            run_config={"resources": {"options": {"config": options}}, "loggers": {"console": {}}},
        )
    failures = [event.step_failure_data for event in result.all_events if event.is_step_failure]
    unexpected = [each.error for each in failures if each.error and each.error.cls_name not in BLOCKED_BY_US]
    if unexpected:
        raise RunBroke("\n\n".join(error.to_string() for error in unexpected))
    # As a difference of sets: what was accepted before may have gone with the version of a return that it belonged to.
    accepted_now = _accepted(home, period)
    accepted = place_count(accepted_now[finding_id] for finding_id in accepted_now.keys() - accepted_before.keys())
    if result.success:
        return RunOutcome(period, True, accepted_query_count=accepted)
    # Our own words: the error's message has the name of its Python class before them.
    refusals = [each.user_failure_data.description or "" for each in failures if each.user_failure_data]
    blocking = in_order(ledger.blocking(home.findings, period))
    return RunOutcome(period, False, blocking, refusals, accepted, blocking_causes(home, period))


def _accepted(home: Home, period: str) -> dict[str, Finding]:
    states = ledger.states(home.findings, period)
    return {state.finding.finding_id: state.finding for state in states if state.state == ledger.ACCEPTED}
