"""One source, read-only: this wrapper lists, looks and reads. It has no other method, and nobody else holds the file system."""

import unicodedata
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import unquote

from sources.pulling.config import FolderSource, HttpsSource, S3Source, Source
from sources.pulling.connect import close, connect
from sources.pulling.failures import kind_of
from sources.pulling.names import is_hidden, refusal, shown

MARKER_SUFFIX = ".ok"
MOST_ENTRIES = 100_000
STREAM_BYTES = 1024 * 1024


@dataclass(frozen=True)
class RemoteFile:
    """One version of one file at a source: where it is, and what the source says of it.

    ``path`` is the source's own, ``relative`` below the source's folder; ``modified`` and ``etag`` are empty where the source gives none;
    ``size_bytes`` is None where it does not say.
    """

    path: str
    relative: str
    size_bytes: int | None
    modified: str
    etag: str

    @property
    def name(self) -> str:
        """The file's own name."""
        return self.relative.rsplit("/", 1)[-1]

    @property
    def marks(self) -> tuple[int | None, str, str]:
        """What changes when the file does."""
        return self.size_bytes, self.modified, self.etag


@dataclass
class Listing:
    """What a source holds: hand-ins, the markers beside them by relative path, what was refused and why, and what was passed over.

    ``real_root`` is where a folder source really leads, links followed; None for other sources.
    """

    files: list[RemoteFile] = field(default_factory=list)
    markers: dict[str, RemoteFile] = field(default_factory=dict)
    refused: list[tuple[str, str]] = field(default_factory=list)
    troubles: list[tuple[str, Exception]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    passed_over_count: int = 0
    real_root: Path | None = None


class Remote:
    """A source that is connected when first asked, and again after `drop`."""

    def __init__(
        self, source: Source, environ: Mapping[str, str], timeout_seconds: float, is_hand_in: Callable[[str], bool]
    ) -> None:
        self.source = source
        self._environ = environ
        self._timeout_seconds = timeout_seconds
        self._is_hand_in = is_hand_in
        self._filesystem: Any = None

    def drop(self) -> None:
        """Let go of the connection; the next question makes a new one."""
        filesystem, self._filesystem = self._filesystem, None
        if filesystem is not None:
            close(filesystem)

    def list_files(self) -> Listing:
        """Walk the source's folder, breadth first; links are not followed, hidden folders not entered, and the walk is bounded.

        A subfolder that cannot be read is a trouble of its own, the folder itself an error.
        """
        listing = Listing()
        if isinstance(self.source, HttpsSource):
            self._look_at_each(self.source, listing)
            return listing
        root = self._root()
        if isinstance(self.source, FolderSource):
            listing.real_root = self._connected().where(root)
        waiting, entry_count = [(root, 0)], 0
        while waiting:
            folder, level = waiting.pop(0)
            try:
                entries = self._connected().ls(folder, detail=True)
            except Exception as error:
                if folder == root or kind_of(error) not in ("denied", "missing"):
                    raise
                listing.troubles.append((folder, error))
                continue
            for entry in sorted(entries, key=lambda each: str(each["name"])):
                entry_count += 1
                relative = _relative(str(entry["name"]), root)
                if not relative:
                    continue
                if entry_count > MOST_ENTRIES:
                    listing.notes.append(f"超过 {MOST_ENTRIES} 个文件和文件夹，其余没有看；请清理或分成几个来源")
                    return listing
                is_folder = self._sort_in(listing, entry, relative)
                if is_folder and level >= self.source.deepest_level:
                    listing.notes.append(f"{shown(relative)}：深于 {self.source.deepest_level} 层，没有进入")
                elif is_folder:
                    waiting.append((str(entry["name"]), level + 1))
        return listing

    def look(self, file: RemoteFile) -> RemoteFile:
        """Return the file as it is now.

        Raises:
            FileNotFoundError: it is gone.
        """
        return _described(self._connected().info(file.path), file.path, file.relative)

    @contextmanager
    def reading(self, file: RemoteFile, start: int) -> Iterator[BinaryIO]:
        """Open the file for reading from byte ``start`` on; nothing is held in memory beyond a block."""
        options: dict[str, Any] = {"block_size": STREAM_BYTES}
        if isinstance(self.source, HttpsSource):
            # One stream from the beginning; ranges, which a server may not know, only to go on from where it broke off.
            options = {"block_size": STREAM_BYTES if start else 0, "size": file.size_bytes}
        with self._connected().open(file.path, "rb", **options) as stream:
            if start:
                stream.seek(start)
            yield stream

    def _connected(self) -> Any:
        if self._filesystem is None:
            self._filesystem = connect(self.source, self._environ, self._timeout_seconds)
        return self._filesystem

    def _root(self) -> str:
        if isinstance(self.source, S3Source):
            return f"{self.source.bucket}/{self.source.path.strip('/')}".rstrip("/")
        return str(getattr(self.source, "path", "")).rstrip("/") or ("" if self.source.protocol == "webdav" else "/")

    def _sort_in(self, listing: Listing, entry: dict[str, Any], relative: str) -> bool:
        """Put one entry where it belongs; return whether it is a folder that might be entered."""
        name = relative.rsplit("/", 1)[-1]
        reason = refusal(relative)
        if is_hidden(name):
            listing.passed_over_count += 1
        elif reason:
            listing.refused.append((relative, reason))
        elif entry.get("islink") or entry["type"] == "link":
            listing.notes.append(f"{shown(relative)}：是链接，不跟去")
        elif entry["type"] == "directory":
            return True
        elif name.endswith(MARKER_SUFFIX):
            listing.markers[relative] = _described(entry, str(entry["name"]), relative)
        elif entry["type"] != "file" or not self._is_wanted(name):
            listing.passed_over_count += 1
        else:
            listing.files.append(_described(entry, str(entry["name"]), relative))
        return False

    def _is_wanted(self, name: str) -> bool:
        folded = unicodedata.normalize("NFC", name).casefold()
        patterns = self.source.patterns
        return self._is_hand_in(name) and (
            not patterns or any(fnmatchcase(folded, unicodedata.normalize("NFC", p).casefold()) for p in patterns)
        )

    def _look_at_each(self, source: HttpsSource, listing: Listing) -> None:
        """Ask for each address; one that fails is a trouble of its own, unless all do."""
        for url in source.urls:
            relative = unquote(url).rsplit("/", 1)[1]
            try:
                entry = self._connected().info(url)
            except Exception as error:
                if len(source.urls) == 1 or kind_of(error) not in ("denied", "missing"):
                    raise
                listing.troubles.append((url, error))
                continue
            self._sort_in(listing, {**entry, "name": url}, relative)


def _relative(name: str, root: str) -> str:
    """Return a name below the root; empty for the root itself; one that lies elsewhere starts with ``..`` and is refused for it."""
    bare, base = name.strip("/"), root.strip("/")
    if not base or bare == base:
        return "" if bare == base else bare
    return bare[len(base) + 1 :] if bare.startswith(f"{base}/") else f"../{bare}"


def _described(entry: Mapping[str, Any], path: str, relative: str) -> RemoteFile:
    """Read what the five libraries call by different names."""
    modified = next((entry[k] for k in ("mtime", "modified", "LastModified", "Last-Modified") if entry.get(k)), "")
    etag = next((entry[k] for k in ("etag", "ETag") if entry.get(k)), "")
    size = entry.get("size")
    return RemoteFile(path, relative, None if size is None else int(size), str(modified), str(etag))
