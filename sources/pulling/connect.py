"""One connection per source: an fsspec file system with the source's credentials, limits and checks. The libraries load here, when needed."""

import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any, assert_never

from sources.pulling.config import FolderSource, HttpsSource, S3Source, SftpSource, Source, WebdavSource
from sources.pulling.failures import LeftTls, NotInEnvironment


def connect(source: Source, environ: Mapping[str, str], timeout_seconds: float) -> Any:
    """Return the fsspec file system of a source.

    Raises:
        NotInEnvironment: a credential that the source names is not in the environment.
        Exception: whatever the library says of a server that cannot be reached; see `sources.pulling.failures.kind_of`.
    """
    secrets = _secrets(source, environ)
    match source:
        case FolderSource():
            from sources.pulling.folder import FolderFiles

            return FolderFiles(timeout_seconds)
        case SftpSource():
            from sources.pulling.sftp import connect as connect_sftp

            return connect_sftp(source, secrets, timeout_seconds)
        case WebdavSource():
            from sources.pulling.webdav import connect as connect_webdav

            return connect_webdav(source, secrets, _tls(source.ca_file), timeout_seconds)
        case HttpsSource():
            import aiohttp
            from fsspec.implementations.http import HTTPFileSystem

            login = source.username and aiohttp.encode_basic_auth(source.username, secrets["password"] or "", "utf-8")
            return HTTPFileSystem(
                client_kwargs={
                    # Some servers answer HEAD with a body, which the next request on the same connection would take for its answer.
                    "headers": {"Connection": "close"} | ({"Authorization": login} if login else {}),
                    "timeout": aiohttp.ClientTimeout(
                        total=None, sock_connect=timeout_seconds, sock_read=timeout_seconds
                    ),
                    "middlewares": (_stay_on_tls,),
                },
                ssl=_tls(source.ca_file),
                skip_instance_cache=True,
            )
        case S3Source():
            from s3fs import S3FileSystem

            filesystem = S3FileSystem(
                key=secrets["access_key"],
                secret=secrets["secret_key"],
                token=secrets["session_token"],
                endpoint_url=source.endpoint_url,
                client_kwargs={"region_name": source.region, "verify": str(source.ca_file) if source.ca_file else True},
                config_kwargs={
                    "connect_timeout": timeout_seconds,
                    "read_timeout": timeout_seconds,
                    "retries": {"total_max_attempts": 1},
                },
                use_listings_cache=False,
                skip_instance_cache=True,
            )
            filesystem.retries = 1
            return filesystem
        case _:
            assert_never(source)


def close(filesystem: Any) -> None:
    """Close what a file system holds open: an SSH connection, an HTTP client, a child process; the others close by themselves."""
    client = getattr(filesystem, "client", None)
    held = getattr(client, "http", client)
    if held is not None:
        held.close()


def _secrets(source: Source, environ: Mapping[str, str]) -> dict[str, str | None]:
    """Return the credentials by what they are for: ``password``, ``key_file``, …; None where the source names none."""
    names = {f.removesuffix("_env"): getattr(source, f) for f in type(source).model_fields if f.endswith("_env")}
    unset = [name for name in names.values() if name and not environ.get(name)]
    if unset:
        raise NotInEnvironment(f"缺少环境变量 {'、'.join(unset)}")
    secrets = {purpose: environ[name] if name else None for purpose, name in names.items()}
    key_file = secrets.get("key_file")
    if key_file and not Path(key_file).is_file():
        raise NotInEnvironment(f"环境变量 {names['key_file']} 所指的密钥文件不存在")
    return secrets


def _tls(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        raise NotInEnvironment(f"ca_file {ca_file} 读不了，或不是 PEM 证书") from error


async def _stay_on_tls(request: Any, handler: Any) -> Any:
    if request.url.scheme != "https":
        raise LeftTls
    return await handler(request)
