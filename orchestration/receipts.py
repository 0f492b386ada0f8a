"""Receipts for every hand-in: at arrival, and again when gate 1 has judged; glue between archive, ledger and the receipt document.

A receipt that cannot be made in full is made with less: without the copied sheets, without the workbook, as a note that our own program
failed. What never happens is a hand-in without a receipt.
"""

import json
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from expectations import findings as ledger
from expectations.receipt import (
    HandIn,
    Judgement,
    arrival_document,
    failed_document,
    is_same,
    judged_document,
    open_states,
    renewed_document,
)
from orchestration.gate import GateOutcome, asked_of, gate_scope, judge_reading
from sources.bulk.sniff import kind_of
from sources.contracts import providers, providers_of
from sources.finding import Finding
from sources.grids import Sheet, UnreadableWorkbook
from sources.reader_process import read_sheets
from sources.reference import periods
from sources.text import label_of, shown_name
from sources.workbook import WorkbookReading, sha256_of
from warehouse import archive, layers, versions
from warehouse.archive import Receipt
from warehouse.paths import Home, log_error, write_atomically
from warehouse.unit_names import unit_register

JSON, WORKBOOK = "receipt.json", "receipt.xlsx"
LONGEST_STEM_BYTES = 180
Version = tuple[Receipt, WorkbookReading]


def stored(home: Home, receipt_no: str) -> dict[str, Any] | None:
    """Return the receipt document with this 受理号; None where there is none yet."""
    return _load(home.receipt_folder(receipt_no) / JSON)


def write_arrival(home: Home, receipt: Receipt, findings: Sequence[Finding]) -> None:
    """Write the receipt of a file that has just arrived; one that is judged already, or the same again, is left alone.

    ``findings`` say why a file belongs to no slot; it is then returned (退回).
    """
    known = stored(home, receipt.receipt_no)
    if known is None or known["stage"] != "judged":
        put(
            home.receipt_folder(receipt.receipt_no),
            arrival_document(_hand_in(home, receipt), findings, _now()),
            None,
            home,
        )


def write_judged(home: Home, ordered: Sequence[Version], outcome: GateOutcome) -> None:
    """Write the receipts of a slot's versions after gate 1 has judged the one that counts, the last.

    Its findings bear the states that the ledger has now. An older version is judged once, by the same gate, and says what replaced it.
    """
    receipt, reading = ordered[-1]
    found = _as_they_stand(home, receipt.provider, receipt.period, outcome.findings)
    _write_version(home, ordered, len(ordered) - 1, found)
    write_replaced(home, ordered)
    write_bulk(home, receipt, reading, found)


def _as_they_stand(home: Home, provider: str, period: str, found: Sequence[Finding]) -> list[ledger.FindingState]:
    """Return what gate 1 found in a return, with the states of the ledger, and what gate 2 asks its sender."""
    states = ledger.states(home.findings, period)
    by_id = {s.finding.finding_id: s for s in states if s.scope == gate_scope(provider)}
    return [
        *(by_id.get(f.finding_id) or open_states([f])[0] for f in found),
        *asked_of(states, provider),
    ]


def renew(home: Home, provider: str, period: str) -> str:
    """Write the receipt of the version that counts anew with its findings as they now stand, and those of its bulk files.

    The return is not read again: all else is as gate 1 left it. Nothing is done where gate 1 has not judged the return as it now stands;
    the next run does that, and writes its receipt.

    Returns:
        Its 受理号, whether it says anything new or not; empty where nothing was done.
    """
    record = layers.gate_record(home, provider, period)
    received = archive.versions(home, provider, period)
    if record is None or record["version_count"] != len(received):
        return ""
    found = _as_they_stand(home, provider, period, [Finding.from_dict(entry) for entry in record["findings"]])
    for receipt in received:
        document = stored(home, receipt.receipt_no)
        is_main = receipt.receipt_no == record["receipt_no"]
        kept = archive.archived(home, receipt.file_sha256)
        if document is None or document["stage"] != "judged" or not (is_main or kind_of(kept)):
            continue
        mine = found if is_main else [s for s in found if s.finding.file_sha256 == receipt.file_sha256]
        # Nothing is opened again that was refused as a whole; see `_is_copied`.
        was_read = document["tables"] or any(entry["table_id"] for entry in document["findings"])
        source = kept if is_main and was_read else None
        put(home.receipt_folder(receipt.receipt_no), renewed_document(document, mine, _now()), source, home)
    return str(record["receipt_no"])


def renew_all(home: Home, period: str) -> None:
    """Write the receipts of a period anew where gate 2 has something to say, or no longer has; a receipt that fails ends no run."""
    states = ledger.states(home.findings, period)
    for provider in providers_of(periods()[period].kind):
        try:
            if _says_otherwise(home, provider.provider, period, asked_of(states, provider.provider)):
                renew(home, provider.provider, period)
        except Exception:
            log_error(home, traceback.format_exc())


def _says_otherwise(home: Home, provider: str, period: str, asked: Sequence[ledger.FindingState]) -> bool:
    """Whether a provider's receipts say something else of gate 2 than is so: those that say the same are not even opened."""
    now = {(s.finding.finding_id, s.state if s.finding.rule_class != "note" else "提示") for s in asked}
    documents = (stored(home, receipt.receipt_no) for receipt in archive.versions(home, provider, period)[-1:])
    told = {(f["finding_id"], f["state"]) for d in documents if d for f in d["findings"] if f.get("gate") == 2}
    return now != told


def write_replaced(home: Home, ordered: Sequence[Version]) -> None:
    """Write the receipts of the versions that no longer count."""
    for position, (receipt, reading) in enumerate(ordered[:-1]):
        known = stored(home, receipt.receipt_no)
        if known is None or known["stage"] != "judged" or known["replaced_by"] != ordered[-1][0].receipt_no:
            with kept_informed(home, [receipt], is_fatal=False):
                _write_version(home, ordered, position, open_states(_judge(home, reading).findings))


def write_bulk(home: Home, receipt: Receipt, reading: WorkbookReading, found: Sequence[ledger.FindingState]) -> None:
    """Write the receipts of the bulk files of a return: of each its own tables and what was found in it.

    One that the return does not use is replaced, by the file that supplies its table or by the workbook.
    """
    for other in archive.versions(home, receipt.provider, receipt.period):
        if other == receipt or not kind_of(archive.archived(home, other.file_sha256)):
            continue
        tables = {i: t for i, t in reading.tables.items() if t.manifest.file_sha256 == other.file_sha256}
        mine = [state for state in found if state.finding.file_sha256 == other.file_sha256]
        own = replace(reading, file_name=other.file_name, file_sha256=other.file_sha256, tables=tables)
        hand_in = _hand_in(home, other, replaced_by="" if tables or mine else receipt.receipt_no)
        put(home.receipt_folder(other.receipt_no), judged_document(hand_in, _judgement(own, mine), _now()), None, home)


def judge_waiting(home: Home) -> list[str]:
    """Judge every hand-in that has no judged receipt yet, and return their 受理号: annual returns, and those of periods that no run was for.

    Nothing enters the layers or the ledger: only a run of the period accepts.
    """
    waiting = [
        r
        for r in archive.receipts(home)
        if r.period and (stored(home, r.receipt_no) or {"stage": ""})["stage"] != "judged"
    ]
    for provider, period in dict.fromkeys((r.provider, r.period) for r in waiting):
        mine = [r for r in waiting if (r.provider, r.period) == (provider, period)]
        with kept_informed(home, mine, is_fatal=False):
            ordered = layers.readings_in_order(home, provider, period)
            write_replaced(home, ordered)
            if ordered[-1][0] in mine:
                found = open_states(_judge(home, ordered[-1][1]).findings)
                _write_version(home, ordered, len(ordered) - 1, found)
                write_bulk(home, *ordered[-1], found)
    return [r.receipt_no for r in waiting]


@contextmanager
def judged_in_the_end(home: Home) -> Iterator[None]:
    """However a run ends, judge what has arrived and no run was for."""
    try:
        yield
    finally:
        judge_waiting(home)


@contextmanager
def kept_informed(home: Home, receipts: Sequence[Receipt], *, is_fatal: bool = True) -> Iterator[None]:
    """Give hand-ins a receipt that says so when our own program fails on them; an error that ``is_fatal`` goes on."""
    try:
        yield
    except Exception:
        for receipt in receipts:
            known = stored(home, receipt.receipt_no)
            if known is None or known["stage"] != "judged":
                put(
                    home.receipt_folder(receipt.receipt_no),
                    failed_document(_hand_in(home, receipt), _now()),
                    None,
                    home,
                )
        log_error(home, traceback.format_exc())
        if is_fatal:
            raise


def self_check_receipt(
    folder: Path, path: Path, reading: WorkbookReading, outcome: GateOutcome, home: Home
) -> tuple[Path, Path]:
    """Write the receipt of a self-check into a folder of the user's choice; return the JSON file and the workbook."""
    hand_in = HandIn(
        file_name=reading.file_name,
        file_sha256=reading.file_sha256,
        size_bytes=path.stat().st_size,
        provider=reading.provider,
        period=reading.period,
    )
    document = judged_document(hand_in, _judgement(reading, open_states(outcome.findings)), _now())
    source = path if _is_copied(reading) else None
    return put(folder, document, source, home, names=_check_names(path, reading.file_sha256))


def failed_check_receipt(folder: Path, path: Path, home: Home) -> None:
    """Write the receipt of a self-check that our own program failed on."""
    sha256 = sha256_of(path)
    hand_in = HandIn(file_name=shown_name(path.name), file_sha256=sha256, size_bytes=path.stat().st_size)
    put(folder, failed_document(hand_in, _now()), None, home, names=_check_names(path, sha256))


def _check_names(path: Path, sha256: str) -> tuple[str, str]:
    """Return the names of a self-check's receipt; files of one name from different folders stay apart."""
    # A name may be as long as the file system allows; ours is longer by what is added to it.
    stem = shown_name(path.stem).encode()[:LONGEST_STEM_BYTES].decode(errors="ignore")
    name = f"{stem}_{sha256[:8]}_回执"
    return f"{name}.json", f"{name}.xlsx"


def put(
    folder: Path, document: dict[str, Any], source: Path | None, home: Home, names: tuple[str, str] = (JSON, WORKBOOK)
) -> tuple[Path, Path]:
    """Write a receipt's two files, unless they stand there saying the same already; return their paths.

    ``source`` is the workbook whose sheets are copied; None copies none.
    """
    json_path, workbook_path = folder / names[0], folder / names[1]
    known = _load(json_path) if workbook_path.exists() else None
    if known and is_same(known, document):
        return json_path, workbook_path
    workbook = _workbook(document, source, home)
    if workbook:
        write_atomically(workbook_path, workbook)
    else:
        workbook_path.unlink(missing_ok=True)
    # Last: a kill in between leaves the old document, and the next run writes both.
    write_atomically(json_path, json.dumps(document, ensure_ascii=False, indent=1).encode("utf-8", "backslashreplace"))
    return json_path, workbook_path


def _load(path: Path) -> dict[str, Any] | None:
    """Return a stored document; None where there is none or it is damaged, and then it is written anew."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _workbook(document: dict[str, Any], source: Path | None, home: Home) -> bytes:
    from expectations.receipt_workbook import receipt_workbook

    for copied_from in dict.fromkeys((source, None)):
        try:
            return receipt_workbook(document, _read_by_contract(copied_from, document) if copied_from else [])
        except Exception:
            # With less in it, rather than none at all.
            log_error(home, traceback.format_exc())
    return b""


def _read_by_contract(path: Path, document: dict[str, Any]) -> list[Sheet]:
    """Return the sheets that the contract reads; helper sheets and 核实说明 (names) are the sender's own."""
    if not document["provider"] or not document["period"]:
        return []
    known = {label_of(t.sheet) for t in providers()[document["provider"]].tables_of(document["cadence"])}
    if kind_of(path):
        return []
    try:
        return [sheet for sheet in read_sheets(path) if label_of(sheet.name) in known]
    except UnreadableWorkbook:
        return []


def _write_version(home: Home, ordered: Sequence[Version], position: int, found: list[ledger.FindingState]) -> None:
    receipt, reading = ordered[position]
    previous = ordered[position - 1] if position else None
    changed = versions.changes(previous[1].tables, reading.tables, previous[0].receipt_no) if previous else None
    hand_in = _hand_in(
        home,
        receipt,
        replaces=previous[0].receipt_no if previous else "",
        replaced_by="" if position == len(ordered) - 1 else ordered[-1][0].receipt_no,
    )
    document = judged_document(hand_in, _judgement(reading, found, changed), _now())
    source = archive.archived(home, receipt.file_sha256) if _is_copied(reading) else None
    put(home.receipt_folder(receipt.receipt_no), document, source, home)


def _is_copied(reading: WorkbookReading) -> bool:
    """Whether the reader got through the whole file; nothing is opened again that was refused or took the reader down."""
    return reading.cadence is not None


def _judge(home: Home, reading: WorkbookReading) -> GateOutcome:
    # What came as a bulk file belongs to the version that counts; an older one is judged by what it holds itself.
    wanted = {table.table_id for table in providers()[reading.provider].tables_of(reading.cadence or "half_year")}
    absent = wanted - reading.given - reading.tables.keys()
    with tempfile.TemporaryDirectory() as folder:
        return judge_reading(reading, Path(folder), unit_register(home), absent)


def _judgement(
    reading: WorkbookReading, found: list[ledger.FindingState], changed: dict[str, Any] | None = None
) -> Judgement:
    manifests = {table_id: read.manifest for table_id, read in reading.tables.items()}
    return Judgement(reading.cadence, reading.reported_on, manifests, found, changed)


def _hand_in(home: Home, receipt: Receipt, replaces: str = "", replaced_by: str = "") -> HandIn:
    slot = [r.receipt_no for r in archive.versions(home, receipt.provider, receipt.period)] if receipt.period else []
    return HandIn(
        file_name=receipt.file_name,
        file_sha256=receipt.file_sha256,
        size_bytes=receipt.size_bytes,
        receipt_no=receipt.receipt_no,
        received_at=datetime.fromisoformat(receipt.received_at),
        provider=receipt.provider,
        period=receipt.period,
        version_number=slot.index(receipt.receipt_no) + 1 if receipt.receipt_no in slot else 0,
        version_count=len(slot),
        replaces=replaces,
        replaced_by=replaced_by,
    )


def _now() -> datetime:
    return datetime.now(UTC)
