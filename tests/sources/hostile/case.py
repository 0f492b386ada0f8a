"""One file of the corpus: how it is made from a good return, and how it must be answered."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from tests.sources.hostile.packages import Parts, zipped

SHEET = "xl/worksheets/sheet2.xml"
"""拨付明细 of the good return: headings in row 3, payments in rows 4 to 6."""
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
MICROSOFT = "http://schemas.microsoft.com/office/2006/relationships/"
SML = "application/vnd.openxmlformats-officedocument.spreadsheetml."


@dataclass(frozen=True)
class Case:
    """``rule`` and ``cell``: the finding that answers it, a refusal where ``cell`` is empty; no ``rule``: a good return.

    ``says`` must stand in the message.
    """

    name: str
    make: Callable[[Parts], bytes]
    rule: str = ""
    cell: str = ""
    says: str = ""


def parts_case(name: str, change: Callable[[Parts], object], rule: str = "", cell: str = "", says: str = "") -> Case:
    """A case that changes the parts of the good return and leaves the zip layer right."""

    def make(good: Parts) -> bytes:
        parts = dict(good)
        change(parts)
        return zipped(parts)

    return Case(name, make, rule, cell, says)


def replace(parts: Parts, name: str, old: str, new: str, count: int = 1) -> None:
    """Replace a text in a part; it must be there."""
    assert old.encode() in parts[name], (name, old)
    parts[name] = parts[name].replace(old.encode(), new.encode(), count)


def relate(parts: Parts, owner: str, kind: str, target: str, *, outside: bool = False, key: str = "rIdX") -> None:
    """Add a relationship to a part."""
    folder, _, file_name = owner.rpartition("/")
    name = f"{folder}/_rels/{file_name}.rels" if folder else f"_rels/{file_name}.rels"
    empty = b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"></Relationships>'
    parts.setdefault(name, empty)
    mode = ' TargetMode="External"' if outside else ""
    kind = kind if "://" in kind else OFFICE + kind
    replace(
        parts,
        name,
        "</Relationships>",
        f'<Relationship Id="{key}" Type="{kind}" Target="{target}"{mode}/></Relationships>',
    )


def declare(parts: Parts, name: str, content_type: str) -> None:
    """Add a part's content type."""
    override = f'<Override PartName="/{name}" ContentType="{content_type}"/></Types>'
    replace(parts, "[Content_Types].xml", "</Types>", override)


def cell_with(parts: Parts, place: str, inside: str, attributes: str = "") -> None:
    """Put a cell's inner XML in the place of what the ledger holds there."""
    pattern = rf'<c r="{place}"[^>]*?(?:/>|>.*?</c>)'
    text = parts[SHEET].decode()
    assert re.search(pattern, text), place
    made = f'<c r="{place}" {attributes}>{inside}</c>'
    parts[SHEET] = re.sub(pattern, lambda _: made, text, count=1).encode()


def add_rows(parts: Parts, rows: str) -> None:
    """Add rows at the end of the ledger."""
    replace(parts, SHEET, "</sheetData>", rows + "</sheetData>")
