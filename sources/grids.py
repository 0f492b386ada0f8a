"""From a file to plain cells: every sheet of a workbook as rows of Python values, read twice and compared.

`sources.sheet_xml` reads the XML itself and knows every cell that is in it; python-calamine, independent of it, must give the same value at
the same place. Where the two differ the cell is a fault, never a value: neither reader can lose or change a cell in silence.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from openpyxl.utils import get_column_letter
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

from sources.inspection import inspect
from sources.number_formats import GENERAL, NumberFormat
from sources.package import Package, read_package
from sources.sheet_xml import Fault, SheetContent, read_sheet_xml
from sources.values import is_error_value, shown
from sources.xml_stream import BadPart

Grid = Sequence[Sequence[object]]
"""A sheet's cells by row, both 0-based; empty cells are None or an empty text."""
Place = tuple[int, int]
"""A cell: row number (1-based) and column index (0-based)."""
ONE_SECOND = timedelta(seconds=1)
FIRST_SOUND_DAY = datetime(1900, 3, 1)
"""Before it, spreadsheet programs count a day that never was, and readers differ over it."""


class UnreadableWorkbook(Exception):
    """The file cannot be opened as a workbook; the message is one plain Chinese sentence, ``rule_id`` the reading rule."""

    def __init__(self, message: str, rule_id: str = "RD-001") -> None:
        super().__init__(message)
        self.rule_id = rule_id


@dataclass(frozen=True)
class Sheet:
    """One worksheet: its name, its cells by row, and what a person would have to know of them.

    ``state`` is visible, hidden or veryHidden. ``faults`` are cells that cannot be believed (their value is an empty text); ``formulas`` all
    cells that hold one; ``merged`` ranges as (first row, first column, last row, last column). ``styles`` runs beside ``grid`` and gives the
    index of each cell's format in ``formats``; ``struck`` are those that strike their text through, and a text may be struck in part
    (`StruckText`). ``is_stale``: the saved results of formulas may be old. ``linked``: cells whose formula takes its value from another workbook.
    """

    name: str
    index: int
    state: str
    grid: Grid
    faults: dict[Place, Fault] = field(default_factory=dict)
    formulas: frozenset[Place] = frozenset()
    merged: tuple[tuple[int, int, int, int], ...] = ()
    hidden_rows: frozenset[int] = frozenset()
    hidden_columns: frozenset[int] = frozenset()
    is_filtered: bool = False
    styles: Sequence[tuple[int, ...]] = ()
    formats: Sequence[NumberFormat] = ()
    is_1904: bool = False
    is_stale: bool = False
    linked: frozenset[Place] = frozenset()
    struck: frozenset[int] = frozenset()
    has_struck_text: bool = False

    @property
    def is_hidden(self) -> bool:
        """Whether people who open the workbook do not see the sheet."""
        return self.state != "visible"

    def at(self, row_number: int, index: int) -> object:
        """Return the value of a cell; an empty text beyond the row's end."""
        row = self.grid[row_number - 1] if row_number <= len(self.grid) else ()
        return row[index] if index < len(row) else ""

    def format_at(self, row_number: int, index: int) -> NumberFormat:
        """Return the number format of a cell."""
        styles = self.styles[row_number - 1] if row_number <= len(self.styles) else ()
        style = styles[index] if index < len(styles) else 0
        return self.formats[style] if style < len(self.formats) else GENERAL


def read_sheets(path: Path, *, rows: int | None = None) -> list[Sheet]:
    """Read every worksheet's cells, or the first ``rows`` rows of each (then without the second reader).

    Raises:
        UnreadableWorkbook: with the reason in Chinese.
    """
    try:
        inspection = inspect(path)
        if inspection.refusal:
            raise UnreadableWorkbook(inspection.refusal.message, inspection.refusal.rule_id)
        sheets = _read(path, inspection.parts, rows)
    except (UnreadableWorkbook, MemoryError):
        raise
    except BadPart as error:
        raise UnreadableWorkbook(f"文件打不开，可能已损坏：{error}") from error
    except Exception as error:  # a broken package fails in many ways inside the readers; each is the same to the clerk
        raise UnreadableWorkbook(f"文件打不开，可能已损坏（{type(error).__name__}）") from error
    if not sheets:
        raise UnreadableWorkbook("工作簿里没有可读的工作表")
    return [replace(sheet, linked=inspection.linked.get(sheet.name, frozenset())) for sheet in sheets]


def _read(path: Path, parts: dict[str, bytes], rows: int | None) -> list[Sheet]:
    package = read_package(parts)
    contents = []
    for listed in package.sheets:
        try:
            contents.append(read_sheet_xml(parts.pop(listed.part), package, rows))
        except BadPart as error:
            raise BadPart(f"工作表“{listed.name}”{error}") from error
    # The second reader unpacks for itself, and needs the room.
    parts.clear()
    if rows is None:
        # By its bytes: the second reader opens no path that is not UTF-8.
        with path.open("rb") as file, CalamineWorkbook.from_filelike(file) as book:
            for listed, content in zip(package.sheets, contents, strict=True):
                _compare(book, listed.name, listed.position, content)
    return [
        _sheet(listed.name, index, listed.state, content, package)
        for index, (listed, content) in enumerate(zip(package.sheets, contents, strict=True))
    ]


def _sheet(name: str, index: int, state: str, content: SheetContent, package: Package) -> Sheet:
    return Sheet(
        name,
        index,
        state,
        content.rows,
        content.faults,
        frozenset(content.formulas),
        tuple(content.merged),
        frozenset(content.hidden_rows),
        frozenset(content.hidden_columns),
        content.is_filtered,
        content.styles,
        package.formats,
        package.is_1904,
        package.is_stale,
        struck=frozenset(package.struck),
        has_struck_text=package.has_struck_text,
    )


def _compare(book: CalamineWorkbook, name: str, position: int, content: SheetContent) -> None:
    """Hold one sheet's cells against the second reader's; a cell that differs becomes a fault.

    Raises:
        UnreadableWorkbook: the second reader cannot read the sheet.
    """
    try:
        if book.sheet_names[position] != name:
            raise UnreadableWorkbook(f"工作表“{name}”在两个读取程序里次序不同，文件可能已损坏")
        sheet = book.get_sheet_by_index(position)
    except CalamineError as error:
        place = next(iter(content.faults), None)
        where = f"：单元格 {_name(place)} {content.faults[place].reason}" if place else f"（{error}）"
        raise UnreadableWorkbook(f"工作表“{name}”读不出{where}") from error
    for number, (own, other) in enumerate(_side_by_side(content.rows, sheet), start=1):
        if own != other:
            _compare_row(number, own, other, content)


def _side_by_side(rows: list[list[Any]], sheet: CalamineSheet) -> Iterator[tuple[list[Any], list[Any]]]:
    """Yield each row as both readers give it, filled up to one width."""
    left = sheet.start[1] if sheet.start else 0
    before = [""] * left
    others = sheet.iter_rows()
    count = 0
    for count, other in enumerate(others, start=1):
        own = rows[count - 1] if count <= len(rows) else []
        full = before + other if left else other
        missing = len(full) - len(own)
        yield (own + [""] * missing if missing > 0 else own), (full + [""] * -missing if missing < 0 else full)
    for own in rows[count:]:
        if own:
            yield own, [""] * len(own)
        else:
            yield own, own


def _compare_row(number: int, own: list[Any], other: list[Any], content: SheetContent) -> None:
    for index, (one, two) in enumerate(zip(own, other, strict=True)):
        place = (number, index)
        if place not in content.faults and not _agree(one, two):
            reason = f"两个读取程序读出的值不同（“{shown(one)}”与“{shown(two)}”）"
            content.faults[place] = Fault("RD-050", reason)
            content.rows[number - 1 : number] = (
                [_without(content.rows[number - 1], index)] if number <= len(content.rows) else []
            )


def _without(row: list[Any], index: int) -> list[Any]:
    return [*row[:index], "", *row[index + 1 :]] if index < len(row) else row


def _agree(own: Any, other: Any) -> bool:
    """Whether two readers mean the same cell value."""
    if own == other and (own != "" or other == ""):
        return True
    if isinstance(own, str) and isinstance(other, str):
        # The second reader drops error values, and the white space around a text.
        return own.split() == other.split() or (other == "" and (is_error_value(own) or own.startswith("#")))
    if isinstance(own, date) and isinstance(other, date):
        one, two = _moment(own), _moment(other)
        return abs(one - two) <= ONE_SECOND or max(one, two) <= FIRST_SOUND_DAY
    if isinstance(own, time | timedelta) or isinstance(other, time | timedelta):
        # A time of day belongs into no column of any form: it will be a fault there, whichever of the two it is.
        return not isinstance(own, str | float | bool) and not isinstance(other, str | bool)
    return False


def _moment(day: date) -> datetime:
    return day if isinstance(day, datetime) else datetime(day.year, day.month, day.day)


def _name(place: Place) -> str:
    return f"{get_column_letter(place[1] + 1)}{place[0]}"
