"""Formulas that reach out of the workbook: calls of other programs (refused), and links to other workbooks (named, cell by cell)."""

import re
from collections.abc import Iterable
from xml.parsers import expat

from openpyxl.utils import column_index_from_string, get_column_letter
from openpyxl.utils.cell import coordinate_from_string

from sources.inspection.refusal import DAMAGED, DATA_CONNECTION, DDE, MACRO, Refused, shown

_TEXT = re.compile(r'"[^"]*"')
_QUOTED_SHEET = re.compile(r"'[^']*'")
_CALLS = (
    (re.compile(r"\||\b(DDE|DDEAUTO|RTD)\s*\("), DDE, "动态数据交换（DDE、RTD）"),
    (re.compile(r"\b(WEBSERVICE)\s*\("), DATA_CONNECTION, "从网上取数的函数（WEBSERVICE）"),
    (re.compile(r"\b(CALL|REGISTER|REGISTER\.ID|EXEC)\s*\("), MACRO, "调用外部程序的函数"),
)
# ``[1]Sheet!A1``, ``'[1]Sheet 1'!A1``, ``[1]!Name``, ``[Book.xlsx]Sheet!A1``; not ``Table[2026]``.
_LINK = re.compile(r"(?<![\w\])])(?:'[^'\[]*)?\[(?:\d+|[^\[\]]+\.(?:xl\w+|et|csv|ods))\][^\[\]!]*!", re.IGNORECASE)

_HINTS = (b"|", b"&#", b"<!", b"<?", b"]", b"DDE", b"RTD", b"WEBSERVICE", b"CALL", b"REGISTER", b"EXEC")
_FORMULAS = (b"<f", b":f")
_SUSPECT = re.compile(r"[|\]]|DDE|RTD|WEBSERVICE|CALL|REGISTER|EXEC", re.IGNORECASE)
_PIECE_BYTES = 1024 * 1024
_MOST_NAMED = 1_000
"""One linked cell is enough to send a sheet back; naming a million helps nobody."""


def refuse_calls(formula: str, place: str) -> None:
    """Refuse a formula that calls another program or the network.

    Raises:
        Refused: it does.
    """
    plain = _QUOTED_SHEET.sub("''", _TEXT.sub('""', formula)).upper()
    for pattern, rule, what in _CALLS:
        if pattern.search(plain):
            raise Refused(rule, f"{place}里有{what}")


def links_outside(formula: str) -> bool:
    """Tell whether a formula takes a value from another workbook."""
    return _LINK.search(_TEXT.sub('""', formula)) is not None


def may_reach_out(part: bytes) -> bool:
    """Tell whether a worksheet's raw bytes could hold a formula that reaches out; cheap, and wrong only on the careful side.

    Most sheets have no formula, and a single letter is looked for far faster than two.
    """
    if b"\0" in part:
        return True
    if b"f" not in part or not any(mark in part for mark in _FORMULAS):
        return False
    # Small letters call functions too.
    text = part.upper()
    return any(hint in text for hint in _HINTS)


class _Formulas:
    """An expat parser that hears only where cells begin and what formulas say."""

    def __init__(self, sheet: str, outside_names: Iterable[str]) -> None:
        self.linked: set[tuple[int, int]] = set()
        self._sheet = sheet
        names = "|".join(re.escape(name) for name in outside_names)
        self._names = re.compile(rf"(?<![\w.])(?:{names})(?![\w.])", re.IGNORECASE) if names else None
        self._row, self._place = 0, ""
        self._shared: dict[str, bool] = {}
        self._group = ""
        self._text: list[str] = []
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._start
        self.parser.buffer_text = True

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(":")[2]
        if local == "c":
            place = attributes.get("r", "")
            # Most cells say where they are, and for most nobody asks; so it is worked out only when needed.
            if not place:
                row, column = self._position()
                place = f"{get_column_letter(column + 2)}{row}"
            self._place = place
        elif local == "row":
            number = attributes.get("r", "")
            self._row, self._place = int(number) if number.isdecimal() else self._row + 1, ""
        elif local == "f":
            self._group = attributes.get("si", "") if attributes.get("t") == "shared" else ""
            self._text = []
            self.parser.CharacterDataHandler = self._text.append
            self.parser.EndElementHandler = self._end

    def _position(self) -> tuple[int, int]:
        if not self._place:
            return self._row, -1
        letters, row = coordinate_from_string(self._place)
        return row, column_index_from_string(letters) - 1

    def _end(self, name: str) -> None:
        if name.rpartition(":")[2] != "f":
            return
        self.parser.CharacterDataHandler = self.parser.EndElementHandler = None
        formula = "".join(self._text)
        if formula:
            is_linked = bool(self._names and self._names.search(formula))
            if _SUSPECT.search(formula):
                refuse_calls(formula, f"工作表“{shown(self._sheet)}”的公式")
                is_linked = is_linked or links_outside(formula)
            if self._group:
                self._shared[self._group] = is_linked
        else:
            # Cells filled down share the first one's formula.
            is_linked = self._shared.get(self._group, False)
        if is_linked and len(self.linked) < _MOST_NAMED:
            self.linked.add(self._position())


def linked_cells(sheet: str, part: bytes, outside_names: Iterable[str]) -> frozenset[tuple[int, int]]:
    """Return the cells (1-based row, 0-based column) whose formula takes a value from another workbook.

    The worksheet's prolog has been checked: it declares no entities.

    Raises:
        Refused: a formula calls another program or the network, or the worksheet is not well-formed.
    """
    formulas = _Formulas(sheet, outside_names)
    try:
        for at in range(0, len(part), _PIECE_BYTES):
            formulas.parser.Parse(part[at : at + _PIECE_BYTES], False)
        formulas.parser.Parse(b"", True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise Refused(DAMAGED, f"文件已损坏，工作表“{shown(sheet)}”不是完整的 XML") from error
    return frozenset(formulas.linked)
