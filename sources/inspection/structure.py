"""A zip package taken at its bytes, not at its word: directory, local headers and data must agree, and nothing unpacks beyond the limits.

The readers (openpyxl on `zipfile`, python-calamine on Rust's zip) trust different fields. Where the fields differ they would read different
workbooks; such a package is refused, as is one that does not end where it says.
"""

import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO
from urllib.parse import unquote

from sources.inspection.refusal import (
    BOMB,
    DAMAGED,
    DOUBTFUL_PACKAGE,
    ENCRYPTED,
    MIB,
    MOST_PARTS,
    MOST_RATIO,
    MOST_UNPACKED_BYTES,
    RATIO_FROM_BYTES,
    Refused,
    shown,
)

CHUNK_BYTES = MIB
_READ_BYTES = 64 * 1024
_END = struct.Struct("<4s4H2LH")
_END_64_LOCATOR = struct.Struct("<4sLQL")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_LOCAL = struct.Struct("<4s2BHHHHLLLHH")
_LONGEST_COMMENT = 65_535
_MOST_DIRECTORY_BYTES = MOST_PARTS * 1024
_FULL_32 = 0xFFFFFFFF
_HAS_DESCRIPTOR, _ENCRYPTED, _PATCH, _STRONG = 1 << 3, 1, 1 << 5, 1 << 6


def refuse_false_end(file: BinaryIO, size: int) -> int:
    """Check the package's end record before anything is built from it; return how many parts it says there are.

    Raises:
        Refused: no end record (cut off), bytes after it, several volumes, or more parts than allowed.
    """
    tail_at = max(size - _END.size - _LONGEST_COMMENT, 0)
    file.seek(tail_at)
    tail = file.read(_END.size + _LONGEST_COMMENT)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < _END.size:
        raise Refused(DAMAGED, "文件不完整，后半截没有了（压缩包没有结尾）")
    _, disk, directory_disk, here, total, length, offset, comment = _END.unpack_from(tail, at)
    if at + _END.size + comment != len(tail):
        raise Refused(DOUBTFUL_PACKAGE, "文件结尾之后还有别的内容")
    end_at = tail_at + at
    if (disk, directory_disk) != (0, 0) and (disk, directory_disk) != (0xFFFF, 0xFFFF):
        raise Refused(DAMAGED, "文件是分卷压缩包的一卷")
    directory_end = end_at
    if end_at >= _END_64_LOCATOR.size + _END_64.size:
        file.seek(end_at - _END_64_LOCATOR.size - _END_64.size)
        big = file.read(_END_64.size + _END_64_LOCATOR.size)
        signature, locator_disk, big_at, disks = _END_64_LOCATOR.unpack_from(big, _END_64.size)
        if signature == b"PK\x06\x07":
            fields = _END_64.unpack_from(big)
            directory_end = end_at - len(big)
            if locator_disk or disks > 1 or fields[4] or fields[5]:
                raise Refused(DAMAGED, "文件是分卷压缩包的一卷")
            small = ((here, 0xFFFF), (total, 0xFFFF), (length, _FULL_32), (offset, _FULL_32))
            says_both = zip(small, fields[6:], strict=True)
            if fields[0] != b"PK\x06\x06" or big_at != directory_end or any(s not in (f, b) for (s, f), b in says_both):
                raise Refused(DOUBTFUL_PACKAGE, "压缩包的两份结尾说得不一样")
            here, total, length, offset = fields[6:]
    if total > MOST_PARTS or length > _MOST_DIRECTORY_BYTES:
        raise Refused(BOMB, f"文件里有 {total} 个部件，超过 {MOST_PARTS} 个")
    if here != total or offset + length != directory_end:
        raise Refused(DOUBTFUL_PACKAGE, "压缩包的目录不在它说的地方，开头或中间多了、少了内容")
    return total


def open_package(file: BinaryIO) -> zipfile.ZipFile:
    """Open the directory of a zip package whose end has been checked.

    Raises:
        Refused: the directory cannot be read.
    """
    try:
        return zipfile.ZipFile(file)
    except (
        zipfile.BadZipFile,
        NotImplementedError,
        ValueError,
        OSError,
        struct.error,
        EOFError,
        OverflowError,
    ) as error:
        raise Refused(DAMAGED, "文件已损坏，压缩包的目录读不出来") from error


def checked_parts(package: zipfile.ZipFile, file: BinaryIO, said_count: int) -> dict[str, tuple[zipfile.ZipInfo, int]]:
    """Check every entry of the directory against its local header; return the parts by name, with where their data begin.

    Raises:
        Refused: doubled or escaping names, encryption, unknown methods, headers that differ, overlapping data, too many parts.
    """
    entries = package.infolist()
    if len(entries) != said_count:
        raise Refused(DOUBTFUL_PACKAGE, f"压缩包说有 {said_count} 个部件，实际有 {len(entries)} 个")
    _refuse_names(entries)
    parts = {}
    spans = []
    for info in entries:
        if info.flag_bits & (_ENCRYPTED | _STRONG):
            raise Refused(ENCRYPTED, "文件是用压缩软件加了密码的")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or info.flag_bits & _PATCH:
            raise Refused(DAMAGED, "文件用了 Office 不用的压缩方法")
        begins = _data_offset(info, file)
        spans.append((info.header_offset, begins + info.compress_size))
        if not info.is_dir() or info.file_size:
            parts[info.filename] = (info, begins)
    spans.sort()
    if spans and spans[0][0] != 0:
        raise Refused(DOUBTFUL_PACKAGE, "文件开头有不属于工作簿的内容")
    ends = [*(start for start, _ in spans[1:]), package.start_dir]
    if any(end > following for (_, end), following in zip(spans, ends, strict=True)):
        raise Refused(DOUBTFUL_PACKAGE, "压缩包的部件互相重叠")
    return parts


def _refuse_names(entries: list[zipfile.ZipInfo]) -> None:
    seen: set[str] = set()
    for info in entries:
        name = info.orig_filename
        if name != info.filename or not name or "\0" in name or "\\" in name:
            raise Refused(DOUBTFUL_PACKAGE, f"压缩包里有不合规的部件名“{shown(name)}”")
        steps = unquote(name).rstrip("/").split("/")
        if name.startswith("/") or ":" in steps[0] or any(step in ("", ".", "..") for step in steps):
            raise Refused(DOUBTFUL_PACKAGE, f"压缩包里有指向外面的部件名“{shown(name)}”")
        key = "/".join(steps).casefold()
        if key in seen:
            raise Refused(DOUBTFUL_PACKAGE, f"压缩包里有两个同名的部件“{shown(name)}”，不知道以哪个为准")
        seen.add(key)


def _data_offset(info: zipfile.ZipInfo, file: BinaryIO) -> int:
    """Return where an entry's data begin; its local header must say what the directory says."""
    file.seek(info.header_offset)
    header = file.read(_LOCAL.size)
    if len(header) < _LOCAL.size or header[:4] != b"PK\x03\x04":
        raise Refused(DAMAGED, f"文件已损坏，部件“{shown(info.filename)}”不在目录所说的地方")
    _, _, _, flags, method, _, _, crc, packed, unpacked, name_length, extra_length = _LOCAL.unpack(header)
    name = file.read(name_length)
    encoding = "utf-8" if info.flag_bits & 0x800 else "cp437"
    if name != info.orig_filename.encode(encoding, "replace"):
        raise Refused(DOUBTFUL_PACKAGE, f"部件“{shown(info.filename)}”在目录里和在数据前的名字不一样")
    if method != info.compress_type or (flags ^ info.flag_bits) & (_ENCRYPTED | _STRONG | _PATCH):
        raise Refused(DOUBTFUL_PACKAGE, f"部件“{shown(info.filename)}”在目录里和在数据前的压缩方法不一样")
    # Written in one go, a header has no sizes yet; they follow the data then. Zip64 keeps them elsewhere.
    unknown = (0, _FULL_32) if flags & _HAS_DESCRIPTOR else (_FULL_32,)
    said = ((crc, info.CRC), (packed, info.compress_size), (unpacked, info.file_size))
    if any(here != there and here not in unknown for here, there in said):
        raise Refused(DOUBTFUL_PACKAGE, f"部件“{shown(info.filename)}”在目录里和在数据前的大小不一样")
    return info.header_offset + _LOCAL.size + name_length + extra_length


class Unpacker:
    """Unpacks parts in pieces, counting what really comes out; never to disk, never beyond the limits."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.unpacked_bytes = 0

    def pieces(self, info: zipfile.ZipInfo, begins: int) -> Iterator[bytes]:
        """Yield a part's content in pieces of at most `CHUNK_BYTES`; the part must be read to its end to be checked whole.

        Raises:
            Refused: beyond the limits, or length or checksum differ from what the package says.
        """
        size, crc = 0, 0
        for piece in self._inflated(info, begins) if info.compress_type else self._raw(info, begins):
            size += len(piece)
            self.unpacked_bytes += len(piece)
            if self.unpacked_bytes > MOST_UNPACKED_BYTES:
                raise Refused(BOMB, f"文件解开后超过 {MOST_UNPACKED_BYTES // MIB} MB")
            if size > RATIO_FROM_BYTES and size > MOST_RATIO * info.compress_size:
                raise Refused(BOMB, f"部件“{shown(info.filename)}”解开后是压缩时的 {MOST_RATIO} 倍以上")
            if size > info.file_size:
                break
            crc = zlib.crc32(piece, crc)
            yield piece
        if size != info.file_size or crc != info.CRC:
            raise Refused(DAMAGED, f"文件已损坏，部件“{shown(info.filename)}”的内容与校验码不符")

    def _raw(self, info: zipfile.ZipInfo, begins: int) -> Iterator[bytes]:
        left = info.compress_size
        while left > 0:
            self._file.seek(begins + info.compress_size - left)
            data = self._file.read(min(left, _READ_BYTES))
            if not data:
                return
            left -= len(data)
            yield data

    def _inflated(self, info: zipfile.ZipInfo, begins: int) -> Iterator[bytes]:
        inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            for data in self._raw(info, begins):
                piece = inflate.decompress(data, CHUNK_BYTES)
                # A full piece may leave more behind, even when all input is used up.
                while len(piece) == CHUNK_BYTES or inflate.unconsumed_tail:
                    yield piece
                    piece = inflate.decompress(inflate.unconsumed_tail, CHUNK_BYTES)
                yield piece
                if inflate.unused_data:
                    break
        except zlib.error as error:
            raise Refused(DAMAGED, f"文件已损坏，部件“{shown(info.filename)}”解不开") from error
        if not inflate.eof or inflate.unused_data:
            raise Refused(DAMAGED, f"文件已损坏，部件“{shown(info.filename)}”不完整")
