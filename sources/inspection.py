"""Looking at the bytes before any reader does: the place where hostile and broken files are refused.

First version: the file must be a zip package that holds a workbook. Encrypted, macro, bomb and other hostile files come here,
before `sources.workbook` opens anything.
"""

import zipfile
from pathlib import Path

OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
LARGEST_FILE_BYTES = 20 * 1024 * 1024


def inspect(path: Path) -> str:
    """Return why a file is refused unread, as one plain Chinese sentence; empty when it may be opened."""
    size = path.stat().st_size
    if size == 0:
        return "文件是空的（0 字节）"
    if size > LARGEST_FILE_BYTES:
        return f"文件有 {size / 1024 / 1024:.1f} MB，超过 20 MB"
    with path.open("rb") as file:
        head = file.read(8)
    if head == OLE_MAGIC:
        return "文件是加密的，或是旧版 .xls 格式"
    if not zipfile.is_zipfile(path):
        return "文件不是 .xlsx 工作簿，或已损坏"
    with zipfile.ZipFile(path) as package:
        if "xl/workbook.xml" not in package.namelist():
            return "文件不是 .xlsx 工作簿"
    return ""
