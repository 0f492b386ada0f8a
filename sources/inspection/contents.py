"""What the parts of a package are for: nothing in it may run, fetch, or point a reader elsewhere than Excel would go."""

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from sources.inspection.formulas import links_outside, refuse_calls
from sources.inspection.kinds import OLE_MAGIC
from sources.inspection.refusal import (
    DAMAGED,
    DATA_CONNECTION,
    DDE,
    DOUBTFUL_PACKAGE,
    EMBEDDED_OBJECT,
    MACRO,
    NO_SHEET,
    NOT_A_WORKBOOK,
    OUTSIDE_REFERENCE,
    Refused,
    shown,
)

CONTENT_TYPES = "[Content_Types].xml"
WORKBOOK = "xl/workbook.xml"
SHARED_STRINGS = "xl/sharedStrings.xml"

# By part name, in lower case.
_PARTS: tuple[tuple[str, str, str], ...] = (
    (r"(^|/)vba\w*\.(bin|xml)$", MACRO, "宏（VBA）"),
    (r"^xl/(intl)?macrosheets/", MACRO, "宏表（Excel 4.0 宏）"),
    (r"^xl/activex/", MACRO, "ActiveX 控件"),
    (r"^customui/", MACRO, "自定义功能区（customUI）"),
    (r"^xl/embeddings/", EMBEDDED_OBJECT, "嵌入对象（OLE）"),
    (r"^xl/connections\.xml$", DATA_CONNECTION, "数据连接"),
    (r"^xl/querytables/", DATA_CONNECTION, "外部数据查询"),
    (r"^xl/webextensions/", DATA_CONNECTION, "网页加载项"),
    (r"^xl/model/", DATA_CONNECTION, "数据模型（Power Pivot）"),
)

# By content type or relationship type, in lower case; the last path step of a relationship type is the same in strict files.
_TYPES: tuple[tuple[str, str, str], ...] = (
    (r"sheet\.binary", NOT_A_WORKBOOK, "二进制工作簿（.xlsb）的内容"),
    (r"macroenabled|vbaproject|vbadata|wordvba", MACRO, "宏（VBA）"),
    (r"macrosheet$|macrosheet\+xml", MACRO, "宏表（Excel 4.0 宏）"),
    (r"activex|/relationships/control$", MACRO, "ActiveX 控件"),
    (r"/relationships/(ui/extensibility|ui/usercustomization)$", MACRO, "自定义功能区（customUI）"),
    (r"oleobject|/relationships/package$", EMBEDDED_OBJECT, "嵌入对象（OLE）"),
    (r"connections(\+xml)?$|querytable(\+xml)?$|powerpivotdata", DATA_CONNECTION, "数据连接或外部数据查询"),
    (r"webextension", DATA_CONNECTION, "网页加载项"),
)
_LINK_TYPES = re.compile(r"/relationships/(externallink\w*|xlpathmissing|xlexternallinkpath/\w+|alternate\w*)$")
_WORKBOOK_TYPES = re.compile(r"(sheet|template)\.main\+xml$")
_AUTO_NAME = re.compile(r"^(_xlnm\.)?auto_?(open|close|activate|deactivate)", re.IGNORECASE)
_SHEET_KINDS = {"worksheet", "chartsheet", "dialogsheet"}
_PLAIN_SCHEMES = {"http", "https", "mailto"}


def refuse_by_name(name: str) -> None:
    """Refuse a part that its name gives away."""
    for pattern, rule, what in _PARTS:
        if re.search(pattern, name.lower()):
            raise Refused(rule, f"工作簿里有{what}")


def refuse_by_beginning(name: str, beginning: bytes) -> None:
    """Refuse an OLE compound file hidden under whatever name: a macro project or an embedded object is one."""
    if beginning.startswith(OLE_MAGIC):
        raise Refused(EMBEDDED_OBJECT, f"工作簿里有嵌入对象或宏（部件“{shown(name)}”）")


def _refuse_by_type(kind: str) -> None:
    for pattern, rule, what in _TYPES:
        if re.search(pattern, kind.lower()):
            raise Refused(rule, f"工作簿里有{what}")


@dataclass
class Facts:
    """What the package says of itself, gathered part by part; judged as it comes, and once more at the end."""

    names: frozenset[str]
    workbook_overrides: list[str] = field(default_factory=list)
    main_targets: list[str] = field(default_factory=list)
    targets: dict[str, tuple[str, str]] = field(default_factory=dict)
    sheets: list[tuple[str, str]] = field(default_factory=list)
    outside_names: set[str] = field(default_factory=set)

    def content_type(self, element: str, attributes: Mapping[str, str], text: str) -> None:
        """Take one element of ``[Content_Types].xml``."""
        kind = attributes.get("ContentType", "")
        _refuse_by_type(kind)
        if element == "Override" and _WORKBOOK_TYPES.search(kind):
            self.workbook_overrides.append(attributes.get("PartName", "").lstrip("/"))

    def relationship(self, owner: str, element: str, attributes: Mapping[str, str], text: str) -> None:
        """Take one relationship of the part ``owner`` (empty for the package).

        Raises:
            Refused: its type or its target outside the package is not allowed.
        """
        if element != "Relationship":
            return
        kind, target = attributes.get("Type", "").lower(), attributes.get("Target", "")
        is_outside = attributes.get("TargetMode", "").lower() == "external"
        if not _LINK_TYPES.search(kind):
            _refuse_by_type(kind)
            if is_outside:
                _refuse_target(kind, target)
        if is_outside:
            return
        resolved = _resolved(owner, target)
        if kind.endswith("/officedocument") and not owner:
            self.main_targets.append(resolved)
        if owner == WORKBOOK:
            key = attributes.get("Id", "")
            if key in self.targets:
                raise Refused(DOUBTFUL_PACKAGE, f"工作簿里有两个同号的部件关系“{shown(key)}”")
            self.targets[key] = (kind.rpartition("/")[2], resolved)

    def workbook_element(self, element: str, attributes: Mapping[str, str], text: str) -> None:
        """Take one element of the workbook part."""
        if element == "sheet":
            self.sheets.append((attributes.get("name", ""), attributes.get("id", "")))
        elif element == "definedName":
            name = attributes.get("name", "")
            if _AUTO_NAME.search(name) and "#REF!" not in text:
                raise Refused(MACRO, f"工作簿里有自动运行宏的名称“{shown(name)}”")
            refuse_calls(text, f"名称“{shown(name)}”")
            if links_outside(text):
                self.outside_names.add(name)

    def link_element(self, element: str, attributes: Mapping[str, str], text: str) -> None:
        """Take one element of a part that links to another workbook: it may be a workbook, not a program."""
        if element.lower() in ("ddelink", "ddeitem", "ddeitems"):
            raise Refused(DDE, "工作簿里有动态数据交换（DDE）链接")
        if element.lower() in ("olelink", "oleitem", "oleitems"):
            raise Refused(EMBEDDED_OBJECT, "工作簿里有链接的对象（OLE）")

    def volatile_element(self, element: str, attributes: Mapping[str, str], text: str) -> None:
        """Take one element of the part of values that other programs supply."""
        if element == "volType" and attributes.get("type") == "realTimeData":
            raise Refused(DDE, "工作簿里有实时数据（RTD）链接")

    def sheet_parts(self) -> dict[str, str]:
        """Return the part of each worksheet by sheet name.

        Raises:
            Refused: none, a sheet without its part, or a main part or shared strings that not every reader would find.
        """
        doubtful = f"工作簿的主体不在“{WORKBOOK}”，或不止一个"
        if self.main_targets != [WORKBOOK] or self.workbook_overrides not in ([], [WORKBOOK]):
            raise Refused(DOUBTFUL_PACKAGE, doubtful)
        folded = {name.casefold() for name in self.names}
        seen: set[str] = set()
        parts_seen: set[str] = set()
        kinds: dict[str, str] = {}
        for name, relationship in self.sheets:
            kind, target = self.targets.get(relationship, ("", ""))
            if target.casefold() not in folded:
                raise Refused(DAMAGED, f"文件已损坏，工作表“{shown(name)}”的内容不在文件里")
            if kind not in _SHEET_KINDS:
                raise Refused(DAMAGED, f"工作表“{shown(name)}”的类型不认识")
            if name in seen or target.casefold() in parts_seen:
                raise Refused(DOUBTFUL_PACKAGE, f"工作表“{shown(name)}”有两张同名的，或与另一张是同一份内容")
            seen.add(name)
            parts_seen.add(target.casefold())
            if kind == "worksheet":
                kinds[name] = target
        strings = {target for kind, target in self.targets.values() if kind == "sharedstrings"}
        if any(target.casefold() != SHARED_STRINGS.casefold() for target in strings):
            raise Refused(DOUBTFUL_PACKAGE, f"工作簿的文字不在“{SHARED_STRINGS}”")
        if not kinds:
            raise Refused(NO_SHEET, "工作簿里没有工作表")
        return kinds


def _refuse_target(kind: str, target: str) -> None:
    """Refuse a target outside the package, except plain hyperlinks."""
    what = kind.rpartition("/")[2]
    if what == "hyperlink":
        address = "".join(c for c in target if c.isprintable()).strip()
        scheme = urlsplit(address).scheme.lower() if "://" in address or ":" in address.split("/")[0] else ""
        if scheme in _PLAIN_SCHEMES or (not scheme and not address.startswith(("/", "\\"))):
            return
        raise Refused(OUTSIDE_REFERENCE, f"工作簿里有指向本机或内网文件、程序的超链接“{shown(target)}”")
    raise Refused(OUTSIDE_REFERENCE, f"工作簿要从外面取内容（{shown(what)}：“{shown(target)}”）")


def _resolved(owner: str, target: str) -> str:
    """Return the part a target inside the package means."""
    base = posixpath.dirname(owner)
    return posixpath.normpath(posixpath.join("/", base, unquote(target.split("#")[0]))).lstrip("/")


def owner_of(relationships: str) -> str:
    """Return the part that a ``.rels`` part belongs to; empty for the package's own."""
    folder, _, file_name = relationships.rpartition("/")
    return posixpath.join(folder.removesuffix("_rels"), file_name.removesuffix(".rels"))
