"""Files that are something else under the name of a workbook."""

import io
from collections.abc import Callable

from tests.sources.hostile.case import Case
from tests.sources.hostile.packages import Archive, Parts, entries_of, zipped

OTHER, ENCRYPTED = "RD-032", "RD-033"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def _bytes(content: bytes) -> Callable[[Parts], bytes]:
    return lambda good: content


def _ole(*streams: str) -> bytes:
    """The look of a compound file: its mark, then directory entries of 128 bytes with the streams' names."""
    entries = b"".join(name.encode("utf-16-le").ljust(64, b"\0") + b"\0" * 64 for name in ("Root Entry", *streams))
    return OLE + b"\0" * 504 + entries + b"\0" * 2048


def _encrypted(good: Parts) -> bytes:
    from msoffcrypto.format.ooxml import OOXMLFile

    out = io.BytesIO()
    OOXMLFile(io.BytesIO(zipped(good))).encrypt("123456", out)
    return out.getvalue()


def _zip(names: dict[str, bytes]) -> Callable[[Parts], bytes]:
    return lambda good: zipped(names)


TYPES = b"<Types/>"
CSV = "统一社会信用代码,单位名称,金额\n12330400MY0000001X,示例大学,10.5\n".encode
HTML = '<html xmlns:x="urn:schemas-microsoft-com:office:excel"><table><tr><td>1</td></tr></table></html>'
XML_2003 = (
    '<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?>'
    '<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"></Workbook>'
)

CASES = [
    Case("empty", _bytes(b""), "RD-030", says="0 字节"),
    Case("one-byte", _bytes(b"\0"), OTHER),
    Case("over-20-mb", _bytes(b"PK\x03\x04" + b"\0" * (20 * 1024 * 1024)), "RD-031", says="20 MB"),
    Case("encrypted-by-password", _encrypted, ENCRYPTED, says="打开密码"),
    Case("encrypted-by-document-security", _bytes(b"b\x14#e\x00\x00\x00E-SafeNet\0\0\0LOCK" + bytes(range(256)) * 9),
         ENCRYPTED, says="文档加密软件"),
    Case("noise", _bytes(bytes((n * n * 31 + n) % 256 for n in range(5000))), OTHER, says="认不出"),
    Case("zeros", _bytes(b"\0" * 5000), OTHER),
    Case("xls", _bytes(_ole("Workbook")), OTHER, says=".xls"),
    Case("xls-95", _bytes(_ole("Book")), OTHER, says=".xls"),
    Case("xls-with-macros", _bytes(_ole("_VBA_PROJECT_CUR", "Workbook")), OTHER, says=".xls"),
    Case("xls-raw-biff", _bytes(b"\x09\x08\x10\x00\x00\x06\x05\x00" + b"\0" * 100), OTHER, says=".xls"),
    Case("doc", _bytes(_ole("WordDocument")), OTHER, says="Word"),
    Case("ppt", _bytes(_ole("PowerPoint Document")), OTHER, says="演示文稿"),
    Case("msg", _bytes(_ole("__properties_version1.0")), OTHER, says="邮件"),
    Case("ole-of-nothing", _bytes(_ole()), OTHER, says="复合文档"),
    Case("xlsb", _zip({"[Content_Types].xml": TYPES, "xl/workbook.bin": b"\x83\x01\x00"}), OTHER, says=".xlsb"),
    Case("ods", _zip({"mimetype": b"application/vnd.oasis.opendocument.spreadsheet", "content.xml": b"<x/>",
                      "META-INF/manifest.xml": b"<x/>"}), OTHER, says=".ods"),
    Case("odt", _zip({"mimetype": b"application/vnd.oasis.opendocument.text", "content.xml": b"<x/>",
                      "META-INF/manifest.xml": b"<x/>"}), OTHER, says=".odt"),
    Case("docx", _zip({"[Content_Types].xml": TYPES, "word/document.xml": b"<x/>"}), OTHER, says=".docx"),
    Case("pptx", _zip({"[Content_Types].xml": TYPES, "ppt/presentation.xml": b"<x/>"}), OTHER, says=".pptx"),
    Case("ofd", _zip({"OFD.xml": b"<x/>", "Doc_0/Document.xml": b"<x/>"}), OTHER, says="OFD"),
    Case("numbers", _zip({"Index/Document.iwa": b"\0"}), OTHER, says="Numbers"),
    Case("zip-of-workbooks", lambda good: zipped({"市财政局.xlsx": zipped(good)}), OTHER, says="解压"),
    Case("zip-of-other-things", _zip({"a.txt": b"x"}), OTHER, says="ZIP"),
    Case("office-package-of-nothing", _zip({"[Content_Types].xml": TYPES}), "RD-034"),
    Case("rar", _bytes(b"Rar!\x1a\x07\x01\x00" + b"\x33" * 50), OTHER, says="RAR"),
    Case("7z", _bytes(b"7z\xbc\xaf\x27\x1c" + b"\0" * 50), OTHER, says="7z"),
    Case("gzip", _bytes(b"\x1f\x8b\x08" + b"\0" * 50), OTHER, says="gzip"),
    Case("pdf", _bytes(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n" + b"\0" * 50), OTHER, says="PDF"),
    Case("png", _bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 50), OTHER, says="PNG"),
    Case("jpeg", _bytes(b"\xff\xd8\xff\xe0" + b"\0" * 50), OTHER, says="JPEG"),
    Case("program", _bytes(b"MZ\x90\x00" + b"\0" * 200), OTHER, says="程序"),
    Case("csv-utf8", _bytes(CSV("utf-8")), OTHER, says="CSV"),
    Case("csv-utf8-bom", _bytes(CSV("utf-8-sig")), OTHER, says="CSV"),
    Case("csv-gb18030", _bytes(CSV("gb18030")), OTHER, says="CSV"),
    Case("csv-utf16", _bytes(CSV("utf-16")), OTHER, says="CSV"),
    Case("csv-that-begins-like-a-bitmap", _bytes(b"BM,1\nMZ,2\n"), OTHER, says="CSV"),
    Case("html", _bytes(HTML.encode()), OTHER, says="HTML"),
    Case("html-gb18030", _bytes(b'<META charset="gb2312">' + "<TABLE>表</TABLE>".encode("gb18030")), OTHER, says="HTML"),
    Case("mhtml", _bytes(b"MIME-Version: 1.0\nContent-Type: multipart/related\n\n" + HTML.encode()), OTHER, says="MHTML"),
    Case("xml-2003", _bytes(XML_2003.encode()), OTHER, says="2003"),
    Case("xml-2003-with-entities", _bytes(XML_2003.replace("<Workbook", "<!DOCTYPE a [<!ENTITY b 'c'>]><Workbook").encode()),
         OTHER, says="2003"),
    Case("uof", _bytes(b'<?xml version="1.0"?><uof:UOF xmlns:uof="http://schemas.uof.org/cn/2003/uof"/>'), OTHER, says="UOF"),
    Case("json", _bytes(b'{"a": 1}'), OTHER, says="JSON"),
    Case("pdf-and-zip-in-one", lambda good: Archive(entries_of(good), prepended=b"%PDF-1.7\n").bytes(), OTHER, says="PDF"),
    Case("gif-and-zip-in-one", lambda good: Archive(entries_of(good), prepended=b"GIF89a\0\0").bytes(), OTHER, says="GIF"),
]  # fmt: skip
