"""A CSV file as a sheet: the same title lines, headings, data rows, 合计 row and foot, read once from top to bottom in bounded memory.

Rows are numbered as a spreadsheet numbers them: one record, one row, whatever line breaks its cells hold.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TextIO

import pyarrow as pa

from sources.bulk.sniff import ENCODING_LABELS, HEAD_BYTES, UnreadableBulk, encoding_of, first_fault
from sources.grids import Grid, Sheet
from sources.layout import HEAD_ROWS, Body, Headings, UnitBelow, find_body, find_headings, units_below
from sources.limited import LimitedFindings
from sources.sheet_xml import MOST_COLUMNS
from sources.text import label_of
from sources.values import is_blank, number_of

DELIMITERS = (",", "\t", ";", "|")
PIECE_ROWS = 65_536
PIECE_CHARACTERS = 16 * 1024 * 1024
LONGEST_LINE = 1024 * 1024
"""Characters; an ordinary row has some hundred."""
TAIL_BYTES = 64 * 1024
"""The foot is looked for in here when only the file's 报出日期 is wanted."""
MOST_FOOT_ROWS = 1_000
_NO_HEADINGS = Headings(0, {}, {})
_NOTHING_BELOW = Body([], None, [], [], None, frozenset(), "")


@dataclass
class Foot:
    """What stands below or between the data rows: the 合计 row with its number, the foot with its 报出日期, and rows that were not read."""

    total_row: int | None = None
    total: list[str] = field(default_factory=list)
    body: Body = _NOTHING_BELOW
    units: list[UnitBelow] = field(default_factory=list)
    stray: list[int] = field(default_factory=list)
    more_stray_count: int = 0


class CsvFile:
    """One CSV file: its head as plain cells, then its data rows by piece; ``foot`` is complete once these have been read.

    Args:
        path: the file.
        known: every heading of every table; the delimiter is the one that shows most of them.

    Raises:
        UnreadableBulk: no text in UTF-8 or GB18030, or no CSV.
    """

    def __init__(self, path: Path, known: list[str]) -> None:
        self._path, self._encoding = path, encoding_of(path)
        self.foot = Foot()
        self._taken_characters = 0
        with path.open("rb") as file:
            text = file.read(HEAD_BYTES).decode(self._encoding, errors="ignore")
        self._said_delimiter = text[4] if text[:4].lower() == "sep=" and text[5:6] in ("\r", "\n") else ""
        heads = {d: _head(text, d) for d in (self._said_delimiter or DELIMITERS)}
        scores = {d: _headings_count(rows, known) for d, rows in heads.items()}
        self.delimiter = max(scores, key=lambda delimiter: scores[delimiter])
        self.head: Grid = heads[self.delimiter]
        for number, row in enumerate(self.head, 1):
            if len(row) > MOST_COLUMNS:
                raise UnreadableBulk(f"第 {number} 行有 {len(row)} 列，超过 {MOST_COLUMNS} 列", f"{number}:{number}")

    def end(self) -> tuple[Grid, Body]:
        """Return the last rows of the file, and its foot as they show it, without reading the file; their row numbers are not the file's."""
        size = self._path.stat().st_size
        with self._path.open("rb") as file:
            file.seek(max(size - TAIL_BYTES, 0))
            tail = file.read()
        lines = tail.decode(self._encoding.removesuffix("-sig"), errors="ignore").splitlines()
        rows = [[*row] for line in lines for row in _lenient(line, self.delimiter)]
        return rows, find_body(Sheet("", 0, "visible", rows), _NO_HEADINGS)

    def pieces(
        self, headings: Headings, telling: int, wanted: list[int], findings: LimitedFindings
    ) -> Iterator[tuple[pa.Array, dict[int, pa.Array]]]:
        """Yield the data rows by piece: their row numbers, and the cells of each wanted column by its index.

        A piece ends after `PIECE_ROWS` rows of the file or `PIECE_CHARACTERS`; where none of them holds data it is empty.

        Args:
            headings: as found in ``head``.
            telling: index of a column that holds words or dates in every data row: one look at it tells a data row.
            wanted: indexes of the columns to give.
            findings: takes what is wrong with whole rows.

        Raises:
            UnreadableBulk: the file stops being text in its encoding, or CSV.
        """
        width = len(self.head[headings.row_number - 1])
        rows = self._records()
        next(islice(rows, headings.row_number - 1, headings.row_number), None)
        ordinary: dict[str, bool] = {}
        numbers: list[int] = []
        data: list[list[str]] = []
        last = headings.row_number + PIECE_ROWS
        self._taken_characters = 0
        for number, row in rows:
            if number > last or self._taken_characters > PIECE_CHARACTERS:
                yield _columns(numbers, data, wanted)
                numbers, data = [], []
                last, self._taken_characters = number - 1 + PIECE_ROWS, 0
            told = ordinary.get(row[telling]) if len(row) == width else None
            first = row[0] if row else ""
            if not told or not first or ":" in first or "：" in first:
                if told is None and len(row) == width and len(ordinary) < PIECE_ROWS:
                    ordinary[row[telling]] = _tells_data(row[telling])
                kind = self._kind(row)
                if kind == "foot":
                    self._read_foot(number, row, rows)
                    break
                if kind != "data" or self._is_ragged(number, row, width, findings):
                    if kind == "total":
                        self._take_total(number, row)
                    continue
            numbers.append(number)
            data.append(row)
        if data:
            yield _columns(numbers, data, wanted)

    def texts(self, column: int, row_numbers: set[int]) -> dict[int, str]:
        """Return what is written in a column's cells in the given rows."""
        last = max(row_numbers, default=0)
        return {
            number: row[column] if column < len(row) else ""
            for number, row in islice(self._records(), last)
            if number in row_numbers
        }

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        number = 0
        with self._path.open(encoding=self._encoding, newline="") as file:
            reader = csv.reader(self._lines(file), delimiter=self.delimiter, strict=True)
            try:
                for number, row in enumerate(reader, 1):
                    yield number, row
            except csv.Error as error:
                message = f"第 {number + 1} 行起引号不成对，或一个单元格超过 {csv.field_size_limit()} 个字符"
                raise UnreadableBulk(message, f"{number + 1}:{number + 1}") from error
            except UnicodeDecodeError as error:
                line, offset = first_fault(self._path, self._encoding)
                name = ENCODING_LABELS[self._encoding.removesuffix("-sig")]
                message = f"文件开头是 {name}，第 {line} 行（第 {offset} 个字节）却不是"
                raise UnreadableBulk(message, f"{number + 1}:{number + 1}") from error

    def _lines(self, file: TextIO) -> Iterator[str]:
        """Yield the lines.

        Raises:
            UnreadableBulk: a line holds a NUL, as no text does, or has no end.
        """
        for number, line in enumerate(iter(partial(file.readline, LONGEST_LINE + 1), ""), 1):
            if "\0" in line:
                raise UnreadableBulk(f"第 {number} 行里有空字符，文件不是文本，或已损坏")
            if len(line) > LONGEST_LINE:
                raise UnreadableBulk(f"第 {number} 行超过 {LONGEST_LINE:,} 个字符，文件不是表格，或缺少换行")
            self._taken_characters += len(line)
            yield line

    @staticmethod
    def _kind(row: list[str]) -> str:
        """Tell by the sheet reader's own rules whether a row is blank, data, the 合计 row or the beginning of the foot."""
        if all(is_blank(cell) for cell in row):
            return "blank"
        body = find_body(Sheet("", 0, "visible", [_typed(row[:MOST_COLUMNS])]), _NO_HEADINGS)
        return "data" if body.data else "total" if body.total else "foot"

    @staticmethod
    def _is_ragged(number: int, row: list[str], width: int, findings: LimitedFindings) -> bool:
        """Report a data row with other than the headings' number of cells; even a blank one too many may be a shifted one."""
        if len(row) == width:
            return False
        message = f"第 {number} 行有 {len(row)} 个单元格，表头有 {width} 个；不知道错在哪一格，这一行没有取数"
        findings.report(
            "RD-073", message, cell=f"{number}:{number}", found=f"{len(row)} 个单元格", expected=f"{width} 个单元格"
        )
        return True

    def _take_total(self, number: int, row: list[str]) -> None:
        if self.foot.total_row is None:
            self.foot.total_row, self.foot.total = number, row
        else:
            self.foot.stray.append(number)

    def _read_foot(self, number: int, row: list[str], rest: Iterator[tuple[int, list[str]]]) -> None:
        """Read the foot, from its first row to the end of the file."""
        lines = [(number, _typed(row)), *((n, _typed(r)) for n, r in islice(rest, MOST_FOOT_ROWS))]
        grid = [cells for _, cells in lines]
        self.foot.body = body = find_body(Sheet("", 0, "visible", grid), _NO_HEADINGS)
        self.foot.units = [one._replace(row_number=lines[one.row_number - 1][0]) for one in units_below(grid, body)]
        self.foot.stray += [lines[place - 1][0] for place in body.stray]
        self.foot.more_stray_count = sum(1 for _, r in rest if any(not is_blank(cell) for cell in r))


def _head(text: str, delimiter: str) -> list[list[str]]:
    """Return the first rows; of a long file the text ends within one, far below the headings."""
    rows: list[list[str]] = []
    # The reader of the data rows meets the same fault, and says where.
    with suppress(csv.Error):
        rows.extend(islice(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), HEAD_ROWS))
    return rows


def _headings_count(rows: list[list[str]], known: list[str]) -> int:
    found = find_headings([row[:MOST_COLUMNS] for row in rows], known)
    return len(found.columns) if found else 0


def _lenient(line: str, delimiter: str) -> Iterable[list[str]]:
    try:
        return list(csv.reader([line], delimiter=delimiter))
    except csv.Error:
        return []


def _typed(row: list[str]) -> list[object]:
    """Return the cells as a sheet would hold them, as far as telling rows apart needs: numbers are numbers there."""
    return [number_of(cell) if number_of(cell) is not None else cell for cell in row]


def _tells_data(cell: str) -> bool:
    """Whether a cell can stand in a data row only: neither blank, nor a number, nor a symbol, nor 合计."""
    label = label_of(cell)
    return len(label) > 1 and label != "合计" and number_of(cell) is None and any(c.isalnum() for c in label)


def _columns(numbers: list[int], rows: list[list[str]], wanted: list[int]) -> tuple[pa.Array, dict[int, pa.Array]]:
    cells = list(zip(*rows, strict=True))
    return pa.array(numbers, pa.int32()), {
        index: pa.array(cells[index] if cells else (), pa.string()) for index in wanted
    }
