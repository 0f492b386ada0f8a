"""What a bulk file is, by its bytes: Parquet or delimited text, and in which encoding; refused with one plain sentence otherwise."""

import codecs
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from sources.inspection import open_plain
from sources.inspection.kinds import OLE_MAGIC

Kind = Literal["csv", "parquet", ""]

BULK_SUFFIXES = {".csv", ".tsv", ".parquet"}
TEXT_SUFFIXES = {".csv", ".tsv"}
LARGEST_BULK_BYTES = 5 * 1024**3
"""A bulk file may be 5 GiB; ten million rows of a ledger are 1.5 GB as CSV."""
MOST_BULK_ROWS = 50_000_000
"""Five times the largest ledger thought of; a few bytes of Parquet can claim a billion rows."""
HEAD_BYTES = 1024 * 1024
"""The title lines, the headings and the first rows stand in here; the encoding shows in them."""
ENCODING_LABELS = {"utf-8": "UTF-8", "gb18030": "GB18030"}

_PIECE = 1024 * 1024
_PARQUET = (b"PAR1", b"PARE")
_ZIP = b"PK\x03\x04"
_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)


class UnreadableBulk(Exception):
    """The file cannot be read as a bulk delivery; the message is one plain Chinese sentence, ``cell`` the row it is about, if any."""

    def __init__(self, message: str, cell: str = "") -> None:
        """Keep the place beside the message."""
        super().__init__(message)
        self.cell = cell


def kind_of(path: Path, file_name: str = "") -> Kind:
    """Tell a bulk file from a workbook by its first bytes; the name decides only whether plain text was meant as CSV.

    Args:
        path: the file.
        file_name: the name it came under (the archive keeps files under their hash).
    """
    try:
        with open_plain(path) as file:
            head = file.read(8)
    except OSError:
        # A pipe, or a file that may not be read: the reader of workbooks says so.
        return ""
    if head[:4] in _PARQUET:
        return "parquet"
    if head.startswith((_ZIP, OLE_MAGIC)):
        return ""
    suffix = Path(file_name or path.name).suffix.lower()
    return "csv" if suffix in TEXT_SUFFIXES else "parquet" if suffix == ".parquet" else ""


def check_size(path: Path) -> None:
    """Refuse an empty file and one beyond `LARGEST_BULK_BYTES`.

    Raises:
        UnreadableBulk: it is one.
    """
    size = path.stat().st_size
    if size == 0:
        raise UnreadableBulk("文件是空的（0 字节）")
    if size > LARGEST_BULK_BYTES:
        raise UnreadableBulk(
            f"文件有 {size / 1024**3:.1f} GB，超过 {LARGEST_BULK_BYTES / 1024**3:.0f} GB，请分期或按表拆分"
        )


def encoding_of(path: Path) -> str:
    """Return ``utf-8-sig``, ``utf-8`` or ``gb18030`` as the first `HEAD_BYTES` say; what follows is held to it strictly by the reader.

    The labels above the headings are Chinese, so that a head that is valid UTF-8 is no GB18030. GBK and GB2312 are parts of GB18030.

    Raises:
        UnreadableBulk: none of them, UTF-16 or UTF-32, or NUL bytes.
    """
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        ends = not file.read(1)
    if head.startswith(_WIDE):
        raise UnreadableBulk("文件是 UTF-16 或 UTF-32 编码，请另存为“CSV UTF-8（逗号分隔）”")
    if b"\0" in head:
        raise UnreadableBulk(f"第 {head.index(0) + 1} 个字节是空字符，文件不是文本，或编码不是 UTF-8、GB18030")
    faults = {}
    for encoding in ("utf-8", "gb18030"):
        try:
            codecs.getincrementaldecoder(encoding)().decode(head, final=ends)
        except UnicodeDecodeError as error:
            faults[encoding] = error.start
            continue
        return "utf-8-sig" if head.startswith(codecs.BOM_UTF8) else encoding
    at = max(faults.values())
    line = head.count(b"\n", 0, at) + 1
    raise UnreadableBulk(f"第 {line} 行（第 {at + 1} 个字节）既不是 UTF-8 也不是 GB18030，认不出编码", f"{line}:{line}")


def first_fault(path: Path, encoding: str) -> tuple[int, int]:
    """Return line and byte offset (both 1-based) of the first byte that the encoding does not know; looked for once reading failed."""
    decoder = codecs.getincrementaldecoder(encoding)()
    line, offset = 1, 0
    for piece in _pieces(path):
        pending = len(decoder.getstate()[0])
        try:
            decoder.decode(piece, final=not piece)
        except UnicodeDecodeError as error:
            at = error.start - pending
            return line + piece.count(b"\n", 0, max(at, 0)), offset + at + 1
        line, offset = line + piece.count(b"\n"), offset + len(piece)
    return line, offset


def _pieces(path: Path) -> Iterator[bytes]:
    """Yield the file's bytes, and an empty piece at its end."""
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece
    yield b""
