"""One column, piece by piece: plain cells by Arrow in bulk, every other cell by the same reader as a sheet's, once per distinct text.

The fast way takes only cells that match a strict pattern, for which it gives what the exact way would give; a property test holds
the two together. All else (blanks, symbols, full-width forms, dates, faults) goes the exact way.
"""

from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sources.bulk.cells import text_reader
from sources.contracts import ARROW_TYPES, Column
from sources.identifiers import ALPHABET
from sources.values import FEN_IN_WAN, MISSING, NO_REFERENCE, NOT_REPORTED, CellFault, Value, cell_reader

KNOWN_TEXTS = 50_000
"""Distinct texts remembered per column; a ledger's areas, categories and dates are few, its numbers are not."""

_MOST_DIGITS = 9
_TEXT = r"^[0-9A-Za-z\p{Han}](?:[0-9A-Za-z\p{Han}（）()〔〕《》、，\-_·./ ]*[0-9A-Za-z\p{Han}）)])?$"
_CODE = r"^[0-9A-Z\p{Han}〔〕\-_/.]+$"
_USCC = rf"^[{ALPHABET}]{{18}}$"
_PLAIN_TYPES = {"text": _TEXT, "reference": _CODE, "code": _CODE}


class Note(NamedTuple):
    """What the later finding of a cell says."""

    rule_id: str
    message: str
    found: str
    expected: str


class _Outcome(NamedTuple):
    value: Value
    status: str | None
    note: Note | None


@dataclass(frozen=True)
class Piece:
    """A column's cells in a piece of the file: values in the contract's type, statuses of number cells, notes by position (0-based)."""

    values: pa.Array
    statuses: pa.Array | None
    notes: list[tuple[int, Note]]


class ColumnReader:
    """Reads one column of a bulk file.

    Args:
        column: the contract's column.
        index: the column's place in the file, 0-based.
        factor: 万元 per stated unit; used by money columns only.
        areas: area key per squeezed name or alias, as valid in the period.
    """

    def __init__(self, column: Column, index: int, factor: Decimal, areas: dict[str, str]) -> None:
        self.column, self.index = column, index
        self.type = ARROW_TYPES.get(column.type, pa.string())
        self._scale = factor if column.type == "money" else Decimal(1)
        self.read_cell = cell_reader(column, factor, areas)
        self.read_text = text_reader(column, self._scale, self.read_cell)
        self._known: dict[object, _Outcome] = {}

    def read(self, cells: pa.Array) -> Piece:
        """Read the cells of a piece, whatever Arrow type the file gave them."""
        if pa.types.is_dictionary(cells.type):
            return self._by_distinct(self.read(cells.dictionary), cells.indices)
        kind = cells.type
        if (
            pa.types.is_large_string(kind)
            or pa.types.is_string_view(kind)
            or pa.types.is_null(kind)
            or (self.column.is_number and (pa.types.is_integer(kind) or pa.types.is_decimal(kind)))
        ):
            cells = cells.cast(pa.string())
        elif self.column.type == "boolean" and pa.types.is_boolean(kind):
            cells = pc.if_else(cells, "是", "否")
        elif pa.types.is_timestamp(kind):
            cells = cells.cast(pa.timestamp("us", kind.tz), safe=False)
        if not pa.types.is_string(cells.type):
            return self.read_exactly(cells)
        fast = self._read_fast(cells)
        if fast is None:
            return self.read_exactly(cells)
        values, is_plain = fast
        statuses = pa.repeat(pa.scalar("reported"), len(cells)) if self.column.is_number else None
        others = pc.invert(is_plain)
        at = np.flatnonzero(others.to_numpy(zero_copy_only=False))
        if not len(at):
            return Piece(values, statuses, [])
        exact = self.read_exactly(cells.filter(others))
        return Piece(
            pc.replace_with_mask(values, others, exact.values),
            pc.replace_with_mask(statuses, others, exact.statuses) if statuses is not None else None,
            [(int(at[position]), note) for position, note in exact.notes],
        )

    def read_exactly(self, cells: pa.Array) -> Piece:
        """Read the cells by the exact way alone, once per distinct cell."""
        encoded = cells.dictionary_encode()
        outcomes = [self._outcome(raw) for raw in encoded.dictionary.to_pylist()]
        distinct = Piece(
            pa.array([outcome.value for outcome in outcomes], self.type),
            pa.array([outcome.status for outcome in outcomes], pa.string()) if self.column.is_number else None,
            [(position, outcome.note) for position, outcome in enumerate(outcomes) if outcome.note],
        )
        return self._by_distinct(distinct, encoded.indices)

    def _by_distinct(self, distinct: Piece, indices: pa.Array) -> Piece:
        """Spread what was read of the distinct cells over the rows; a null index is a blank cell."""
        values = distinct.values.take(indices)
        statuses = distinct.statuses.take(indices) if distinct.statuses is not None else None
        notes = []
        if distinct.notes or indices.null_count:
            blank = self._outcome(None)
            told = dict(distinct.notes)
            at = indices.fill_null(-1).to_numpy()
            if blank.note:
                told[-1] = blank.note
            for position in np.flatnonzero(np.isin(at, list(told))) if told else ():
                notes.append((int(position), told[int(at[position])]))
            if statuses is not None:
                statuses = pc.fill_null(statuses, pa.scalar(blank.status))
        return Piece(values, statuses, notes)

    def _outcome(self, raw: object) -> _Outcome:
        # 1, 1.0 and True are one key of a dictionary, and not one cell.
        key = raw if isinstance(raw, str) or raw is None else (type(raw), raw)
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= KNOWN_TEXTS:
                self._known.clear()
            known = self._known[key] = self._read_one(raw)
        return known

    def _read_one(self, raw: object) -> _Outcome:
        try:
            cell = self.read_text(raw)
        except CellFault as fault:
            cell = NOT_REPORTED if self.column.is_number else MISSING
            return _Outcome(cell.value, cell.status, Note(fault.rule_id, fault.message, fault.found, fault.expected))
        note = Note(*cell.remark, str(cell.value), "") if cell.remark else None
        return _Outcome(cell.value, cell.status, note)

    def _read_fast(self, cells: pa.Array) -> tuple[pa.Array, pa.Array] | None:
        """Return values and which cells are plain, the others null; None for columns of few distinct cells."""
        kind = self.column.type
        if self.column.is_number:
            # As many decimals as reach a fen in 万元: the digits are then the same whole number of fen.
            decimals = 0 if kind == "count" else 6 + self._scale.adjusted()
            pattern = rf"^-?[0-9]{{1,{_MOST_DIGITS}}}(?:\.[0-9]{{1,{decimals}}})?$" if decimals else r"^[0-9]{1,15}$"
            is_plain, plain = _matching(cells, pattern)
            if kind == "count":
                return plain.cast(pa.int64()), is_plain
            return plain.cast(pa.decimal128(20, decimals)).view(self.type), is_plain
        if kind == "uscc":
            is_plain, plain = _matching(cells, _USCC)
            valid = _has_valid_check_digit(plain.drop_null())
            is_plain = pc.replace_with_mask(is_plain, is_plain, valid)
            return pc.if_else(is_plain, cells, pa.scalar(None, pa.string())), is_plain
        if kind in _PLAIN_TYPES:
            is_plain, plain = _matching(cells, _PLAIN_TYPES[kind])
            if kind == "reference":
                is_plain = pc.and_(is_plain, pc.invert(pc.is_in(cells, value_set=_no_reference())))
            return plain, is_plain
        return None


def _matching(cells: pa.Array, pattern: str) -> tuple[pa.Array, pa.Array]:
    """Return which cells match, and the cells with null in place of the others."""
    matches = pc.fill_null(pc.match_substring_regex(cells, pattern), False)
    # RE2's $ is the end of the text, never before a last newline.
    return matches, pc.if_else(matches, cells, pa.scalar(None, pa.string()))


@lru_cache(maxsize=1)
def _no_reference() -> pa.Array:
    # Not at import: making an array looks for pandas.
    return pa.array(sorted(NO_REFERENCE), pa.string())


@lru_cache(maxsize=1)
def _check_tables() -> tuple[np.ndarray, np.ndarray]:
    """Return the number of each byte in GB 32100's alphabet, and the weights 3ⁱ mod 31 of the first 17 characters."""
    numbers = np.zeros(256, np.int64)
    for number, character in enumerate(ALPHABET):
        numbers[ord(character)] = number
    return numbers, np.array([pow(3, place, 31) for place in range(17)], np.int64)


def _has_valid_check_digit(codes: pa.Array) -> pa.Array:
    """Tell for 18-character codes of the alphabet whether the last character is the check character of GB 32100."""
    numbers, weights = _check_tables()
    count = len(codes)
    text = np.frombuffer("".join(codes.to_pylist()).encode("ascii"), np.uint8)
    digits = numbers[text.reshape(count, 18)]
    return pa.array((31 - digits[:, :17] @ weights % 31) % 31 == digits[:, 17], pa.bool_())


def exact_sum(values: pa.Array) -> Decimal:
    """Return the exact sum of an amount column's piece, in 万元; 0 where nothing was reported."""
    total = pc.sum(values).as_py()
    return Decimal(0) if total is None else total.quantize(FEN_IN_WAN)
