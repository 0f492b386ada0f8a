"""What a file is, by its bytes: so that a refusal can say "this is a PDF", whatever the name says."""

import codecs
import re
import zipfile
from typing import BinaryIO

from sources.inspection.refusal import DAMAGED, DOUBTFUL_PACKAGE, ENCRYPTED, NOT_A_WORKBOOK, Refused

HEAD_BYTES = 64 * 1024
ZIP_HEADS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

# Transparent document encryption: the file opens on the bureau's own computers and nowhere else.
_LOCKED = ((b"b\x14#e", "亿赛通等文档加密软件"), (b"%TSD-Header-###%", "天锐绿盾等文档加密软件"))

_MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (0, b"%PDF", "PDF 文件"),
    (0, b"Rar!\x1a\x07", "RAR 压缩包"),
    (0, b"7z\xbc\xaf\x27\x1c", "7z 压缩包"),
    (0, b"\x1f\x8b", "gzip 压缩包"),
    (0, b"BZh", "bzip2 压缩包"),
    (0, b"\xfd7zXZ\x00", "xz 压缩包"),
    (0, b"\x28\xb5\x2f\xfd", "zstd 压缩包"),
    (257, b"ustar", "tar 包"),
    (0, b"\x89PNG\r\n\x1a\n", "图片（PNG）"),
    (0, b"\xff\xd8\xff", "图片（JPEG）"),
    (0, b"GIF8", "图片（GIF）"),
    (0, b"BM", "图片（BMP）"),
    (0, b"II*\x00", "图片（TIFF）"),
    (0, b"MM\x00*", "图片（TIFF）"),
    (8, b"WEBP", "图片（WebP）"),
    (4, b"ftyp", "图片或视频（HEIC、MP4 等）"),
    (0, b"PAR1", "Parquet 数据文件"),
    (0, b"SQLite format 3\x00", "SQLite 数据库"),
    (4, b"Standard Jet DB", "Access 数据库"),
    (4, b"Standard ACE DB", "Access 数据库"),
    (0, b"MZ", "Windows 程序"),
    (0, b"\x7fELF", "Linux 程序"),
    (0, b"\x09\x08", "旧版 .xls 工作簿"),
    (0, b"\x09\x04", "旧版 .xls 工作簿"),
    (0, b"\x09\x02", "旧版 .xls 工作簿"),
    (0, b"\x09\x00", "旧版 .xls 工作簿"),
)

# Names of streams in an OLE2 compound file, most telling first.
_OLE_STREAMS = (
    ("WordDocument", "旧版 Word 文档（.doc 或 .wps）"),
    ("PowerPoint Document", "旧版演示文稿（.ppt 或 .dps）"),
    ("Workbook", "旧版工作簿（.xls 或 WPS 的 .et）"),
    ("Book", "旧版工作簿（.xls 或 WPS 的 .et）"),
    ("__properties_version1.0", "Outlook 邮件（.msg）"),
)

_TEXT_KINDS: tuple[tuple[str, str], ...] = (
    (r"^\s*mime-version:|^content-type:\s*multipart/related", "单个网页文件（MHTML）"),
    (r'progid="excel\.sheet"|urn:schemas-microsoft-com:office:spreadsheet', "XML 电子表格 2003"),
    (r'progid="word\.document"', "Word 2003 XML 文档"),
    (r"urn:oasis:names:tc:opendocument", "扁平 OpenDocument（.fods）"),
    (r"<uof:|xmlns:uof|schemas\.uof\.org", "标文通（UOF）文件"),
    (r"<!doctype\s+html|<html|<table|<body|<meta\s", "网页（HTML）"),
    (r"^\s*<\?xml|^\s*<[a-z_]", "XML 文件"),
    (r"\Aid;p", "SYLK 文件（.slk）"),
    (r"\A%pdf", "PDF 文件"),
    (r"\A\{\\rtf", "RTF 文档"),
    (r"\A\s*[\[{]", "JSON 文件"),
)

_ZIP_KINDS: tuple[tuple[str, str], ...] = (
    ("xl/workbook.bin", "二进制工作簿（.xlsb）"),
    ("word/document.xml", "Word 文档（.docx）"),
    ("ppt/presentation.xml", "演示文稿（.pptx）"),
    ("visio/document.xml", "Visio 图"),
    ("ofd.xml", "OFD 版式文件"),
    ("index/document.iwa", "苹果 Numbers 表格"),
    ("index.zip", "苹果 Numbers 表格"),
    ("fixeddocseq.fdseq", "XPS 文档"),
    ("meta-inf/container.xml", "EPUB 电子书"),
    ("androidmanifest.xml", "安卓安装包（.apk）"),
    ("meta-inf/manifest.mf", "Java 程序包（.jar）"),
)
_OPEN_DOCUMENT = {
    b"spreadsheet": "OpenDocument 表格（.ods）",
    b"text": "OpenDocument 文本（.odt）",
    b"presentation": "OpenDocument 演示文稿（.odp）",
}
_DATA_SUFFIXES = (".xlsx", ".xls", ".et", ".csv", ".xlsm", ".xlsb", ".ods")


def refuse_other_kinds(file: BinaryIO) -> None:
    """Refuse a file that does not begin as a zip package, saying what it is.

    Raises:
        Refused: it is something else, is encrypted as a whole, or has a package behind foreign bytes.
    """
    head = file.read(HEAD_BYTES)
    if head.startswith(ZIP_HEADS):
        if head.startswith(b"PK\x07\x08"):
            raise Refused(DAMAGED, "文件是分卷压缩包的一卷")
        return
    for mark, name in _LOCKED:
        if head.startswith(mark):
            raise Refused(ENCRYPTED, f"文件被{name}加了密，只能在本单位的电脑上打开")
    if head.startswith(OLE_MAGIC):
        _refuse_ole(file)
    magic = _kind_by_magic(head)
    if not magic and zipfile.is_zipfile(file):
        raise Refused(DOUBTFUL_PACKAGE, "文件开头有不属于工作簿的内容")
    # Two letters at the start of a text, such as BM or MZ, are no image and no program.
    kind = _kind_of_text(head) or magic
    if kind:
        raise Refused(NOT_A_WORKBOOK, f"文件的内容是{kind}，不是 .xlsx 工作簿")
    message = "文件的内容不是 .xlsx 工作簿，也认不出是什么；可能已损坏，也可能被文档加密软件加了密"
    raise Refused(NOT_A_WORKBOOK, message)


def _refuse_ole(file: BinaryIO) -> None:
    """Tell an encrypted workbook from an old one by the names of its streams, which stand in the file as UTF-16."""
    file.seek(0)
    content = file.read()
    if "EncryptedPackage".encode("utf-16-le") in content or "DataSpaces".encode("utf-16-le") in content:
        raise Refused(ENCRYPTED, "文件设置了打开密码，是加密的")
    for stream, kind in _OLE_STREAMS:
        if stream.encode("utf-16-le") in content:
            raise Refused(NOT_A_WORKBOOK, f"文件的内容是{kind}，不是 .xlsx 工作簿")
    raise Refused(NOT_A_WORKBOOK, "文件的内容是旧版 Office 复合文档，不是 .xlsx 工作簿")


def _kind_by_magic(head: bytes) -> str:
    return next((kind for offset, magic, kind in _MAGIC if head.startswith(magic, offset)), "")


def _kind_of_text(head: bytes) -> str:
    text = _decoded(head)
    if text is None:
        return ""
    lowered = text.lower()
    for pattern, kind in _TEXT_KINDS:
        if re.search(pattern, lowered, re.MULTILINE):
            return kind
    return "文本（CSV 一类）"


def _decoded(head: bytes) -> str | None:
    """Return the text of a file's beginning, which may break off within a character; None where it is no text."""
    encodings = ("utf-16",) if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            text = codecs.getincrementaldecoder(encoding)().decode(head)
        except UnicodeDecodeError:
            continue
        if not re.search(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]", text):
            return text
    return None


def refuse_other_packages(package: zipfile.ZipFile) -> None:
    """Refuse a zip file that is no ``.xlsx`` package, saying what it is.

    Raises:
        Refused: it holds no workbook part.
    """
    names = {name.lower(): name for name in package.namelist()}
    kind = next((kind for name, kind in _ZIP_KINDS if name in names), "")
    if "meta-inf/manifest.xml" in names and "content.xml" in names:
        kind = _open_document(package)
    if kind:
        raise Refused(NOT_A_WORKBOOK, f"文件的内容是{kind}，不是 .xlsx 工作簿")
    if "xl/workbook.xml" in names:
        return
    if not names:
        raise Refused(NOT_A_WORKBOOK, "文件是空的压缩包")
    if any(name.endswith(_DATA_SUFFIXES) for name in names):
        raise Refused(NOT_A_WORKBOOK, "文件是压缩包，工作簿在里面，要解压后单独报送")
    if "[content_types].xml" in names:
        raise Refused(DAMAGED, "文件像是 Office 文档，但里面没有工作簿（xl/workbook.xml）")
    raise Refused(NOT_A_WORKBOOK, "文件的内容是 ZIP 压缩包，不是 .xlsx 工作簿")


def _open_document(package: zipfile.ZipFile) -> str:
    try:
        with package.open("mimetype") as part:
            mime = part.read(100)
    except (KeyError, OSError, RuntimeError, NotImplementedError, zipfile.BadZipFile, EOFError):
        mime = b""
    return next((name for word, name in _OPEN_DOCUMENT.items() if word in mime), "OpenDocument 文档")
