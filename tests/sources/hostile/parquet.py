"""Parquet files that no library would write: every byte of pages and footer as the test wants it (thrift's compact protocol)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

PLAIN, RLE, RLE_DICTIONARY = 0, 3, 8
UNCOMPRESSED, SNAPPY, ZSTD = 0, 1, 6
DATA, DICTIONARY = 0, 2
_BYTE_ARRAY, _REQUIRED, _UTF8 = 6, 0, 0
_I32, _I64, _BINARY, _LIST, _STRUCT = 5, 6, 8, 9, 12


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def _value(kind: int, value: Any) -> bytes:
    if kind == _STRUCT:
        return value
    if kind == _BINARY:
        return _varint(len(value)) + value
    if kind == _LIST:
        element, items = value
        head = bytes([len(items) << 4 | element]) if len(items) < 15 else bytes([0xF0 | element]) + _varint(len(items))
        return head + b"".join(_value(element, item) for item in items)
    return _varint((value << 1) ^ (value >> 63))


def _struct(**fields: tuple[int, Any]) -> bytes:
    """Return a struct; a field is named ``f`` and its number."""
    out, last = b"", 0
    for name, (kind, value) in fields.items():
        number = int(name[1:])
        out += bytes([(number - last) << 4 | kind]) + _value(kind, value)
        last = number
    return out + b"\0"


@dataclass(frozen=True)
class Page:
    """One page: what its header says, and what follows it; ``size`` is the unpacked size it claims."""

    kind: int
    count: int
    encoding: int
    size: int
    body: bytes

    def written(self) -> bytes:
        """Return header and body."""
        plain = {"f1": (_I32, self.count), "f2": (_I32, self.encoding)}
        levels = {"f3": (_I32, RLE), "f4": (_I32, RLE)}
        head = {"f1": (_I32, self.kind), "f2": (_I32, self.size), "f3": (_I32, len(self.body))}
        detail = (
            {"f5": (_STRUCT, _struct(**plain, **levels))} if self.kind == DATA else {"f7": (_STRUCT, _struct(**plain))}
        )
        return _struct(**head, **detail) + self.body


def plain_page(texts: Sequence[str]) -> Page:
    """Return an honest page of texts, uncompressed."""
    body = b"".join(len(text.encode()).to_bytes(4, "little") + text.encode() for text in texts)
    return Page(DATA, len(texts), PLAIN, len(body), body)


def all_first(count: int) -> Page:
    """Return an honest page that says of ``count`` rows that each holds the first text of the dictionary."""
    body = b"\x01" + _varint(count << 1) + b"\0"
    return Page(DATA, count, RLE_DICTIONARY, len(body), body)


def parquet_bytes(
    columns: dict[str, tuple[int, Sequence[Page]]], said: dict[str, str], row_count: int, group_count: int = 1
) -> bytes:
    """Return a file of one row group (said to be there ``group_count`` times).

    Args:
        columns: codec and pages by column name.
        said: the key-value metadata.
        row_count: rows that the footer claims per row group.
        group_count: how often the footer lists the row group.
    """
    out, chunks = b"PAR1", []
    for name, (codec, pages) in columns.items():
        begins = [len(out)]
        for page in pages:
            out += page.written()
            begins.append(len(out))
        size = begins[-1] - begins[0]
        first_is_dictionary = pages[0].kind == DICTIONARY
        about = {
            "f1": (_I32, _BYTE_ARRAY),
            "f2": (_LIST, (_I32, [PLAIN, RLE, RLE_DICTIONARY])),
            "f3": (_LIST, (_BINARY, [name.encode()])),
            "f4": (_I32, codec),
            "f5": (_I64, row_count),
            "f6": (_I64, size),
            "f7": (_I64, size),
            "f9": (_I64, begins[1 if first_is_dictionary else 0]),
        }
        if first_is_dictionary:
            about["f11"] = (_I64, begins[0])
        chunks.append(_struct(f2=(_I64, 0), f3=(_STRUCT, _struct(**about))))
    group = _struct(f1=(_LIST, (_STRUCT, chunks)), f2=(_I64, len(out)), f3=(_I64, row_count))
    leaf = [
        _struct(f1=(_I32, _BYTE_ARRAY), f3=(_I32, _REQUIRED), f4=(_BINARY, name.encode()), f6=(_I32, _UTF8))
        for name in columns
    ]
    pairs = [_struct(f1=(_BINARY, key.encode()), f2=(_BINARY, value.encode())) for key, value in said.items()]
    footer = _struct(
        f1=(_I32, 1),
        f2=(_LIST, (_STRUCT, [_struct(f4=(_BINARY, b"schema"), f5=(_I32, len(columns))), *leaf])),
        f3=(_I64, row_count * group_count),
        f4=(_LIST, (_STRUCT, [group] * group_count)),
        f5=(_LIST, (_STRUCT, pairs)),
    )
    return out + footer + len(footer).to_bytes(4, "little") + b"PAR1"
