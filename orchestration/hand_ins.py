"""What happens to hand-ins, without Dagster: received with a receipt each; a bureau's versions read, judged by gate 1, receipted again."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from expectations import findings as ledger
from expectations.decisions import take_explanations
from expectations.explanations import still_given
from orchestration import receipts
from orchestration.gate import GateOutcome, asked_of, earlier_of, gate_scope, judge_return, whence
from sources.finding import Finding, in_order, told_apart
from sources.workbook import WorkbookReading
from warehouse import archive, corrections, incoming, layers
from warehouse.archive import Receipt
from warehouse.paths import Home
from warehouse.unit_names import unit_register


@dataclass(frozen=True)
class Judged:
    """The version that counts, its reading, gate 1's outcome, and the findings that still block."""

    receipt: Receipt
    reading: WorkbookReading
    outcome: GateOutcome
    blocking: list[Finding]


def receive_all(home: Home, inbox: Path, period: str) -> tuple[list[Receipt], list[Finding]]:
    """Archive every hand-in of an inbox and write its receipt at once.

    Returns:
        The archive's receipts, and the findings of the files that nobody could assign.
    """
    received: list[Receipt] = []
    refused = [replace(finding, period=period) for finding in archive.not_received(inbox)]
    for path in archive.hand_ins(inbox):
        try:
            receipt = archive.receive(home, path, period)
        except archive.NotReceived as error:
            refused.append(replace(error.finding, period=period))
            continue
        found = [] if receipt.period else archive.refusal_findings(home, receipt, period)
        receipts.write_arrival(home, receipt, found)
        received.append(receipt)
        refused += found
    return received, refused


def judge_slot(
    home: Home, provider: str, period: str, settle: Callable[[list[Finding]], list[Finding]]
) -> Judged | None:
    """Read the versions of one return, take the one that counts to ``raw/``, judge it, and write every version's receipt.

    The findings and the workbook's own explanations are in the ledger when ``settle`` is asked which findings still block. None where
    nothing was sent.

    Raises:
        LayerError: an archived file is missing or no longer what was received.
        SlipError: the register of correction slips is damaged.
    """
    with receipts.kept_informed(home, archive.versions(home, provider, period)):
        ordered = layers.readings_in_order(home, provider, period)
        if not ordered:
            return None
        receipt, reading = ordered[-1]
        layers.write_raw(home, reading)
        said = [*corrections.apply(home, provider, period), *incoming.wrong_channel(home, receipt)]
        files = layers.judged_files(home, provider, period)
        arrived = datetime.fromisoformat(receipt.received_at)
        # What gate 2 asked after the workbook was sent, its 核实说明 cannot speak of.
        states = asked_of(ledger.states(home.findings, period), provider)
        asked = [state.finding for state in states if state.since and state.since <= arrived]
        outcome = judge_return(
            reading, files, unit_register(home), said, earlier=earlier_of(home, reading), asked=asked
        )
        explained, lapsed = still_given(home.findings, period, outcome.explained, whence(reading))
        outcome = replace(outcome, findings=in_order([*outcome.findings, *told_apart(lapsed)]), explained=explained)
        # Explanations first, so that whoever accepts in one go accepts what was explained.
        ledger.record(home.findings, period, gate_scope(provider), outcome.findings)
        take_explanations(home.findings, period, (e.given for e in explained), receipt.receipt_no)
        blocking = settle(outcome.findings)
        record = {
            "version_count": len(archive.versions(home, provider, period)),
            "receipt_no": receipt.receipt_no,
            "file_sha256": receipt.file_sha256,
            "bulk_sha256": {i: t.manifest.file_sha256 for i, t in reading.tables.items() if t.spooled is not None},
            "findings": [finding.as_dict() for finding in outcome.findings],
            "suites": outcome.summaries,
        }
        layers.write_gate_record(home, provider, period, record)
        receipts.write_judged(home, ordered, outcome)
        return Judged(receipt, reading, outcome, blocking)
