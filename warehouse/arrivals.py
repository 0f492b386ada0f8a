"""What lies in the inbox and no run has judged yet, by period: what an automatic start goes by."""

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sources.contracts import providers_of
from sources.reader_process import identify_workbook
from sources.reference import periods
from sources.workbook import sha256_of
from warehouse.archive import hand_ins, receipts, versions
from warehouse.incoming import pulled
from warehouse.layers import gate_record
from warehouse.paths import Home


@dataclass(frozen=True)
class Seen:
    """One hand-in as a look found it; ``sha256`` and the slot stay empty until it has been seen twice unchanged."""

    size_bytes: int
    changed_at_ns: int
    sha256: str = ""
    provider: str = ""
    period: str = ""

    def is_as(self, other: "Seen | None") -> bool:
        """Tell whether nothing has been written to the file between two looks."""
        return other is not None and (self.size_bytes, self.changed_at_ns) == (other.size_bytes, other.changed_at_ns)


@dataclass
class Round:
    """One look round the inbox: every hand-in as seen (to hand to the next look), the arrivals by period, and what is not usable.

    ``arrivals``: by period, the hashes of what no run has judged. ``unsettled``: seen for the first time, or still changing.
    ``unassigned``: provider or period cannot be told, or is of no period that can be run.
    """

    seen: dict[str, Seen] = field(default_factory=dict)
    arrivals: dict[str, set[str]] = field(default_factory=dict)
    unsettled: list[str] = field(default_factory=list)
    unassigned: list[str] = field(default_factory=list)
    is_out_of_time: bool = False

    def batch_key(self, period: str) -> str:
        """Return what names the arrivals of a period: the same set has the same key, another set another."""
        return f"{period}-{hashlib.sha256(' '.join(sorted(self.arrivals[period])).encode()).hexdigest()[:16]}"


def look_round(home: Home, before: Mapping[str, Seen], *, budget_seconds: float = float("inf")) -> Round:
    """Look at every hand-in of the inbox.

    A file counts once it was just so at the look before; one that `sti pull` put there is whole from the start. What is in the archive
    already counts only where gate 1 has not judged that version of the return.

    Args:
        home: whose inbox.
        before: ``seen`` of the look before.
        budget_seconds: after that, files not identified yet are left for the next look.
    """
    deadline = time.monotonic() + budget_seconds
    result = Round()
    landed = {record.target: record for record in pulled(home)}
    received = {receipt.file_sha256: receipt for receipt in receipts(home)}
    slots: dict[tuple[str, str], set[str]] = {}
    for path in hand_ins(home.inbox) if home.inbox.is_dir() else []:
        name = str(path.relative_to(home.inbox))
        status = path.stat()
        now, last = Seen(status.st_size, status.st_mtime_ns), before.get(name)
        is_settled = now.is_as(last) or (name in landed and landed[name].size_bytes == now.size_bytes)
        if not is_settled or time.monotonic() > deadline:
            result.seen[name] = now
            result.unsettled += [name] if not is_settled else []
            result.is_out_of_time |= is_settled
            continue
        known = last if last and last.sha256 and now.is_as(last) else _identified(path, now)
        result.seen[name] = known
        receipt = received.get(known.sha256)
        slot = (receipt.provider, receipt.period) if receipt else (known.provider, known.period)
        if not _can_run(*slot):
            # What has its receipt was named as a finding of the run that received it.
            result.unassigned += [] if receipt else [name]
        elif receipt is None or not _is_judged(home, *slot):
            slots.setdefault(slot, set()).add(known.sha256)
    for (_, period), hashes in slots.items():
        result.arrivals.setdefault(period, set()).update(hashes)
    return result


def from_json(data: Mapping[str, Any]) -> dict[str, Seen]:
    """Rebuild ``seen`` from `to_json`."""
    return {name: Seen(*values) for name, values in data.items()}


def to_json(seen: Mapping[str, Seen]) -> dict[str, list[Any]]:
    """Return ``seen`` as plain JSON values."""
    return {
        name: [each.size_bytes, each.changed_at_ns, each.sha256, each.provider, each.period]
        for name, each in seen.items()
    }


def _identified(path: Path, now: Seen) -> Seen:
    reading = identify_workbook(path)
    return Seen(now.size_bytes, now.changed_at_ns, sha256_of(path), reading.provider, reading.period)


def _can_run(provider: str, period: str) -> bool:
    return period in periods() and provider in {each.provider for each in providers_of(periods()[period].kind)}


def _is_judged(home: Home, provider: str, period: str) -> bool:
    record = gate_record(home, provider, period)
    return record is not None and record["version_count"] == len(versions(home, provider, period))
