"""XML parts as streams of elements, by expat with document types forbidden (defusedxml); no tree is built."""

import codecs
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from xml.sax import SAXException
from xml.sax.handler import ContentHandler
from xml.sax.xmlreader import AttributesImpl

from defusedxml.common import DefusedXmlException
from defusedxml.expatreader import DefusedExpatParser

from sources.inspection.refusal import DAMAGED, DOCTYPE, MOST_STRUCTURE_BYTES, Refused, shown

_FEED_BYTES = 4096
_BOMS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

Visitor = Callable[[str, Mapping[str, str], str], None]
"""Called at the end of an element with its local name, its attributes by local name, and the text directly inside."""


def is_markup(name: str, beginning: bytes) -> bool:
    """Tell whether a part is XML, by its name or by its first bytes in any encoding."""
    if name.lower().endswith((".xml", ".rels", ".vml")):
        return True
    for bom in _BOMS:
        beginning = beginning.removeprefix(bom)
    return beginning[:64].replace(b"\0", b"").lstrip().startswith(b"<")


class _Handler(ContentHandler):
    def __init__(self, visit: Visitor | None) -> None:
        super().__init__()
        self.has_root = False
        self._visit = visit
        self._open: list[tuple[str, Mapping[str, str], list[str]]] = []

    # Without namespaces, as python-calamine reads: a prefix bound to something unheard of hides nothing.
    def startElement(self, name: str, attrs: AttributesImpl) -> None:
        self.has_root = True
        if self._visit:
            prefixed = {key.rpartition(":")[2]: value for key, value in attrs.items() if ":" in key}
            plain = {key: value for key, value in attrs.items() if ":" not in key}
            self._open.append((name.rpartition(":")[2], prefixed | plain, []))

    def endElement(self, name: str) -> None:
        if self._visit:
            local, attributes, text = self._open.pop()
            self._visit(local, attributes, "".join(text))

    def characters(self, content: str) -> None:
        if self._open:
            self._open[-1][2].append(content)


def _parser(handler: ContentHandler) -> Any:
    parser = DefusedExpatParser(forbid_dtd=True)
    parser.setContentHandler(handler)
    return parser


def _fed(parser: Any, name: str, data: bytes | None, *, must_parse: bool) -> bool:
    """Feed a parser, or close it where ``data`` is None; False where the part cannot be parsed and need not be."""
    try:
        if data is None:
            parser.close()
        else:
            parser.feed(data)
    except DefusedXmlException as error:
        raise Refused(DOCTYPE, f"部件“{shown(name)}”里有文档类型或实体定义（DOCTYPE、ENTITY）") from error
    except (SAXException, ValueError, LookupError) as error:
        if must_parse:
            raise Refused(DAMAGED, f"文件已损坏，部件“{shown(name)}”不是完整的 XML") from error
        return False
    return True


def checked_prolog(name: str, pieces: Iterable[bytes], *, must_parse: bool) -> Iterator[bytes]:
    """Pass the pieces of an XML part through, parsing up to its first element: no document type can come after it.

    Args:
        name: the part's name.
        pieces: its content.
        must_parse: whether a reader will read it; what none reads may be odd, but still has no document type.

    Raises:
        Refused: a document type or entity is declared, or the part has no first element.
    """
    handler = _Handler(None)
    parser = _parser(handler)
    looking = True
    for piece in pieces:
        for at in range(0, len(piece) if looking else 0, _FEED_BYTES):
            looking = _fed(parser, name, piece[at : at + _FEED_BYTES], must_parse=must_parse) and not handler.has_root
            if not looking:
                break
        yield piece
    if looking and must_parse:
        raise Refused(DAMAGED, f"文件已损坏，部件“{shown(name)}”是空的")


def visit(name: str, pieces: Iterable[bytes], visitor: Visitor) -> None:
    """Parse a whole part and call ``visitor`` at the end of each element.

    Raises:
        Refused: not well-formed, a document type, or larger than any real part of this kind.
    """
    parser = _parser(_Handler(visitor))
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > MOST_STRUCTURE_BYTES:
            raise Refused(DAMAGED, f"部件“{shown(name)}”大得不正常")
        _fed(parser, name, piece, must_parse=True)
    _fed(parser, name, None, must_parse=True)
