"""Looking at the bytes before any reader does: the place where hostile and broken files are refused.

In order: is it a plain file within the size (`kinds`, what it is instead), is the package what it says (`structure`), has any XML part a
document type (`markup`), what the parts are for (`contents`), what the formulas reach for (`formulas`). Parts are unpacked in pieces, in
memory, counted as they come; nothing is written, fetched or run. What was inspected is what is read: the reader gets these very bytes.
"""

import os
import stat
import zipfile
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from io import BufferedReader
from itertools import chain
from pathlib import Path

from sources.inspection import contents, kinds, markup, structure
from sources.inspection.formulas import linked_cells, may_reach_out
from sources.inspection.refusal import (
    DAMAGED,
    EMPTY,
    LARGEST_FILE_BYTES,
    MIB,
    NOT_RECEIVABLE,
    TOO_LARGE,
    Refusal,
    Refused,
    shown,
)

__all__ = ["Inspection", "Refusal", "has_links", "inspect", "open_plain"]

_LINKS = "xl/externallinks/"
# A reader parses these; what is wrong with other parts does not matter, as long as nothing in it can act.
_READ = ("xl/worksheets/", "xl/sharedstrings", "xl/styles", "xl/workbook.xml", "[content_types].xml")


@dataclass(frozen=True)
class Inspection:
    """What the bytes say: why the file is refused, if it is; else which cells take their value from another workbook.

    ``linked`` holds, by sheet name, (row number, column index) pairs: 1-based row, 0-based column. ``parts`` are the XML parts by name,
    unpacked; whoever reads the last of one may take it out, for they can be 200 MB.
    """

    refusal: Refusal | None = None
    parts: dict[str, bytes] = field(default_factory=dict)
    linked: Mapping[str, frozenset[tuple[int, int]]] = field(default_factory=dict)


def inspect(path: Path) -> Inspection:
    """Look at a file's bytes; see `Inspection`. Never raises for what is in the file, never hangs on what is no plain file."""
    try:
        with open_plain(path) as file:
            return _inspected(file)
    except Refused as refused:
        return Inspection(refused.refusal)
    except OSError as error:
        return Inspection(Refusal(NOT_RECEIVABLE, f"文件读不了（{error.strerror or error}）"))


@contextmanager
def open_plain(path: Path) -> Iterator[BufferedReader]:
    """Open a plain file for reading; a pipe, a device or a folder is no hand-in, and opening one does not wait.

    Raises:
        OSError: it is none, or may not be read.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(None, "不是普通文件", str(path))
        yield file


def has_links(path: Path) -> bool:
    """Tell whether an inspected workbook has parts that link to other workbooks."""
    with zipfile.ZipFile(path) as package:
        return any(name.lower().startswith(_LINKS) for name in package.namelist())


def _inspected(file: BufferedReader) -> Inspection:
    size = os.fstat(file.fileno()).st_size
    if size == 0:
        raise Refused(EMPTY, "文件是空的（0 字节）")
    if size > LARGEST_FILE_BYTES:
        raise Refused(TOO_LARGE, f"文件有 {size / MIB:.1f} MB，超过 {LARGEST_FILE_BYTES // MIB} MB")
    kinds.refuse_other_kinds(file)
    said_count = structure.refuse_false_end(file, size)
    with structure.open_package(file) as package:
        kinds.refuse_other_packages(package)
        places = structure.checked_parts(package, file, said_count)
    unpacker = structure.Unpacker(file)
    facts = contents.Facts(frozenset(places))
    parts: dict[str, bytes] = {}
    for name, (info, begins) in places.items():
        _take(name, unpacker.pieces(info, begins), facts, parts)
    by_name = {name.casefold(): part for name, part in parts.items()}
    linked = {}
    for sheet, target in facts.sheet_parts().items():
        part = by_name.get(target.casefold())
        if part is None:
            raise Refused(DAMAGED, f"文件已损坏，工作表“{shown(sheet)}”不是 XML")
        if facts.outside_names or may_reach_out(part):
            linked[sheet] = linked_cells(sheet, part, facts.outside_names)
    return Inspection(parts=parts, linked=linked)


def _take(name: str, pieces: Iterator[bytes], facts: contents.Facts, parts: dict[str, bytes]) -> None:
    """Read one part to its end, checking it as it comes, and keep it if it is XML."""
    lower = name.lower()
    contents.refuse_by_name(name)
    first = next(pieces, b"")
    contents.refuse_by_beginning(name, first)
    kept: list[bytes] = []
    pieces = _keeping(first, pieces, kept)
    visitor: markup.Visitor | None = None
    if lower == contents.CONTENT_TYPES.lower():
        visitor = facts.content_type
    elif lower.endswith(".rels"):
        visitor = partial(facts.relationship, contents.owner_of(name))
    elif lower == contents.WORKBOOK:
        visitor = facts.workbook_element
    elif lower.startswith(_LINKS):
        visitor = facts.link_element
    elif lower == "xl/volatiledependencies.xml":
        visitor = facts.volatile_element
    if visitor:
        markup.visit(name, pieces, visitor)
    elif markup.is_markup(name, first):
        deque(markup.checked_prolog(name, pieces, must_parse=lower.startswith(_READ)), maxlen=0)
    else:
        while next(pieces, None) is not None:
            kept.clear()
        return
    parts[name] = b"".join(kept)


def _keeping(first: bytes, rest: Iterator[bytes], kept: list[bytes]) -> Iterator[bytes]:
    for piece in chain([first], rest):
        kept.append(piece)
        yield piece
