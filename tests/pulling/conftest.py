"""The servers, once per session; per test a folder on each, a home, and a way to write ``sources.yaml``."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from sources.pulling.config import load_sources
from tests.pulling.servers import LOOPBACK, PASSWORD, READER, Sftp, Webdav, sftp_server, webdav_server
from warehouse.paths import Home
from warehouse.pull import PullReport, pull

QUICK = {"settle_seconds": 0.02, "backoff_seconds": 0.01, "timeout_seconds": 5}
KINDS = ("folder", "sftp", "webdav")


@pytest.fixture(scope="session")
def sftp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sftp]:
    with sftp_server(tmp_path_factory.mktemp("sftp")) as server:
        yield server


@pytest.fixture(scope="session")
def webdav(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Webdav]:
    with webdav_server(tmp_path_factory.mktemp("webdav")) as server:
        yield server


@dataclass
class Site:
    """One test's own folder on each server, and the home it pulls into."""

    sftp: Sftp
    webdav: Webdav
    home: Home
    name: str
    folder: Path

    def root(self, kind: str) -> Path:
        """The folder that a source of this kind serves."""
        root = {"folder": self.folder, "sftp": self.sftp.root / self.name, "webdav": self.webdav.root / self.name}[kind]
        root.mkdir(exist_ok=True)
        return root

    def source(self, kind: str, **changes: Any) -> dict[str, Any]:
        """A source as it is written in ``sources.yaml``."""
        self.root(kind) if kind != "https" else None
        login = {"username": READER, "password_env": "STI_TEST_PASSWORD", "ca_file": str(self.webdav.ca_file)}
        own: dict[str, Any] = {
            "folder": {"path": str(self.folder)},
            "sftp": {
                "host": LOOPBACK,
                "port": self.sftp.port,
                "path": str(self.sftp.root / self.name),
                "username": self.sftp.user,
                "key_file_env": "STI_TEST_KEY",
                "fingerprints": [self.sftp.fingerprint],
            },
            "webdav": {"url": self.webdav.url, "path": self.name, **login},
            "https": login,
        }[kind]
        return {"name": f"by_{kind}", "provider": "finance_bureau", "protocol": kind, **QUICK, **own, **changes}

    def write(self, *sources: dict[str, Any]) -> Path:
        """Write ``sources.yaml`` into the home."""
        self.home.root.mkdir(exist_ok=True)
        self.home.sources_file.write_text(yaml.safe_dump({"sources": list(sources)}, allow_unicode=True), "utf-8")
        return self.home.sources_file

    @property
    def environ(self) -> dict[str, str]:
        """What an administrator sets in the environment."""
        return {"STI_TEST_PASSWORD": PASSWORD, "STI_TEST_KEY": str(self.sftp.key_file)}

    def pull(self, *sources: dict[str, Any], **options: Any) -> PullReport:
        """Pull from these sources, waiting as ``sti pull`` does."""
        import time

        options = {"wait": time.sleep, **options}
        return pull(self.home, load_sources(self.write(*sources)), self.environ, **options)

    def arrived(self) -> dict[str, bytes]:
        """What lies in the inbox, by its path there without the time of arrival."""
        found = {}
        for path in sorted(self.home.inbox.rglob("*.xlsx")):
            provider, _, *rest = path.relative_to(self.home.inbox).parts
            found["/".join((provider, *rest))] = path.read_bytes()
        return found


@pytest.fixture
def site(sftp: Sftp, webdav: Webdav, tmp_path: Path, request: pytest.FixtureRequest) -> Site:
    webdav.moods.refuse = 0
    webdav.moods.log.clear()
    folder = tmp_path / "share"
    folder.mkdir()
    return Site(sftp, webdav, Home(tmp_path / "home"), f"t{abs(hash(request.node.nodeid))}", folder)
