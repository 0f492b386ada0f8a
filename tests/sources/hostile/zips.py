"""Packages broken or crafted in their zip layer."""

import random
import zlib
from collections.abc import Callable

from tests.sources.hostile.case import Case, parts_case
from tests.sources.hostile.packages import Archive, Entry, Parts, entries_of, zipped

SHEET_1 = "xl/worksheets/sheet1.xml"
DAMAGED, DOUBTFUL, BOMB, ENCRYPTED = "RD-034", "RD-035", "RD-036", "RD-033"


def _with_entry(name: bytes, data: bytes = b"<x/>", **more: object) -> Callable[[Parts], bytes]:
    return lambda good: Archive([*entries_of(good), Entry(name, data, **more)]).bytes()


def _first(**more: object) -> Callable[[Parts], bytes]:
    return lambda good: Archive(entries_of(good, **more)).bytes()


def _archive(**more: object) -> Callable[[Parts], bytes]:
    return lambda good: Archive(entries_of(good), **more).bytes()


def _flipped(good: Parts) -> bytes:
    data = bytearray(zipped(good, compression=0))
    at = data.index(b"<sheetData>") + 40
    data[at] ^= 1
    return bytes(data)


def _broken_deflate(good: Parts) -> bytes:
    entries = entries_of(good, packed=b"\xff" * 400)
    return Archive(entries).bytes()


def _overlap(good: Parts) -> bytes:
    """Two entries share one run of bytes, as in a bomb of overlapping files."""
    entries = entries_of(good)
    twin = Entry(b"xl/media/image1.bin", b"", offset=0, crc=entries[0].crc, packed_size=10**4, size=10**4)
    return Archive([*entries, twin]).bytes()


def _quoted(good: Parts) -> bytes:
    """An entry whose data hold other entries whole."""
    big = Entry(b"xl/media/quoted.bin", b"", method=0, packed=b"", packed_size=3000, size=3000, crc=0)
    return Archive([big, *entries_of(good)]).bytes()


def _two_directories(good: Parts) -> bytes:
    """A package hidden in the comment of another."""
    inner = Archive(entries_of(good)).bytes()
    outer = Archive(entries_of({"xl/workbook.xml": b"<x/>"}), comment=b"x" * len(inner)).bytes()
    return outer[: -len(inner)] + inner


def _many(count: int) -> Callable[[Parts], object]:
    return lambda parts: parts.update({f"xl/media/image{n}.png": b"\x89PNG\r\n\x1a\n" for n in range(count)})


def _bomb(good: Parts) -> bytes:
    return zipped(good | {"xl/media/image1.bmp": b"\0" * 3_000_000})


def _spread_bomb(good: Parts) -> bytes:
    """Below the ratio part by part, beyond the sum: 210 MB from a file of little more than 1 MB."""
    noise = random.Random(4).randbytes(6_000)
    block = (noise + b"\0" * 994_000) * 10
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = deflate.compress(block) + deflate.flush()
    assert len(block) / len(packed) < 200
    crc = zlib.crc32(block)
    more = [Entry(f"xl/media/image{n}.bmp".encode(), b"", packed=packed, size=len(block), crc=crc) for n in range(21)]
    return Archive([*entries_of(good), *more]).bytes()


def _lying_bomb(good: Parts) -> bytes:
    """The directory says 100 bytes; 20 MB come out."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = deflate.compress(b"\0" * 20_000_000) + deflate.flush()
    return Archive([*entries_of(good), Entry(b"xl/media/a.bmp", b"\0" * 100, packed=packed)]).bytes()


def _prefix_lie(good: Parts) -> bytes:
    """The directory's size and checksum fit the beginning of the data: one reader stops there, another goes on."""
    data = good[SHEET_1]
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = deflate.compress(data + b"<!-- more -->") + deflate.flush()
    return Archive(entries_of(good, packed=packed)).bytes()


def _cut(share: float) -> Callable[[Parts], bytes]:
    def make(good: Parts) -> bytes:
        data = zipped(good)
        return data[: int(len(data) * share)]

    return make


def _swapped_case(good: Parts) -> bytes:
    return Archive([*entries_of(good), Entry(b"XL/Worksheets/SHEET1.XML", good[SHEET_1])]).bytes()


CASES = [
    Case("zip-cut-in-half", _cut(0.5), DAMAGED, says="不完整"),
    Case("zip-cut-at-tenth", _cut(0.1), DAMAGED),
    Case("zip-last-byte-missing", lambda good: zipped(good)[:-1], DAMAGED),
    Case("zip-header-only", lambda good: b"PK\x03\x04", DAMAGED),
    Case("zip-only-zeros-after-header", lambda good: b"PK\x03\x04" + b"\0" * 5000, DAMAGED),
    Case("zip-end-record-only", lambda good: b"PK\x05\x06" + b"\0" * 18, "RD-032", says="空的压缩包"),
    Case("zip-spanned-marker", lambda good: b"PK\x07\x08" + zipped(good), DAMAGED, says="分卷"),
    Case("zip-bit-flipped", _flipped, DAMAGED, says="校验码"),
    Case("zip-wrong-checksum", _first(crc=12345), DAMAGED, says="校验码"),
    Case("zip-broken-deflate", _broken_deflate, DAMAGED),
    Case("zip-size-too-small", _prefix_lie, DAMAGED),
    Case("zip-size-too-large", _first(size=10**6), DAMAGED),
    Case("zip-stored-size-lies", _first(method=0, size=10), DAMAGED),
    Case("zip-packed-size-beyond-file", _first(packed_size=10**8), DOUBTFUL, says="重叠"),
    Case("zip-offset-beyond-file", _first(offset=10**8), DAMAGED),
    Case("zip-offset-elsewhere", _first(offset=7), DAMAGED),
    Case("zip-bzip2", _first(method=12), DAMAGED, says="压缩方法"),
    Case("zip-lzma", _first(method=14), DAMAGED, says="压缩方法"),
    Case("zip-unknown-method", _first(method=99), DAMAGED, says="压缩方法"),
    Case("zip-patch-data", _first(flags=1 << 5), DAMAGED),
    Case("zip-encrypted-entry", _first(flags=1), ENCRYPTED, says="加了密码"),
    Case("zip-strong-encryption", _first(flags=1 << 6 | 1), ENCRYPTED),
    Case("zip-encrypted-in-local-header-only", _first(local_method=99), DOUBTFUL),
    Case("zip-local-name-differs", _first(local_name=b"xl/worksheets/sheet9.xml"), DOUBTFUL, says="名字不一样"),
    Case("zip-local-method-differs", _first(local_method=0), DOUBTFUL, says="压缩方法不一样"),
    Case("zip-local-size-differs", _first(local_size=5), DOUBTFUL, says="大小不一样"),
    Case("zip-local-checksum-differs", _first(local_crc=5), DOUBTFUL, says="大小不一样"),
    Case("zip-overlapping", _overlap, DOUBTFUL),
    Case("zip-quoting-entries", _quoted, DOUBTFUL, says="重叠"),
    Case("zip-prepended", _archive(prepended=b"\x01\x02\x03junk"), DOUBTFUL, says="开头"),
    Case("zip-prepended-offsets-as-if-not", _archive(prepended=b"\x01\x02\x03junk", lift=False), DOUBTFUL),
    Case("zip-gap-at-start", lambda good: Archive(
        [Entry(b"x", b"x", before=b"PK\x03\x04hidden"), *entries_of(good)]).bytes(), DOUBTFUL),
    Case("zip-appended", _archive(appended=b"more"), DOUBTFUL, says="结尾之后"),
    Case("zip-appended-zeros", _archive(appended=b"\0" * 1000), DOUBTFUL, says="结尾之后"),
    Case("zip-directory-elsewhere", _archive(shift=1), DOUBTFUL),
    Case("zip-count-too-small", _archive(count=3), DOUBTFUL),
    Case("zip-count-too-large", _archive(count=300), DOUBTFUL),
    Case("zip-count-absurd", _archive(count=60_000), BOMB, says="60000"),
    Case("zip-several-disks", _archive(disk=2), DAMAGED, says="分卷"),
    Case("zip-zip64-count-lies", _archive(zip64=True, zip64_count=1), DOUBTFUL),
    Case("zip-package-in-comment", _two_directories, DOUBTFUL),
    Case("zip-duplicate-entry", _with_entry(b"xl/worksheets/sheet1.xml"), DOUBTFUL, says="两个同名"),
    Case("zip-duplicate-in-other-case", _swapped_case, DOUBTFUL, says="两个同名"),
    Case("zip-duplicate-in-escapes", _with_entry(b"xl/worksheets/%73heet1.xml"), DOUBTFUL, says="两个同名"),
    Case("zip-name-climbs", _with_entry(b"../../etc/cron.d/x"), DOUBTFUL, says="指向外面"),
    Case("zip-name-climbs-inside", _with_entry(b"xl/../xl/workbook.xml"), DOUBTFUL),
    Case("zip-name-climbs-escaped", _with_entry(b"xl/%2e%2e/%2e%2e/x"), DOUBTFUL),
    Case("zip-name-absolute", _with_entry(b"/etc/passwd"), DOUBTFUL),
    Case("zip-name-drive", _with_entry(b"C:/x.exe"), DOUBTFUL),
    Case("zip-name-backslash", _with_entry(b"xl\\evil.xml"), DOUBTFUL),
    Case("zip-name-nul", _with_entry(b"xl/a.xml\0.png"), DOUBTFUL),
    Case("zip-name-empty", _with_entry(b""), DOUBTFUL),
    Case("zip-name-dot", _with_entry(b"xl/./a.xml"), DOUBTFUL),
    Case("zip-name-no-utf8", _with_entry(b"xl/\xff\xfe.xml", flags=0x800), DAMAGED),
    parts_case("zip-2100-parts", _many(2_100), BOMB, says="个部件"),
    Case("bomb-ratio", _bomb, BOMB, says="200 倍"),
    Case("bomb-sum", _spread_bomb, BOMB, says="200 MB"),
    Case("bomb-lying-about-size", _lying_bomb, DAMAGED),
    parts_case("bomb-worksheet-of-blanks",
        lambda parts: parts.update({SHEET_1: b"<worksheet><sheetData>" + b" " * 40_000_000 + b"</sheetData></worksheet>"}),
        BOMB),
]  # fmt: skip
