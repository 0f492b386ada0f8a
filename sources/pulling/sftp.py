"""SFTP through fsspec, to servers that somebody vouched for and to no others."""

import logging

from fsspec.implementations.sftp import SFTPFileSystem
from paramiko import HostKeys, MissingHostKeyPolicy, PKey, SSHClient

from sources.pulling.config import SftpSource
from sources.pulling.failures import NotInEnvironment, UnknownHost

KEEPALIVE_SECONDS = 15

# Without any handler, Python would print paramiko's own tracebacks of a broken connection on the terminal; what failed is said by us.
logging.getLogger("paramiko").addHandler(logging.NullHandler())


class _Vouched(MissingHostKeyPolicy):
    """Lets in the keys of ``known_hosts`` and ``fingerprints``. The client itself is given no keys, so every server comes by here."""

    def __init__(self, source: SftpSource) -> None:
        self.fingerprints = source.fingerprints
        try:
            self.known = HostKeys(str(source.known_hosts)) if source.known_hosts else HostKeys()
        except OSError as error:
            raise NotInEnvironment(f"known_hosts {source.known_hosts} 读不了") from error

    def missing_host_key(self, client: SSHClient, hostname: str, key: PKey) -> None:
        """Let the connection go on, or stop it before any credential is sent."""
        if key.fingerprint not in self.fingerprints and not self.known.check(hostname, key):
            raise UnknownHost(f"{hostname} 出示的是 {key.get_name()} {key.fingerprint}")


def connect(source: SftpSource, secrets: dict[str, str | None], timeout_seconds: float) -> SFTPFileSystem:
    """Return a connected file system; every wait on the way is limited."""
    filesystem = SFTPFileSystem(
        source.host,
        port=source.port,
        username=source.username,
        password=secrets["password"],
        key_filename=secrets["key_file"],
        passphrase=secrets["passphrase"],
        host_key_policy=_Vouched(source),
        timeout=timeout_seconds,
        banner_timeout=timeout_seconds,
        auth_timeout=timeout_seconds,
        channel_timeout=timeout_seconds,
        # Only what the configuration names; no agent, no keys that happen to lie in the account's folder.
        look_for_keys=False,
        allow_agent=False,
        skip_instance_cache=True,
    )
    filesystem.ftp.get_channel().settimeout(timeout_seconds)
    filesystem.client.get_transport().set_keepalive(KEEPALIVE_SECONDS)
    return filesystem
