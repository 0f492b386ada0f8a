"""The archive: every byte ever received, by SHA-256 and read-only, with one receipt line per hand-in."""

import os
import shutil
import traceback
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from sources.bulk.sniff import BULK_SUFFIXES, kind_of
from sources.delivery import identify_file
from sources.finding import Finding
from sources.inspection import open_plain
from sources.reading_rules import OUR_FAULT, breach
from sources.text import shown_name
from sources.workbook import WorkbookReading, sha256_of
from warehouse.paths import Home, log_error, replacing
from warehouse.receipt_index import Receipt, receipt_index

HAND_IN_SUFFIXES = {".xlsx", ".xlsm", ".xls", ".xlsb", ".et", ".ods"} | BULK_SUFFIXES
"""A file with such a suffix in an inbox was meant as a hand-in; anything else (a README, a lock file) is none."""


def archived(home: Home, sha256: str) -> Path:
    """Return where the bytes with this hash are kept."""
    folder = home.archive / sha256[:2]
    bulk = (folder / f"{sha256}.{kind}" for kind in ("csv", "parquet"))
    return next((path for path in bulk if path.exists()), folder / f"{sha256}.xlsx")


def receipts(home: Home) -> list[Receipt]:
    """Return every receipt, one per file, in order of arrival; a file that was assigned to a slot later bears its later number."""
    return list(receipt_index(home).by_sha256.values())


def versions(home: Home, provider: str, period: str) -> list[Receipt]:
    """Return the hand-ins for one slot, in order of arrival."""
    return list(receipt_index(home).of_slot((provider, period)))


def hand_ins(inbox: Path) -> list[Path]:
    """Return the files of an inbox (any folder tree, or one file) that were meant as hand-ins, in a fixed order."""
    entries = [inbox] if inbox.is_file() else _entries(inbox)
    return [path for path in entries if is_hand_in(path.name) and path.is_file() and not _why_not(path, inbox)]


def not_received(inbox: Path) -> list[Finding]:
    """Say of each thing in an inbox that was meant as a hand-in, but is no plain file within it, that it is not taken."""
    found = []
    for path in [] if inbox.is_file() else _entries(inbox):
        why = _why_not(path, inbox)
        if why and (is_hand_in(path.name) or path.is_dir()):
            found.append(_refusal(path, why))
    return found


def is_hand_in(name: str) -> bool:
    """Tell by its name whether a file was meant as a hand-in."""
    return Path(name).suffix.lower() in HAND_IN_SUFFIXES and not name.startswith(("~$", "."))


def _entries(folder: Path) -> list[Path]:
    """Return the files of a folder tree and the links to folders, in order; links are not walked, so that each file comes once.

    Hidden folders are not entered: what is still arriving stands there.
    """
    found: list[Path] = []
    for root, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(root) / name for name in names]
        found += [Path(root) / name for name in folders if (Path(root) / name).is_symlink()]
    return sorted(found)


def _why_not(path: Path, inbox: Path) -> str:
    """Return why a thing in an inbox is not taken. A link that leads outside could hand in another bureau's return."""
    # Not Path.resolve, which raises where links lead in a circle.
    if path.is_symlink() and path != inbox and not Path(os.path.realpath(path)).is_relative_to(inbox.resolve()):
        return "是指向收件箱外面的链接，没有收取"
    return "" if path.is_file() or path.is_dir() else "不是普通文件，没有收取"


def _refusal(path: Path, why: str) -> Finding:
    message = f"收件箱里的“{shown_name(path.name)}”{why}"
    return breach("RD-046", message, file_name=shown_name(path.name), subject=shown_name(str(path)), found=why)


class NotReceived(Exception):
    """A hand-in could not be read, so that nothing of it could be archived; ``finding`` says why."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


def receive(home: Home, path: Path, asked_period: str) -> Receipt:
    """Archive one file and return its receipt; the same bytes again get the same receipt, unless they could not be assigned before.

    ``asked_period`` decides only what the workbook itself leaves open; see `sources.identity.identify`.

    Raises:
        NotReceived: the file cannot be read.
    """
    sha256 = _keep(home, path)
    kept = archived(home, sha256)
    index = receipt_index(home)
    known = index.by_sha256.get(sha256)
    if known and known.period:
        return known
    name = shown_name(path.name)
    # From the archive: readers cannot open every name that a file may come with.
    identity = _identified(home, kept, asked_period, name)
    if known and not identity.period:
        return known
    receipt = Receipt(
        receipt_no=index.next_number((identity.provider, identity.period)),
        received_at=datetime.now(UTC).isoformat(timespec="seconds"),
        file_name=name,
        file_sha256=sha256,
        size_bytes=kept.stat().st_size,
        provider=identity.provider,
        period=identity.period,
        refusal="" if identity.period else "；".join(f.message for f in identity.findings),
    )
    index.append(receipt)
    return receipt


def _keep(home: Home, path: Path) -> str:
    """Copy a file into the archive and return its hash: of what was copied, even where the file changes meanwhile."""
    incoming = home.archive / "incoming"
    with ExitStack() as opened:
        try:
            file = opened.enter_context(open_plain(path))
        except OSError as error:
            raise NotReceived(_refusal(path, f"读不了（{error.strerror or error}），没有收取")) from error
        home.archive.mkdir(parents=True, exist_ok=True)
        with incoming.open("wb") as copy:
            shutil.copyfileobj(file, copy)
    sha256 = sha256_of(incoming)
    kept = archived(home, sha256)
    if not kept.exists() or sha256_of(kept) != sha256:
        # Missing or damaged: what has come again is, by its hash, what was received.
        with replacing(kept.with_suffix(f".{kind_of(incoming, path.name) or 'xlsx'}"), mode=0o444) as place:
            os.replace(incoming, place)
    incoming.unlink(missing_ok=True)
    return sha256


def refusal_findings(home: Home, receipt: Receipt, asked_period: str) -> list[Finding]:
    """Return, as findings of the asked period, why a hand-in could not be assigned to any slot."""
    found = _identified(home, archived(home, receipt.file_sha256), asked_period, receipt.file_name).findings
    return [
        replace(finding, period=asked_period, subject=f"{receipt.file_sha256}/{finding.subject}") for finding in found
    ]


def _identified(home: Home, path: Path, asked_period: str, name: str) -> WorkbookReading:
    """Tell whose return a workbook is; an error of our own is a finding, logged, and not the end of the other hand-ins."""
    try:
        return identify_file(path, asked_period, file_name=name)
    except Exception as error:
        log_error(home, traceback.format_exc())
        fault = f"系统读取“{name}”时出错（{type(error).__name__}）"
        sha256 = sha256_of(path)
        finding = breach(OUR_FAULT, fault, file_name=name, file_sha256=sha256, subject="文件", found=fault)
        return WorkbookReading(name, sha256, "", "", None, findings=[finding])


def damaged(home: Home) -> list[str]:
    """Return the hashes of archived files that are missing or whose bytes no longer match their name."""
    return [
        r.file_sha256
        for r in receipts(home)
        if not archived(home, r.file_sha256).exists() or sha256_of(archived(home, r.file_sha256)) != r.file_sha256
    ]
