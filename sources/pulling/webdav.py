"""WebDAV through fsspec and webdav4, over TLS only."""

import ssl
from typing import Any

from webdav4.client import Client
from webdav4.fsspec import WebdavFileSystem

from sources.pulling.config import WebdavSource
from sources.pulling.failures import LeftTls


class _Client(Client):
    def join_url(self, path: str, add_trailing_slash: bool = False) -> Any:
        """Join a path as it was listed; webdav4 takes ``%``, ``#`` and ``?`` in a name for parts of a URL."""
        quoted = path.replace("%", "%25").replace("#", "%23").replace("?", "%3F")
        return super().join_url(quoted, add_trailing_slash)


class _OnePass:
    """Lets no request leave TLS, and none ask twice for the same bytes: webdav4 would ask a stalled server again without end."""

    def __init__(self) -> None:
        self.last_range = ""

    def __call__(self, request: Any) -> None:
        if request.url.scheme != "https":
            raise LeftTls
        asked = f"{request.url} {request.headers['range']}" if "range" in request.headers else ""
        if asked and asked == self.last_range:
            raise TimeoutError("the server stalls at the same byte")
        self.last_range = asked


def connect(
    source: WebdavSource, secrets: dict[str, str | None], tls: ssl.SSLContext, timeout_seconds: float
) -> WebdavFileSystem:
    """Return the file system of a source; nothing is asked of the server yet."""
    client = _Client(
        source.url,
        auth=(source.username, secrets["password"] or "") if source.username else None,
        # Own attempts only: the client's would multiply ours.
        retry=False,
        verify=tls,
        timeout=timeout_seconds,
        trust_env=False,
        event_hooks={"request": [_OnePass()]},
    )
    return WebdavFileSystem(source.url, client=client)
