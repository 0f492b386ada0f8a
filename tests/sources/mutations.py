"""Random changes of good workbooks, each with what a person would then see: the oracle of `test_mutations`.

A mutation changes the parts of the package as text, with no help from the reader under test. It returns which figures a person now sees otherwise;
``None`` for what cannot be told (then openpyxl, a third reader, is asked what stands in the cells).
"""

import random
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

Figure = tuple[str, int, str]
"""Sheet, row number, column letters."""
UNKNOWN = object()
"""A cell whose look and content differ: only a finding will do."""
CELL = re.compile(r'<c r="([A-Z]+)(\d+)"([^>]*?)(?:/>|>(.*?)</c>)', re.DOTALL)
ROW = re.compile(r'<row r="(\d+)"([^>]*)>(.*?)</row>', re.DOTALL)


@dataclass
class Book:
    """A package as text parts; ``sheets`` names the part of each sheet that is read."""

    parts: dict[str, bytes]
    sheets: dict[str, str]
    seen: dict[Figure, Any] | None = field(default_factory=dict)
    moved: Callable[[str, int], int | None] = lambda sheet, row: row

    def xml(self, sheet: str) -> str:
        return self.parts[self.sheets[sheet]].decode()

    def put(self, sheet: str, xml: str) -> None:
        self.parts[self.sheets[sheet]] = xml.encode()

    def save(self, path: Path) -> Path:
        with zipfile.ZipFile(path, "w") as package:
            for name, data in self.parts.items():
                package.writestr(name, data)
        return path


def load(path: Path) -> Book:
    with zipfile.ZipFile(path) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    names = re.findall(r'<sheet [^>]*name="([^"]*)"', parts["xl/workbook.xml"].decode())
    return Book(parts, {name: f"xl/worksheets/sheet{i}.xml" for i, name in enumerate(names, start=1)})


@dataclass
class Where:
    """The places of one sheet that a mutation may aim at."""

    sheet: str
    heading_row: int
    data_rows: list[int]
    numbers: list[str]
    columns: list[str]


def set_cell(book: Book, sheet: str, place: str, attributes: str, inner: str) -> None:
    xml = book.xml(sheet)
    old = re.search(rf'<c r="{place}"([^>]*?)(?:/>|>.*?</c>)', xml, re.DOTALL)
    style = re.search(r' s="\d+"', old.group(1)) if old and " s=" not in attributes else None
    new = f'<c r="{place}"{style.group(0) if style else ""}{attributes}>{inner}</c>'
    if old:
        book.put(sheet, xml[: old.start()] + new + xml[old.end() :])


def number(chance: random.Random) -> str:
    return chance.choice(
        [str(chance.randrange(10**6)), f"{chance.random() * 1000:.2f}", f"-{chance.randrange(99)}.5", "0", "1E+2"]
    )


def a_number(book: Book, at: Where, chance: random.Random) -> None:
    row, column = chance.choice(at.data_rows), chance.choice(at.numbers)
    value = number(chance)
    set_cell(book, at.sheet, f"{column}{row}", "", f"<v>{value}</v>")
    book.seen = {(at.sheet, row, column): Decimal(value)}


def a_text_number(book: Book, at: Where, chance: random.Random) -> None:
    row, column = chance.choice(at.data_rows), chance.choice(at.numbers)
    text, seen = chance.choice(
        [("12.5", "12.5"), ("１２", "12"), ("1,234.50", "1234.5"), ("－100", "-100"), (" 7 ", "7")]
        + [
            (t, None)
            for t in (
                "1E+05",
                "(100)",
                "100元",
                "1 000",
                "'100",
                "约5",
                "١٢",
                "1,23",
                "10²",
                "−5",
                "12万",
                "0x10",
                "#REF!",
                "TRUE",
                "1_0",
                "nan",
            )
        ]
    )
    set_cell(book, at.sheet, f"{column}{row}", ' t="inlineStr"', f"<is><t>{text}</t></is>")
    book.seen = {(at.sheet, row, column): Decimal(seen) if seen else UNKNOWN}


def a_blank(book: Book, at: Where, chance: random.Random) -> None:
    row, column = chance.choice(at.data_rows), chance.choice(at.columns)
    if chance.random() < 0.5:
        set_cell(book, at.sheet, f"{column}{row}", "", "")
    else:
        xml = book.xml(at.sheet)
        book.put(at.sheet, re.sub(rf'<c r="{column}{row}"[^>]*?(?:/>|>.*?</c>)', "", xml, flags=re.DOTALL))
    book.seen = {(at.sheet, row, column): None}


def a_type(book: Book, at: Where, chance: random.Random) -> None:
    row, column = chance.choice(at.data_rows), chance.choice(at.numbers)
    kind = chance.choice(["s", "str", "b", "e", "d", "zz", "inlineStr"])
    set_cell(
        book, at.sheet, f"{column}{row}", f' t="{kind}"', f"<v>{chance.choice(['1', '5', '-3', '99999', 'x'])}</v>"
    )
    book.seen = None


def a_formula(book: Book, at: Where, chance: random.Random) -> None:
    row, column = chance.choice(at.data_rows), chance.choice(at.numbers)
    place = f"{column}{row}"
    attributes, inner, seen = chance.choice(
        [
            ("", "<f>1+1</f><v>2</v>", Decimal(2)),
            ("", "<f>1+1</f>", UNKNOWN),
            ("", "<f>1+1</f><v/>", UNKNOWN),
            (' t="str"', "<f>TEXT(3)</f><v>3</v>", Decimal(3)),
            (' t="str"', "<f>A1</f><v></v>", None),
            (' t="e"', "<f>1/0</f><v>#DIV/0!</v>", UNKNOWN),
            (' t="b"', "<f>1=1</f><v>1</v>", UNKNOWN),
            ("", "<f>[1]Sheet1!A1</f><v>9</v>", UNKNOWN),
            ("", f'<f t="shared" si="0" ref="{place}">\'[2]表\'!B2</f><v>9</v>', UNKNOWN),
            ("", f'<f t="array" ref="{place}">SUM(A1:A2)</f><v>4</v>', Decimal(4)),
        ]
    )
    set_cell(book, at.sheet, place, attributes, inner)
    book.seen = {(at.sheet, row, column): seen}


def a_format(book: Book, at: Where, chance: random.Random) -> None:
    row, column = chance.choice(at.data_rows), chance.choice(at.numbers)
    codes = [
        "0%",
        "0,",
        "0!.0,",
        ";;;",
        "yyyy&quot;年&quot;m&quot;月&quot;d&quot;日&quot;",
        "0&quot;亿元&quot;",
        "#,##0.0,,",
        "&quot;无&quot;",
        "h:mm",
    ]
    plain = ["0", "#,##0.00", "@", "0.000000_);[Red](0.0)", "[$-804]0.0"]
    code = chance.choice(codes + plain)
    styles = book.parts["xl/styles.xml"].decode()
    count = len(re.findall(r"<xf ", re.search(r"<cellXfs.*?</cellXfs>", styles, re.DOTALL).group(0)))  # type: ignore[union-attr]
    styles = re.sub(r"<numFmts[^>]*?(?:/>|>.*?</numFmts>)", "", styles, flags=re.DOTALL)
    styles = re.sub(
        r"(<styleSheet[^>]*>)", rf'\1<numFmts count="1"><numFmt numFmtId="199" formatCode="{code}"/></numFmts>', styles
    )
    styles = styles.replace(
        "</cellXfs>", '<xf numFmtId="199" fontId="0" fillId="0" borderId="0" applyNumberFormat="1"/></cellXfs>'
    )
    book.parts["xl/styles.xml"] = styles.encode()
    set_cell(book, at.sheet, f"{column}{row}", f' s="{count}"', "<v>12345.25</v>")
    book.seen = {(at.sheet, row, column): UNKNOWN if code in codes else Decimal("12345.25")}


def same_meaning(book: Book, at: Where, chance: random.Random) -> None:
    """Write the same sheet otherwise."""
    xml = book.xml(at.sheet)
    row = chance.choice(at.data_rows)
    choice = chance.randrange(14)
    if choice == 0:
        xml = re.sub(rf'<row r="{row}"', "<row", xml)
    elif choice == 1:
        xml = re.sub(rf'<c r="[A-Z]+{row}"', "<c", xml)
    elif choice == 2:
        xml = re.sub(r' r="[A-Z]*\d+"', "", xml)
    elif choice == 3:
        xml = re.sub(r"<v>(\d+)</v>", lambda m: f"<v><![CDATA[{m.group(1)}]]></v>", xml, count=chance.randrange(1, 9))
    elif choice == 4:
        xml = xml.replace("<sheetData>", '<sheetData><!-- <row r="1"><c r="A1"><v>9</v></c></row> -->')
    elif choice == 5:
        xml = xml.replace("</row>", "</row>\n  ").replace("<c ", "\n    <c ")
    elif choice == 6:
        xml = re.sub(r'="([^"<>]*)"', r"='\1'", xml)
    elif choice == 7:
        xml = re.sub(r"<(/?)(?=[a-zA-Z])", r"<\1x:", xml).replace("xmlns=", "xmlns:x=")
    elif choice == 8:
        book.parts[book.sheets[at.sheet]] = re.sub(r"^<\?xml[^>]*>", "", xml).encode("utf-16")
        return
    elif choice == 9:
        xml = re.sub(r"<dimension ref=\"[^\"]*\" ?/>", '<dimension ref="A1:B2"/>', xml)
    elif choice == 10:
        xml = re.sub(rf'<row r="{row}"', f'<row r="{row}" hidden="1"', xml)
    elif choice == 11:
        xml = xml.replace("<sheetData>", '<cols><col min="1" max="99" width="0" hidden="1"/></cols><sheetData>')
    elif choice == 12:
        xml = xml.replace(
            "http://schemas.openxmlformats.org/spreadsheetml/2006/main", "http://purl.oclc.org/ooxml/spreadsheetml/main"
        )
    else:
        xml = re.sub(r"<v>(\d)", lambda m: f"<v>&#{ord(m.group(1))};", xml, count=5)
    book.put(at.sheet, xml)


def structure(book: Book, at: Where, chance: random.Random) -> None:
    """Break or bend the sheet's structure; what cannot be told is for the third reader."""
    xml = book.xml(at.sheet)
    row, column = chance.choice(at.data_rows), chance.choice(at.columns)
    found = next(m for m in ROW.finditer(xml) if int(m.group(1)) == row)
    cells = list(CELL.finditer(found.group(0)))
    one = chance.choice(cells)
    choice = chance.randrange(12)
    book.seen = None
    if choice == 0:
        xml = xml.replace(one.group(0), one.group(0) * 2)
    elif choice == 1:
        xml = xml.replace(found.group(0), found.group(0) * 2)
    elif choice == 2:
        xml = xml.replace(found.group(0), "")
        book.moved = lambda sheet, number: None if (sheet, number) == (at.sheet, row) else number
        book.seen = {}
    elif choice == 3:
        other = chance.choice(cells)
        if other.group(0) != one.group(0):
            xml = xml.replace(one.group(0), "\0").replace(other.group(0), one.group(0)).replace("\0", other.group(0))
    elif choice == 4:
        xml = xml.replace(
            "</sheetData>",
            f'</sheetData><mergeCells count="1"><mergeCell ref="{column}{row}:{column}{row + 1}"/></mergeCells>',
        )
        book.seen = {(at.sheet, row + 1, column): UNKNOWN}
    elif choice == 5:
        xml = xml.replace(found.group(0), re.sub(rf'(r="[A-Z]*){row}"', rf'\g<1>{row + 500}"', found.group(0)))
        book.seen = {}
        book.moved = lambda sheet, number: None if (sheet, number) == (at.sheet, row) else number
    elif choice == 6:
        xml = xml.replace(f'"{one.group(1)}{row}"', f'"{chance.choice(["ZZ", "P", "A", "K"])}{row}"')
    elif choice == 7:
        far = chance.choice(["XFD1048576", "A1048576", "Q9", "B77"])
        digits = re.sub(r"\D", "", far)
        xml = xml.replace("</sheetData>", f'<row r="{digits}"><c r="{far}"><v>5</v></c></row></sheetData>')
    elif choice == 8:
        xml = xml[: chance.randrange(len(xml))]
    elif choice == 9:
        name = chance.choice(["sheetData", "row", "c", "v"])
        xml = re.sub(rf"<{name}([ >])", rf"<{name}x\1", xml, count=chance.randrange(1, 40))
        xml = xml if chance.random() < 0.5 else xml.replace(f"</{name}>", f"</{name}x>")
    elif choice == 10:
        # A row above the data: everything below moves down by one.
        def down(match: re.Match[str]) -> str:
            number = int(match.group(2))
            return f'{match.group(1)}{number + 1 if number >= row else number}"'

        xml = re.sub(r'(<(?:row|c) r="[A-Z]*)(\d+)"', down, xml)
        book.seen = {}
        book.moved = lambda sheet, number: number + 1 if sheet == at.sheet and number >= row else number
    else:
        heading = chance.choice([c for c in CELL.finditer(xml) if int(c.group(2)) == at.heading_row])
        xml = xml.replace(
            heading.group(0), f'<c r="{heading.group(1)}{heading.group(2)}" t="inlineStr"><is><t>另一列</t></is></c>'
        )
    book.put(at.sheet, xml)


def around(book: Book, at: Where, chance: random.Random) -> None:
    """Change what stands beside the sheets."""
    workbook = book.parts["xl/workbook.xml"].decode()
    choice = chance.randrange(6)
    book.seen = None
    if choice == 0:
        workbook = re.sub(r"<workbookPr\s*/?>|<workbookPr [^>]*/>", '<workbookPr date1904="1"/>', workbook)
    elif choice == 1:
        workbook = re.sub(
            r'<sheet ([^>]*?)state="visible"', rf'<sheet \1state="{chance.choice(["hidden", "veryHidden"])}"', workbook
        )
    elif choice == 2:
        workbook = workbook.replace(f'name="{at.sheet}"', 'name="别的表"')
        book.seen = {}
        book.moved = lambda sheet, number: None if sheet == at.sheet else number
    elif choice == 3:
        book.parts.pop(chance.choice(list(book.parts)))
    elif choice == 4:
        strings = book.parts.get("xl/sharedStrings.xml", b"").decode()
        if strings:
            items = list(re.finditer(r"<si>.*?</si>", strings, re.DOTALL))
            item = chance.choice(items)
            new = chance.choice(["", "<si/>", "<si><t>别的</t></si>", item.group(0) * 2])
            if chance.random() < 0.3:
                new = item.group(0).replace("</si>", '<rPh sb="0" eb="1"><t>ZHUYIN</t></rPh></si>')
                book.seen = {}
            book.parts["xl/sharedStrings.xml"] = (strings[: item.start()] + new + strings[item.end() :]).encode()
    else:
        workbook = workbook.replace('r:id="rId1"', 'r:id="rId2"')
    if "xl/workbook.xml" in book.parts:
        book.parts["xl/workbook.xml"] = workbook.encode()


def bytes_of_xml(book: Book, at: Where, chance: random.Random) -> None:
    """Flip a few bytes of a part."""
    name = chance.choice(
        [book.sheets[at.sheet], book.sheets[at.sheet], "xl/sharedStrings.xml", "xl/styles.xml", "xl/workbook.xml"]
    )
    data = bytearray(book.parts.get(name, b"") or book.parts[book.sheets[at.sheet]])
    for _ in range(chance.randrange(1, 4)):
        data[chance.randrange(len(data))] = chance.choice(b'0123456789<>/"= sABrv\x00\xff')
    book.parts[name if name in book.parts else book.sheets[at.sheet]] = bytes(data)
    book.seen = None


MUTATIONS = (
    a_number,
    a_text_number,
    a_blank,
    a_type,
    a_formula,
    a_format,
    same_meaning,
    structure,
    structure,
    around,
    bytes_of_xml,
)


def flip_zip_bytes(path: Path, chance: random.Random) -> None:
    """Flip bytes of the zip file itself."""
    data = bytearray(path.read_bytes())
    for _ in range(chance.randrange(1, 6)):
        data[chance.randrange(len(data))] = chance.randrange(256)
    path.write_bytes(bytes(data[: len(data) if chance.random() < 0.8 else chance.randrange(len(data))]))


def third_reading(path: Path) -> dict[Figure, Any] | None:
    """What openpyxl sees in each cell; None if it cannot open the file."""
    import openpyxl
    from openpyxl.utils import get_column_letter

    try:
        book = openpyxl.load_workbook(BytesIO(path.read_bytes()), data_only=True)
        return {
            (sheet.title, row, get_column_letter(column)): cell.value
            for sheet in book.worksheets
            for (row, column), cell in sheet._cells.items()
        }
    except Exception:
        return None
