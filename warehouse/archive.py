"""The archive: every byte ever received, by SHA-256 and read-only, with one receipt line per hand-in."""

import os
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from sources.bulk.sniff import BULK_SUFFIXES, kind_of
from sources.contracts import providers
from sources.delivery import identify_file
from sources.finding import Finding
from sources.workbook import sha256_of
from warehouse.paths import Home, append_line, copy_atomically, read_lines

HAND_IN_SUFFIXES = {".xlsx", ".xlsm", ".xls", ".xlsb", ".et", ".ods"} | BULK_SUFFIXES
"""A file with such a suffix in an inbox was meant as a hand-in; anything else (a README, a lock file) is none."""


@dataclass(frozen=True)
class Receipt:
    """One hand-in: its number (受理号), the file, and the slot (provider, period) it was found to belong to.

    ``provider`` or ``period`` is empty where the workbook does not say; ``refusal`` then says why.
    """

    receipt_no: str
    received_at: str
    file_name: str
    file_sha256: str
    size_bytes: int
    provider: str
    period: str
    refusal: str = ""

    @property
    def provider_label(self) -> str:
        """The provider's Chinese name, or 未识别."""
        return providers()[self.provider].label if self.provider else "未识别"


def archived(home: Home, sha256: str) -> Path:
    """Return where the bytes with this hash are kept."""
    folder = home.archive / sha256[:2]
    bulk = (folder / f"{sha256}.{kind}" for kind in ("csv", "parquet"))
    return next((path for path in bulk if path.exists()), folder / f"{sha256}.xlsx")


def receipts(home: Home) -> list[Receipt]:
    """Return every receipt, in order of arrival."""
    return [Receipt(**line) for line in read_lines(home.receipts)]


def versions(home: Home, provider: str, period: str) -> list[Receipt]:
    """Return the hand-ins for one slot, in order of arrival."""
    return [r for r in receipts(home) if (r.provider, r.period) == (provider, period)]


def hand_ins(inbox: Path) -> list[Path]:
    """Return the files of an inbox (any folder tree, or one file) that were meant as hand-ins, in a fixed order."""
    return [
        path
        for path in ([inbox] if inbox.is_file() else _files(inbox))
        if path.suffix.lower() in HAND_IN_SUFFIXES and not path.name.startswith(("~$", "."))
    ]


def _files(folder: Path) -> list[Path]:
    """Return the files of a folder tree in order; linked folders are followed, each real folder once."""
    found: list[Path] = []
    seen: set[Path] = set()
    for root, folders, names in os.walk(folder, followlinks=True):
        folders[:] = sorted(f for f in folders if (Path(root) / f).resolve() not in seen)
        seen.update((Path(root) / f).resolve() for f in folders)
        found += [Path(root) / name for name in names]
    return sorted(path for path in found if path.is_file())


def receive(home: Home, path: Path, asked_period: str) -> Receipt:
    """Archive one file and return its receipt; the same bytes again get the same receipt.

    ``asked_period`` decides only what the workbook itself leaves open; see `sources.identity.identify`.
    """
    sha256 = sha256_of(path)
    kept = archived(home, sha256)
    if not kept.exists() or sha256_of(kept) != sha256:
        # Missing or damaged: what has come again is, by its hash, what was received.
        copy_atomically(path, kept.with_suffix(f".{kind_of(path) or 'xlsx'}"), mode=0o444)
    known = next((r for r in receipts(home) if r.file_sha256 == sha256), None)
    if known:
        return known
    identity = identify_file(path, asked_period)
    receipt = Receipt(
        receipt_no=_next_number(home, identity.provider, identity.period),
        received_at=datetime.now(UTC).isoformat(timespec="seconds"),
        file_name=path.name,
        file_sha256=sha256,
        size_bytes=path.stat().st_size,
        provider=identity.provider,
        period=identity.period,
        refusal="" if identity.period else "；".join(f.message for f in identity.findings),
    )
    append_line(home.receipts, asdict(receipt))
    return receipt


def refusal_findings(home: Home, receipt: Receipt, asked_period: str) -> list[Finding]:
    """Return, as findings of the asked period, why a hand-in could not be assigned to any slot."""
    found = identify_file(archived(home, receipt.file_sha256), asked_period, file_name=receipt.file_name).findings
    return [
        replace(finding, period=asked_period, subject=f"{receipt.file_sha256}/{finding.subject}") for finding in found
    ]


def _next_number(home: Home, provider: str, period: str) -> str:
    slot = f"{period or 'unassigned'}-{provider or 'unknown'}"
    return f"{slot}-{len(versions(home, provider, period)) + 1:03d}"


def damaged(home: Home) -> list[str]:
    """Return the hashes of archived files that are missing or whose bytes no longer match their name."""
    return [
        r.file_sha256
        for r in receipts(home)
        if not archived(home, r.file_sha256).exists() or sha256_of(archived(home, r.file_sha256)) != r.file_sha256
    ]
