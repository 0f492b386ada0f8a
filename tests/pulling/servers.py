"""Real servers on loopback for the tests of pulling: OpenSSH for SFTP, WsgiDAV over TLS, and a wire that breaks when told to."""

import contextlib
import getpass
import ipaddress
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cheroot import wsgi
from cheroot.ssl.builtin import BuiltinSSLAdapter
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from wsgidav.fs_dav_provider import FilesystemProvider
from wsgidav.wsgidav_app import WsgiDAVApp

LOOPBACK = "127.0.0.1"
SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
READER, PASSWORD = "reader", "只在测试里用-7f3a"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def wait_for(port: int, process: subprocess.Popen[bytes] | None = None) -> None:
    end = time.monotonic() + 10
    while time.monotonic() < end:
        assert process is None or process.poll() is None, process.stderr.read().decode() if process.stderr else ""
        with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, port), timeout=1):
            return
        time.sleep(0.02)
    raise AssertionError(f"nothing listens on {port}")


@dataclass(frozen=True)
class Sftp:
    """OpenSSH's own server: read-only, key login only. ``root`` is what it serves; ``log`` what it said."""

    port: int
    root: Path
    key_file: Path
    fingerprint: str
    known_hosts: Path
    user: str = getpass.getuser()


@contextlib.contextmanager
def sftp_server(folder: Path) -> Iterator[Sftp]:
    assert SSHD, "测试要用真的 SFTP 服务器：请安装 Debian 的 openssh-server 包（apt-get install openssh-server）"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("host_key", "user_key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    port, root = free_port(), folder / "out"
    root.mkdir()
    host_key = (folder / "host_key.pub").read_text().split()[:2]
    (folder / "known_hosts").write_text(f"[{LOOPBACK}]:{port} {' '.join(host_key)}\n")
    (folder / "sshd_config").write_text(
        f"Port {port}\nListenAddress {LOOPBACK}\nHostKey {folder}/host_key\nPidFile none\nUsePAM no\nStrictModes no\n"
        f"AuthorizedKeysFile {folder}/user_key.pub\nPasswordAuthentication no\nPermitRootLogin prohibit-password\n"
        "Subsystem sftp internal-sftp\nForceCommand internal-sftp -R\nMaxStartups 100\n"
    )
    shown = subprocess.run(["ssh-keygen", "-lf", folder / "host_key.pub"], check=True, capture_output=True, text=True)
    with (folder / "sshd.log").open("wb") as log:
        process = subprocess.Popen([SSHD, "-D", "-e", "-f", str(folder / "sshd_config")], stderr=log)
        try:
            wait_for(port, process)
            yield Sftp(port, root, folder / "user_key", shown.stdout.split()[1], folder / "known_hosts")
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(10)


@dataclass
class Moods:
    """What the WebDAV server does to the next requests: ``refuse`` answers 503 so many times, ``log`` keeps method, path and range."""

    refuse: int = 0
    log: list[tuple[str, str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Webdav:
    port: int
    root: Path
    ca_file: Path
    moods: Moods

    @property
    def url(self) -> str:
        return f"https://{LOOPBACK}:{self.port}"


@contextlib.contextmanager
def webdav_server(folder: Path) -> Iterator[Webdav]:
    """WsgiDAV, read-only, one account, over TLS with a certificate of its own."""
    root = folder / "out"
    root.mkdir(parents=True)
    moods = Moods()
    application = WsgiDAVApp(
        {
            "provider_mapping": {"/": FilesystemProvider(str(root), readonly=True)},
            "http_authenticator": {"accept_basic": True, "accept_digest": False, "default_to_digest": False},
            "simple_dc": {"user_mapping": {"*": {READER: {"password": PASSWORD}}}},
            "logging": {"enable": False},
            "verbose": 0,
        }
    )

    def moody(environ: dict[str, Any], start_response: Any) -> Any:
        moods.log.append((environ["REQUEST_METHOD"], environ["PATH_INFO"], environ.get("HTTP_RANGE", "")))
        if moods.refuse:
            moods.refuse -= 1
            start_response("503 Service Unavailable", [("Content-Length", "0")])
            return [b""]
        return application(environ, start_response)

    with tls_server(folder, moody) as (port, certificate):
        yield Webdav(port, root, certificate, moods)


@contextlib.contextmanager
def tls_server(folder: Path, application: Any) -> Iterator[tuple[int, Path]]:
    """Serve a WSGI application on loopback over TLS; yield the port and the certificate, which the server has signed itself."""
    certificate, key = certificate_of(folder)
    server = wsgi.Server((LOOPBACK, 0), application, numthreads=8)
    server.ssl_adapter = BuiltinSSLAdapter(str(certificate), str(key))
    server.error_log = lambda *_, **__: None
    server.prepare()
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield server.bind_addr[1], certificate
    finally:
        server.stop()
        thread.join(10)


def certificate_of(folder: Path) -> tuple[Path, Path]:
    """Write a self-signed certificate for loopback; return it and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "loopback")])
    now = datetime.now(UTC)
    uses = dict.fromkeys(
        (
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(LOOPBACK))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(digital_signature=True, key_cert_sign=True, crl_sign=True, **uses), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    certificate, key_file = folder / "server.pem", folder / "server.key"
    certificate.write_bytes(built.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate, key_file


class BreakingWire:
    """A TCP relay to a port. ``cuts``: the first connection that brings so many bytes breaks there, then the next by the next number.

    It breaks by closing, or, if ``is_stalling``, by going silent.
    """

    def __init__(self, port: int, cuts: list[int], *, is_stalling: bool = False) -> None:
        self.cuts = cuts
        self._is_stalling = is_stalling
        self.connection_count = 0
        self._target = port
        self._listener = socket.create_server((LOOPBACK, 0))
        self.port = int(self._listener.getsockname()[1])

    def __enter__(self) -> "BreakingWire":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection((LOOPBACK, self._target))
                self.connection_count += 1
                threading.Thread(target=self._relay, args=(near, far, False), daemon=True).start()
                threading.Thread(target=self._relay, args=(far, near, True), daemon=True).start()

    def _relay(self, source: socket.socket, target: socket.socket, is_breaking: bool) -> None:
        passed = 0
        with contextlib.suppress(OSError):
            while block := source.recv(65536):
                passed += len(block)
                if is_breaking and self.cuts and passed >= self.cuts[0]:
                    self.cuts.pop(0)
                    if self._is_stalling:
                        return
                    break
                target.sendall(block)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


def picture_of(root: Path) -> dict[str, tuple[int, int, bytes]]:
    """Everything below a folder: mode, time of change and content, to tell that nothing has touched it."""
    return {
        str(path.relative_to(root)): (
            path.lstat().st_mode,
            path.lstat().st_mtime_ns,
            path.read_bytes() if path.is_file() and not path.is_symlink() else b"",
        )
        for path in sorted([root, *root.rglob("*")])
    }
