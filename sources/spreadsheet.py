"""Values as they may stand in a spreadsheet or CSV that this house writes: text or number, never a formula.

Every writer of xlsx or CSV goes through here: text out of a hand-in is the sender's, and a spreadsheet runs what begins like a formula.
"""

import math
import re
from collections.abc import Collection, Iterable
from datetime import date, datetime, time
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from openpyxl import Workbook
from openpyxl.cell import Cell, MergedCell, WriteOnlyCell
from openpyxl.worksheet.worksheet import Worksheet
from openpyxl.writer.excel import ExcelWriter

FORMULA_STARTS = frozenset("=+-@＝＋－＠﹦﹢﹣﹫−")
"""What a spreadsheet may take for the beginning of a formula, full-width and small forms too (some versions fold them on opening)."""

LONGEST_TEXT = 32_000
"""Characters; a cell holds 32 767."""

LONGEST_TITLE = 31
FIRST_DAY = date(1900, 3, 1)
"""Before this day spreadsheets count wrongly (they believe in 29 February 1900)."""

WRITTEN_AT = datetime(2024, 1, 1)
"""The moment that every workbook of `workbook_bytes` bears, in its properties and in its zip entries."""

_LINE_BREAK = re.compile(r"\r\n?")
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_NOT_IN_TITLES = re.compile(r"[\\/*?:\[\]\x00-\x1f]")


def is_formula_like(text: str) -> bool:
    """Return whether a spreadsheet could take the text for a formula.

    Blanks, zero-width characters and other invisible ones before the sign count for nothing: spreadsheets and people strip them. A tab or
    line break in front counts by itself, since it can move the rest into another cell. A lone sign (``-`` for nil) is none.
    """
    if text[:1] in ("\t", "\r", "\n"):
        return True
    seen = text.lstrip()
    while seen and (not seen[0].isprintable() or seen[0].isspace()):
        seen = seen[1:].lstrip()
    return seen[:1] in FORMULA_STARTS and len(seen.rstrip()) > 1


def harmless(value: object) -> object:
    """Return a value as it may stand in a spreadsheet or CSV: a text that could become a formula gets a leading apostrophe.

    Line breaks become line feeds, and characters that no file can hold are taken out: a bare carriage return would start a new row in CSV.
    """
    if not isinstance(value, str):
        return value
    text = _NOT_IN_XML.sub("", _LINE_BREAK.sub("\n", value))
    return f"'{text}" if is_formula_like(value) or is_formula_like(text) else text


def fill(cell: Cell | MergedCell, value: object) -> None:
    """Put a value into a cell as text, number, date or truth value, whatever the text looks like; no value leaves the cell empty."""
    if value is None or isinstance(cell, MergedCell):
        return
    if isinstance(value, bool | int | Decimal) or (isinstance(value, float) and math.isfinite(value)):
        cell.value = value
    elif isinstance(value, date) and not _is_storable(value):
        _fill_text(cell, value.isoformat())
    elif isinstance(value, date | time):
        cell.value = value
    else:
        _fill_text(cell, str(value))


def append(sheet: Worksheet, values: Iterable[object]) -> None:
    """Write a row below the last one, each value as `fill` does; an empty row counts too. For write-only sheets as well."""
    sheet.append([value if value is None else _filled(sheet, value) for value in values])


def append_as_typed(sheet: Worksheet, values: Iterable[object]) -> None:
    """Write a row of a form as a clerk would have typed it: no apostrophe is added, and still no text is a formula or an error value."""
    sheet.append([_typed(sheet, value) for value in values])


def fill_as_typed(cell: Cell | MergedCell, value: object) -> None:
    """Put a value into a cell of a form; see `append_as_typed`."""
    if value is not None and not isinstance(cell, MergedCell):
        cell.value = value  # type: ignore[assignment]
        if isinstance(value, str) and value.startswith(("=", "#")):
            cell.data_type = "s"


def fill_formula(cell: Cell | MergedCell, formula: str) -> None:
    """Put a formula of our own making into a cell; never one that holds text out of a hand-in."""
    if not isinstance(cell, MergedCell):
        cell.value = formula


def _typed(sheet: Worksheet, value: object) -> object:
    if not (isinstance(value, str) and value.startswith(("=", "#"))):
        return value
    cell = WriteOnlyCell(sheet, value)
    cell.data_type = "s"
    return cell


def _filled(sheet: Worksheet, value: object) -> Cell:
    if isinstance(value, Cell):
        # A cell that the caller has filled and styled.
        return value
    cell = WriteOnlyCell(sheet)
    fill(cell, value)
    return cell


def _fill_text(cell: Cell, text: str) -> None:
    plain = str(harmless(text))
    cell.value = plain if len(plain) <= LONGEST_TEXT else f"{plain[:LONGEST_TEXT]}…"
    # openpyxl would make an error value of ``#REF!``, and a formula of what begins with ``=``.
    cell.data_type = "s"


def _is_storable(day: date) -> bool:
    plain = day.date() if isinstance(day, datetime) else day
    return plain >= FIRST_DAY and not (isinstance(day, datetime) and day.tzinfo)


class _TimelessZip(ZipFile):
    """A zip whose entries all bear one date."""

    def writestr(self, name, data, *_args, **_options) -> None:  # type: ignore[no-untyped-def, override]
        """Write text or bytes as the entry ``name``."""
        entry = ZipInfo(name, WRITTEN_AT.timetuple()[:6])
        entry.compress_type = ZIP_DEFLATED
        super().writestr(entry, data, compresslevel=4)

    def write(self, filename, arcname=None, *_args, **_options) -> None:  # type: ignore[no-untyped-def]
        """Write the file ``filename`` as the entry ``arcname``."""
        self.writestr(arcname or str(filename), Path(filename).read_bytes())


def workbook_bytes(book: Workbook, creator: str) -> bytes:
    """Return the workbook as a file whose bytes depend on its content alone: no time of writing stands in it."""
    properties = book.properties
    properties.creator, properties.created, properties.modified = creator, WRITTEN_AT, WRITTEN_AT
    buffer = BytesIO()
    with _TimelessZip(buffer, "w", ZIP_DEFLATED) as archive:
        ExcelWriter(book, archive).write_data()
    return buffer.getvalue()


def sheet_title(name: str, taken: Collection[str]) -> str:
    """Return a worksheet title that spreadsheets accept and that is not among ``taken``, as close to ``name`` as can be."""
    kept = _NOT_IN_TITLES.sub(" ", _NOT_IN_XML.sub("", name)).strip("' ") or "工作表"
    used = {title.casefold() for title in taken}
    title, number = kept[:LONGEST_TITLE], 1
    while title.casefold() in used:
        number += 1
        mark = f"（{number}）"
        title = kept[: LONGEST_TITLE - len(mark)] + mark
    return title
