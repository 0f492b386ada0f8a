"""What one run is told from outside: the home, the inbox, and who accepts open 核实性 findings, if anybody does."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import dagster as dg

from expectations import findings as ledger
from expectations.decisions import may_accept
from orchestration import running
from orchestration.receipts import judge_waiting
from sources.finding import Finding
from warehouse.lock import HomeBusy, is_held_here, writing
from warehouse.paths import Home


class RunOptions(dg.ConfigurableResource):
    """Options of a run; every field may stay empty (a run from the Dagster UI).

    ``home``: the home's folder, else ``$STI_HOME``. ``inbox``: folder tree to receive from, else ``<home>/inbox`` if it exists.
    ``accept_by`` and ``accept_reason``: the person who accepts all open 核实性 findings of this run, and why; never 强制性 ones.
    """

    home: str = ""
    inbox: str = ""
    accept_by: str = ""
    accept_reason: str = ""

    @property
    def where(self) -> Home:
        """The home of this run."""
        return Home.at(self.home or None)

    @property
    def inbox_path(self) -> Path | None:
        """The folder to receive from; None when the run works from the archive alone."""
        if self.inbox:
            return Path(self.inbox)
        default = self.where.root / "inbox"
        return default if default.is_dir() else None

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Mark the run as under way in this process; see `orchestration.running`. A sensor's look is no run."""
        if context.run is not None and (period := context.run.tags.get("dagster/partition")):
            running.begin(self.where, context.run.run_id, period)

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        """However a run ends, judge the hand-ins that no run was for, so that each has its receipt.

        ``sti run`` holds the writer lock across its runs and does so itself after the last; a sensor's look is no run. Where another
        process writes, its end does it.
        """
        if context.run is None or is_held_here(self.where):
            return
        with suppress(HomeBusy), writing(self.where):
            judge_waiting(self.where)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the home's writer lock for a step; a run of ``sti run`` holds it from beginning to end.

        Raises:
            dagster.Failure: another process is writing in this home.
        """
        try:
            with writing(self.where):
                yield
        except HomeBusy as error:
            raise dg.Failure(str(error)) from error

    def settle(self, run_id: str, period: str, scope: str, found: list[Finding]) -> list[Finding]:
        """Record the findings of one scope, accept the 核实性 ones if this run was told to, and return those that still block.

        What one run accepts, gate by gate, is one decision: it bears the run's id.
        """
        folder = self.where.findings
        ledger.record(folder, period, scope, found)
        queries = self._to_accept(period, scope) if self.accept_by else []
        if queries:
            decision_id = f"{period}-{run_id.split('-')[0]}"
            ledger.accept_queries(folder, period, self.accept_by, self.accept_reason, queries, decision_id=decision_id)
        return self.open_findings(period, scope)

    def _to_accept(self, period: str, scope: str) -> list[Finding]:
        """Return the open 核实性 findings of one scope; what this person explained is somebody else's to accept, and stays open."""
        return [
            state.finding
            for state in ledger.states(self.where.findings, period)
            if state.is_blocking
            and state.scope == scope
            and state.finding.rule_class == "query"
            and may_accept(state, self.accept_by)
        ]

    def open_findings(self, period: str, scope: str) -> list[Finding]:
        """Return the findings of one scope that block, as the ledger has them now."""
        return ledger.blocking(self.where.findings, period, scope)
