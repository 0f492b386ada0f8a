"""The parts of a workbook's package that its sheets lean on: the list of sheets, shared texts, number formats, the date system."""

import posixpath
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO

from defusedxml import ElementTree
from openpyxl.utils.escape import unescape

from sources.number_formats import GENERAL, NumberFormat, builtin
from sources.xml_stream import BadPart, Stream, stream_items

WORKBOOK = "xl/workbook.xml"
WORKBOOK_RELATIONSHIPS = "xl/_rels/workbook.xml.rels"
RELATIONSHIP_IDS = (
    "http://schemas.openxmlformats.org/officeDocument/2006/relationships id",
    "http://purl.oclc.org/ooxml/officeDocument/relationships id",
)
_PLAIN_ITEM = re.compile(rb'\s*<si><t(?: xml:space="preserve")?>([^<&\x00-\x1f]+)</t>')


class StruckText(str):
    """A text of which a part is struck through: people read the rest, the file holds all of it."""


@dataclass(frozen=True)
class SheetPart:
    """One worksheet as the workbook lists it: its name, its state (visible, hidden, veryHidden), its place in the list, its part."""

    name: str
    state: str
    position: int
    part: str


@dataclass
class Package:
    """What is common to the sheets of one workbook.

    ``formats`` holds the number format per cell style, ``struck`` the styles whose text is struck through. ``is_stale`` says that the program
    that saved the file asks for its formulas to be calculated anew, or had calculation switched off: saved results may be old.
    """

    sheets: list[SheetPart] = field(default_factory=list)
    strings: list[str] = field(default_factory=list)
    formats: list[NumberFormat] = field(default_factory=list)
    struck: set[int] = field(default_factory=set)
    has_struck_text: bool = False
    is_1904: bool = False
    is_stale: bool = False

    def format_of(self, style: int) -> NumberFormat:
        """Return the number format of a cell style; General where the workbook has no such style."""
        return self.formats[style] if 0 <= style < len(self.formats) else GENERAL


def read_package(parts: Mapping[str, bytes]) -> Package:
    """Read everything of a workbook's parts but its sheets.

    Raises:
        BadPart: a part is missing or broken.
    """
    package = Package()
    listed = _read_workbook(parts, package)
    targets = _relationships(parts)
    for position, (name, state, relationship) in enumerate(listed):
        kind, part = targets.get(relationship, ("", ""))
        if kind == "worksheet":
            package.sheets.append(SheetPart(name, state, position, _existing(parts, part)))
        elif not kind:
            raise BadPart(f"工作表“{name}”指向的内容不存在")
    for kind, part in targets.values():
        if kind == "sharedStrings":
            _read_strings(parts[_existing(parts, part)], package)
        elif kind == "styles":
            _read_styles(parts[_existing(parts, part)], package)
    return package


def _existing(parts: Mapping[str, bytes], part: str) -> str:
    found = part if part in parts else next((name for name in parts if name.lower() == part.lower()), "")
    if not found:
        raise BadPart(f"缺少部件 {part}")
    return found


def _relationships(parts: Mapping[str, bytes]) -> dict[str, tuple[str, str]]:
    """Return the kind and the part of every relationship of the workbook that stays inside the package."""
    try:
        root = ElementTree.fromstring(parts[_existing(parts, WORKBOOK_RELATIONSHIPS)], forbid_dtd=True)
    except (ElementTree.ParseError, ValueError) as error:
        raise BadPart(f"{WORKBOOK_RELATIONSHIPS} 有误") from error
    return {
        each.get("Id", ""): (
            each.get("Type", "").rpartition("/")[2],
            posixpath.normpath(posixpath.join("/xl", each.get("Target", ""))).lstrip("/"),
        )
        for each in root
        if each.get("TargetMode") != "External"
    }


def _read_workbook(parts: Mapping[str, bytes], package: Package) -> list[tuple[str, str, str]]:
    listed: list[tuple[str, str, str]] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        if name == "sheet":
            relationship = next((attributes[name] for name in RELATIONSHIP_IDS if name in attributes), "")
            listed.append((attributes.get("name", ""), attributes.get("state", "visible"), relationship))
        elif name == "workbookPr":
            package.is_1904 = is_true(attributes.get("date1904"))
        elif name == "calcPr":
            asked = is_true(attributes.get("fullCalcOnLoad")) or is_true(attributes.get("forceFullCalc"))
            package.is_stale = asked or attributes.get("calcMode") == "manual"

    stream = Stream(start, _nothing, _nothing)
    stream.feed(parts[_existing(parts, WORKBOOK)], is_last=True)
    return listed


def _read_styles(part: bytes, package: Package) -> None:
    codes: dict[int, str] = {}
    struck_fonts: list[bool] = []
    formats = package.formats

    def start(name: str, attributes: dict[str, str]) -> None:
        if name == "numFmt" and stream.path[-2:-1] == ["numFmts"]:
            codes[int(attributes.get("numFmtId", "0"))] = attributes.get("formatCode", "General")
        elif name == "font" and stream.path[-2:-1] == ["fonts"]:
            struck_fonts.append(False)
        elif stream.path[-3:-2] == ["fonts"] and is_strike(name, attributes, stream.path[-2:-1]):
            struck_fonts[-1] = True
        elif name == "xf" and stream.path[-2:-1] == ["cellXfs"]:
            number, font = int(attributes.get("numFmtId", "0")), int(attributes.get("fontId", "0"))
            if 0 <= font < len(struck_fonts) and struck_fonts[font]:
                package.struck.add(len(formats))
            formats.append(NumberFormat(number, codes[number]) if number in codes else builtin(number))

    stream = Stream(start, _nothing, _nothing)
    stream.feed(part, is_last=True)


def _read_strings(part: bytes, package: Package) -> None:
    """Read the shared texts: rich text joined, phonetic guides left out."""
    texts: list[str] = []
    struck: list[str] = []
    strings = package.strings

    def start(name: str, attributes: dict[str, str]) -> None:
        if name == "si":
            texts.clear()
            struck.clear()
        elif is_strike(name, attributes, stream.path[-2:-1]):
            struck.append(name)

    def end(name: str) -> None:
        if name == "si":
            text = text_of("".join(texts))
            strings.append(StruckText(text) if struck else text)
            package.has_struck_text |= bool(struck)

    def text(data: str) -> None:
        if stream.path[-1] == "t" and "rPh" not in stream.path:
            texts.append(data)

    def take(item: bytes) -> bool:
        match = _PLAIN_ITEM.fullmatch(item)
        if match is None:
            return False
        try:
            strings.append(text_of(match.group(1).decode()))
        except UnicodeDecodeError:
            return False
        return True

    stream = Stream(start, end, text)
    stream_items(BytesIO(part), stream, "sst", "si", take, lambda: False)


def text_of(text: str) -> str:
    """Return a text as the file means it: ``_x000D_`` stands for a control character."""
    return unescape(text) if "_x" in text else text


def is_strike(name: str, attributes: Mapping[str, str], parent: Sequence[str]) -> bool:
    """Return whether an element strikes a font, or a part of a text, through."""
    return name == "strike" and parent in (["font"], ["rPr"]) and is_true(attributes.get("val", "1"))


def is_true(value: str | None) -> bool:
    """Return whether an XML attribute says yes."""
    return value in ("1", "true", "on")


def _nothing(*_: object) -> None:
    """Stand where an event is of no interest."""
