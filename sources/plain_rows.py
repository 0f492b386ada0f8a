"""Rows in the plain form that spreadsheet programs write, read without a parser; what makes it exact is told in `sources.xml_stream`."""

import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from openpyxl.utils import column_index_from_string

MOST_SHAPES = 10_000
USES_WORTH_A_PATTERN = 20

_ATTRIBUTE = re.compile(r' ([A-Za-z0-9:]+)="([^"]*)"')
_ROW = re.compile(rb'\s*<row r="([1-9][0-9]{0,6})"((?: [A-Za-z0-9:]+="[A-Za-z0-9:. ]*")*) ?>')
_HELD_VALUE = rb"<v>([0-9.eE+-]+)</v>"
_HELD_TEXT = rb'<is><t(?: xml:space="preserve")?>([^<&\x00-\x1f]+)</t></is>'
_CELL = re.compile(
    rb'<c r="([A-Z]{1,3})([0-9]+)"((?: [st]="[A-Za-z0-9]*"){0,2}) ?(?:/>|>(?:%b|%b)</c>)' % (_HELD_VALUE, _HELD_TEXT)
)
_INFINITE = (float("inf"), float("-inf"))

Converter = Callable[[bytes], Any]


class PlainRow(NamedTuple):
    """A row: its number, its values from the first column on (empty cells are an empty text), their styles, its own attributes."""

    number: int
    values: list[Any]
    styles: tuple[int, ...]
    attributes: dict[str, str]


@dataclass(slots=True)
class _Shape:
    """How rows of one shape are read: the index and the converter of each cell, the styles up to the last.

    ``pattern`` matches a whole row of the shape, every cell filled; it is made once the shape has come often.
    """

    indices: list[int]
    converters: list[Callable[[bytes], Any]]
    is_dense: bool
    styles: tuple[int, ...]
    source: bytes
    uses: int = 0
    pattern: re.Pattern[bytes] | None = None


class PlainRows:
    """Reads rows in the plain form. Rows of one shape follow each other by the thousand, so a shape that comes often gets a pattern.

    Args:
        converter_of: gives the converter for a cell's type and style; None where such a cell is for the parser.
    """

    def __init__(self, converter_of: Callable[[str, int], Converter | None]) -> None:
        self._converter_of = converter_of
        self._shapes: dict[tuple[Any, Any], _Shape | None] = {}
        self._last: _Shape | None = None

    def read(self, item: bytes) -> PlainRow | None:
        """Read a row in the plain form, ``</row>`` cut off; None where it is in any other."""
        shape = self._last
        values: Sequence[bytes]
        match = shape.pattern.fullmatch(item) if shape and shape.pattern else None
        if shape and match:
            row, written, *values = match.groups()
        else:
            match = _ROW.match(item)
            if match is None:
                return None
            row, written = match.groups()
            shape, values = self._shape(item, match.end(), row)
            if shape is None:
                return None
        attributes = _row_attributes(written)
        if attributes is None:
            return None
        try:
            found = [convert(value) if value else "" for convert, value in zip(shape.converters, values, strict=True)]
        except (ValueError, KeyError, OverflowError):
            return None
        if _INFINITE[0] in found or _INFINITE[1] in found:
            return None
        if not shape.is_dense:
            sparse: list[Any] = [""] * len(shape.styles)
            for index, value in zip(shape.indices, found, strict=True):
                sparse[index] = value
            found = sparse
        return PlainRow(int(row), found, shape.styles, attributes)

    def _shape(self, item: bytes, begin: int, row: bytes) -> tuple[_Shape | None, Sequence[bytes]]:
        """Return the shape of a row's cells and what they hold; no shape where the row is not wholly in the plain form.

        Every tag of the row belongs to one of the cells found, or to the row: the number of ``<`` says so. Between tags nothing is
        written but what the cells hold: the number of ``><`` says so.
        """
        cells = _CELL.findall(item, begin)
        if not cells:
            return None, ()
        columns, row_numbers, kinds, values, texts = zip(*cells, strict=True)
        value_count, text_count = len(cells) - values.count(b""), len(cells) - texts.count(b"")
        tag_count = 1 + len(cells) + 3 * value_count + 5 * text_count
        if (
            item.count(b"<") != tag_count
            or item.count(b"><") != tag_count - 1 - value_count - text_count
            or row_numbers.count(row) != len(cells)
            or not item.endswith(b">")
        ):
            return None, ()
        if text_count:
            # A text belongs to an inline cell, and a value to any other.
            if any(
                bool(text) != (b't="inlineStr"' in kind)
                for kind, value, text in zip(kinds, values, texts, strict=True)
                if value or text
            ):
                return None, ()
            values = tuple(value or text for value, text in zip(values, texts, strict=True))
        elif any(b't="inlineStr"' in kind for kind, value in zip(kinds, values, strict=True) if value):
            return None, ()
        key = (columns, kinds)
        if key not in self._shapes:
            if len(self._shapes) > MOST_SHAPES:
                self._shapes.clear()
            self._shapes[key] = self._new_shape(columns, kinds)
        shape = self._shapes[key]
        self._last = shape
        if shape:
            shape.uses += 1
            if shape.uses == USES_WORTH_A_PATTERN:
                shape.pattern = re.compile(_ROW.pattern + shape.source)
        return shape, values

    def _new_shape(self, columns: tuple[bytes, ...], kinds: tuple[bytes, ...]) -> _Shape | None:
        indices = [column_index(letters.decode()) for letters in columns]
        if any(right <= left for left, right in itertools.pairwise(indices)):
            return None
        converters = []
        source = b""
        styles = [0] * (indices[-1] + 1)
        for index, letters, kind in zip(indices, columns, kinds, strict=True):
            attributes = _attributes(kind.decode())
            if attributes is None or not attributes.get("s", "0").isdigit():
                return None
            style = styles[index] = int(attributes.get("s", "0"))
            type_ = attributes.get("t", "n")
            converter = self._converter_of(type_, style)
            if converter is None:
                return None
            converters.append(converter)
            held = _HELD_TEXT if type_ == "inlineStr" else _HELD_VALUE
            source += b'<c r="%b\\1"%b ?>%b</c>' % (letters, kind, held)
        return _Shape(indices, converters, len(indices) == indices[-1] + 1, tuple(styles), source)


@lru_cache(maxsize=4096)
def column_index(letters: str) -> int:
    """Return the 0-based index of a column's letters."""
    return column_index_from_string(letters) - 1


@lru_cache(maxsize=4096)
def _attributes(written: str) -> dict[str, str] | None:
    """Return attributes written plainly (`` a="1" b="2"``), or None where one stands twice."""
    found = _ATTRIBUTE.findall(written)
    return dict(found) if len({name for name, _ in found}) == len(found) else None


def _row_attributes(written: bytes) -> dict[str, str] | None:
    attributes = _attributes(written.decode())
    return None if attributes is None or "r" in attributes or "xmlns" in attributes else attributes
