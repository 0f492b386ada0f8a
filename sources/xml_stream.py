"""One XML part as a stream of events, without entities or a DTD; and a shortcut for the plainest items, proven exact.

A sheet of 200 000 rows is millions of elements; a call into Python for each costs more than everything else together. Nearly all
of them stand in items (rows, shared strings) written in one plain form. So before the parser sees an item, a regular expression may
take it out of the stream; whatever it does not take, to the last byte, goes through the parser. What makes this exact:

- an item is only offered directly below its list, in a part in UTF-8 whose unprefixed names are SpreadsheetML's;
- after a comment, CDATA section or processing instruction nothing is offered any more;
- whoever takes an item must account for every ``<`` in it (see the callers), and for its text byte by byte.
"""

from collections.abc import Callable
from typing import IO, Any
from xml.parsers import expat

MAIN_NAMESPACES = frozenset(
    {"http://schemas.openxmlformats.org/spreadsheetml/2006/main", "http://purl.oclc.org/ooxml/spreadsheetml/main"}
)
"""SpreadsheetML, transitional and strict: the same elements under two names."""
CHUNK_BYTES = 1 << 20
MOST_HEAD_BYTES = 4 * CHUNK_BYTES


class BadPart(Exception):
    """A part of the package is not what the format says; the message is one Chinese clause."""


class Stream:
    """An expat parser that speaks in local names of SpreadsheetML.

    Args:
        start: called with (local name, attributes); foreign elements have an empty name.
        end: called with the local name.
        text: called with character data.
    """

    def __init__(
        self, start: Callable[[str, dict[str, str]], Any], end: Callable[[str], Any], text: Callable[[str], Any]
    ) -> None:
        self._start, self._end = start, end
        self._names: dict[str, str] = {}
        self.path: list[str] = []
        self.is_utf8 = True
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler = self._on_start
        parser.EndElementHandler = self._on_end
        parser.CharacterDataHandler = text
        parser.XmlDeclHandler = self._on_declaration
        parser.StartDoctypeDeclHandler = _refuse_doctype
        self._parser = parser

    def _local(self, name: str) -> str:
        namespace, _, local = name.rpartition(" ")
        return self._names.setdefault(name, local if namespace in MAIN_NAMESPACES else "")

    def _on_start(self, name: str, attributes: dict[str, str]) -> None:
        local = self._names.get(name) or self._local(name)
        self.path.append(local)
        self._start(local, attributes)

    def _on_end(self, name: str) -> None:
        self.path.pop()
        self._end(self._names[name])

    def _on_declaration(self, version: str, encoding: str | None, standalone: int) -> None:
        self.is_utf8 = (encoding or "utf-8").lower() == "utf-8"

    def feed(self, data: bytes, *, is_last: bool = False) -> None:
        """Parse the next bytes.

        Raises:
            BadPart: not well-formed, or with a DTD.
        """
        try:
            self._parser.Parse(data, is_last)
        except expat.ExpatError as error:
            raise BadPart(f"XML 有误（{expat.errors.messages[error.code]}）") from error


def _refuse_doctype(*_: object) -> None:
    raise BadPart("XML 里有 DOCTYPE")


def stream_items(
    file: IO[bytes],
    stream: Stream,
    list_name: str,
    item_name: str,
    take: Callable[[bytes], bool],
    is_enough: Callable[[], bool],
) -> None:
    """Feed a part to the stream, offering each item of its list to ``take`` first.

    Args:
        file: the part's bytes.
        stream: its parser.
        list_name: the element that holds the items, such as ``sheetData``.
        item_name: the items, such as ``row``.
        take: gets the bytes before an item's closing tag: of exactly one item, or of anything else; True if it is one, and is read.
        is_enough: says when to stop early.
    """
    opening, closing = f"<{list_name}".encode(), f"</{item_name}>".encode()
    head, at = b"", -1
    while at < 0:
        chunk = file.read(CHUNK_BYTES)
        head += chunk
        begin = head.find(opening)
        at = head.find(b">", begin) if begin >= 0 else -1
        if at < 0 and (not chunk or len(head) > MOST_HEAD_BYTES):
            # An unusual form of the list's name (a prefix, UTF-16), or no list at all.
            _feed_rest(file, stream, head, is_enough)
            return
    stream.feed(head[: at + 1])
    rest = head[at + 1 :]
    # The unprefixed name has just been understood as SpreadsheetML's, so the items' unprefixed names will be.
    is_plain = stream.is_utf8 and stream.path[-1:] == [list_name]
    depth = len(stream.path)
    while is_plain and not is_enough():
        end = rest.rfind(closing) + len(closing)
        if end < len(closing):
            more = file.read(CHUNK_BYTES)
            if not more:
                break
            rest += more
            continue
        whole, rest = rest[:end], rest[end:]
        if b"<!" in whole or b"<?" in whole:
            rest = whole + rest
            break
        for piece in whole.split(closing)[:-1]:
            if len(stream.path) != depth or not take(piece):
                stream.feed(piece + closing)
            if is_enough():
                return
        rest += file.read(CHUNK_BYTES)
        if not rest:
            break
    _feed_rest(file, stream, rest, is_enough)


def _feed_rest(file: IO[bytes], stream: Stream, data: bytes, is_enough: Callable[[], bool]) -> None:
    while data:
        stream.feed(data)
        if is_enough():
            return
        data = file.read(CHUNK_BYTES)
    stream.feed(b"", is_last=True)
