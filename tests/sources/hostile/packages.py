"""Tools to make a package that differs from a good one in one thing: its parts, or its zip bytes."""

import struct
import zipfile
import zlib
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

Parts = dict[str, bytes]


def parts_of(path: Path) -> Parts:
    """The parts of a workbook, in order."""
    with zipfile.ZipFile(path) as package:
        return {name: package.read(name) for name in package.namelist()}


def zipped(parts: Parts, **options: int) -> bytes:
    """A package of parts, as zipfile writes it, with a fixed date."""
    out = BytesIO()
    with zipfile.ZipFile(out, "w", options.pop("compression", zipfile.ZIP_DEFLATED), compresslevel=9) as package:
        for name, data in parts.items():
            info = zipfile.ZipInfo(name, (2026, 7, 1, 8, 0, 0))
            info.compress_type = package.compression
            package.writestr(info, data)
    return out.getvalue()


@dataclass
class Entry:
    """One entry written field by field, so that each field can lie. ``None`` means the truth."""

    name: bytes
    data: bytes
    method: int = 8
    flags: int = 0
    local_name: bytes | None = None
    local_method: int | None = None
    local_crc: int | None = None
    local_size: int | None = None
    local_extra: bytes = b""
    extra: bytes = b""
    crc: int | None = None
    size: int | None = None
    packed: bytes | None = None
    packed_size: int | None = None
    offset: int | None = None
    descriptor: bool = False
    disk: int = 0
    before: bytes = b""


@dataclass
class Archive:
    """A package written by hand: entries, then the directory, then the end record, whose fields can lie too."""

    entries: list[Entry] = field(default_factory=list)
    comment: bytes = b""
    count: int | None = None
    disk: int = 0
    prepended: bytes = b""
    appended: bytes = b""
    shift: int = 0
    zip64: bool = False
    zip64_count: int | None = None
    lift: bool = True

    def bytes(self) -> bytes:
        out = bytearray(self.prepended)
        base = len(self.prepended) if self.lift else 0
        directory = bytearray()
        for e in self.entries:
            out += e.before
            deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
            packed = e.packed
            if packed is None:
                packed = deflate.compress(e.data) + deflate.flush() if e.method == 8 else e.data
            crc = zlib.crc32(e.data) if e.crc is None else e.crc
            size = len(e.data) if e.size is None else e.size
            packed_size = len(packed) if e.packed_size is None else e.packed_size
            flags = e.flags | (8 if e.descriptor else 0)
            at = len(out) - base if e.offset is None else e.offset
            local_name = e.name if e.local_name is None else e.local_name
            here = (0, 0, 0) if e.descriptor else (crc, packed_size, size)
            here = (
                here[0] if e.local_crc is None else e.local_crc,
                here[1],
                here[2] if e.local_size is None else e.local_size,
            )
            method = e.method if e.local_method is None else e.local_method
            header = struct.pack(
                "<4s5H3L2H", b"PK\3\4", 20, flags, method, 0, 0x5CE1, *here, len(local_name), len(e.local_extra)
            )
            out += header + local_name + e.local_extra + packed
            if e.descriptor:
                out += struct.pack("<4s3L", b"PK\7\x08", crc, packed_size, size)
            directory += struct.pack(
                "<4s6H3L5H2L", b"PK\1\2", 20, 20, flags, e.method, 0, 0x5CE1, crc, packed_size, size,
                len(e.name), len(e.extra), 0, e.disk, 0, 0, at,
            )  # fmt: skip
            directory += e.name + e.extra
        start = len(out) - base + self.shift
        count = len(self.entries) if self.count is None else self.count
        out += directory
        if self.zip64:
            counted = len(self.entries) if self.zip64_count is None else self.zip64_count
            at = len(out)
            out += struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, counted, counted, len(directory), start)
            out += struct.pack("<4sLQL", b"PK\6\7", 0, at, 1)
        out += struct.pack(
            "<4s4H2LH", b"PK\5\6", self.disk, self.disk, count, count, len(directory), start, len(self.comment)
        )
        return bytes(out + self.comment + self.appended)


def entries_of(parts: Parts, **first: object) -> list[Entry]:
    """Entries that tell the truth; ``first`` changes the first worksheet's."""
    made = [Entry(name.encode(), data) for name, data in parts.items()]
    for entry in made:
        if entry.name == b"xl/worksheets/sheet1.xml":
            for key, value in first.items():
                setattr(entry, key, value)
    return made
