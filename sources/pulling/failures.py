"""What can go wrong with a source: which failures pass by themselves and are tried again, and what each means in Chinese."""

import errno
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from typing import Literal, TypeVar

from sources.pulling.config import Source

Kind = Literal[
    "transient",
    "denied",
    "missing",
    "certificate",
    "unknown_host",
    "environment",
    "unsafe",
    "encoding",
    "hung",
    "other",
]
Result = TypeVar("Result")

LONGEST_WAIT_SECONDS = 30
TRANSIENT_ERRNO = {
    errno.EAGAIN, errno.EBUSY, errno.ECONNABORTED, errno.ECONNREFUSED, errno.ECONNRESET, errno.EHOSTUNREACH,
    errno.ENETUNREACH, errno.EPIPE, errno.ETIMEDOUT,
}  # fmt: skip
TRANSIENT_STATUS = {408, 425, 429}
TRANSIENT_CLASSES = {
    "httpx.TransportError", "webdav4.BadGatewayError", "aiohttp.ClientConnectionError", "aiohttp.ClientPayloadError",
    "botocore.HTTPClientError", "botocore.ConnectionError", "paramiko.SSHException", "paramiko.NoValidConnectionsError",
}  # fmt: skip
"""Failures of the way, by package and class: named, so that telling them apart imports none of the five libraries."""

DENIED_CLASSES = {"paramiko.AuthenticationException", "botocore.NoCredentialsError"}
MISSING_CLASSES = {"webdav4.ResourceNotFound"}
CERTIFICATE_CLASSES = {"aiohttp.ClientConnectorCertificateError"}
ACTIONS: dict[Kind, str] = {
    "transient": "连不上，或中途断开。已取到的部分留着，下次接着取；请核对网络和对方服务器",
    "denied": "登录或读取被拒绝。请核对环境变量里的口令或密钥，以及该账号的读权限",
    "missing": "没有这个路径或文件。请核对 path（或 urls）",
    "certificate": "服务器证书校验不通过。由内部机构签发的，用 ca_file 写明其根证书；校验不能关闭",
    "unknown_host": "服务器的主机密钥不在 known_hosts、也不在 fingerprints 里，没有连接。请向对方管理员核对指纹后写入",
    "environment": "本机设置有误，请改正后重试",
    "unsafe": "被引向明文地址，没有跟去。请核对网址",
    "encoding": "文件夹里有文件名不是 UTF-8（多为 GBK），整个文件夹列不出来。请对方改名，或把服务器的文件名编码设为 UTF-8",
    "hung": "文件夹在 timeout_seconds 内没有回应，不再等（多为网络共享断了）。请核对挂载和对方服务器，恢复后下次再取",
    "other": "出错。详情在日志里，请把它发给数据组",
}


class UnknownHost(Exception):
    """An SFTP server showed a host key that nobody vouched for."""


class NotInEnvironment(Exception):
    """Something on this side is missing or wrong: an environment variable, a file that the configuration names."""


class LeftTls(Exception):
    """A server redirected to an address without TLS."""


class NoAnswer(TimeoutError):
    """A folder, most likely a share whose server is gone, gives no answer. Not tried again at once: each try may leave a process behind."""


class OutOfTime(Exception):
    """The time that this pull was given is over; what was fetched so far stays."""


def kind_of(error: BaseException) -> Kind:
    """Return what kind of failure this is; looks at its causes too, since the libraries wrap one another's errors."""
    chain = list(_chain(error))
    for kind, named in (
        ("unknown_host", UnknownHost),
        ("environment", NotInEnvironment),
        ("unsafe", LeftTls),
        ("hung", NoAnswer),
    ):
        if any(isinstance(each, named) for each in chain):
            return kind  # type: ignore[return-value]
    if any(isinstance(each, UnicodeDecodeError) for each in chain):
        return "encoding"
    classes = {name for each in chain for name in _class_names(each)}
    status = next((s for s in map(_status, chain) if s), 0)
    if classes & CERTIFICATE_CLASSES or any(isinstance(each, ssl.SSLCertVerificationError) for each in chain):
        return "certificate"
    if status in (401, 403) or classes & DENIED_CLASSES or any(isinstance(each, PermissionError) for each in chain):
        return "denied"
    if status in (404, 410):
        return "missing"
    if status >= 500 or status in TRANSIENT_STATUS or classes & TRANSIENT_CLASSES or any(map(_is_broken_way, chain)):
        return "transient"
    # The first cause: fsspec says "not found" of an address for whatever reason it could not look at it.
    if classes & MISSING_CLASSES or isinstance(chain[-1], FileNotFoundError | NotADirectoryError):
        return "missing"
    return "other"


def explain(error: BaseException, *, attempt_count: int = 1) -> str:
    """Return the failure as one plain Chinese line: what it is, and what to do next."""
    kind = kind_of(error)
    tried = f"（试了 {attempt_count} 次）" if attempt_count > 1 else ""
    own = f"：{error}" if isinstance(error, UnknownHost | NotInEnvironment) else ""
    return f"{ACTIONS[kind]}{tried}{own}"


def persist(
    source: Source, work: Callable[[], Result], *, before_again: Callable[[], None], deadline: float
) -> tuple[Result, int]:
    """Do ``work``, again after a growing, jittered wait for as long as its failures are transient; return the result and the attempts.

    Args:
        source: gives the number of attempts and the first wait.
        work: idempotent.
        before_again: run before each further attempt, to drop a broken connection.
        deadline: of ``time.monotonic()``, after which nothing is tried again.
    """
    from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_exponential_jitter

    def is_late(state: RetryCallState) -> bool:
        return time.monotonic() + state.upcoming_sleep >= deadline

    retrying = Retrying(
        retry=retry_if_exception(lambda error: kind_of(error) == "transient"),
        wait=wait_exponential_jitter(
            multiplier=source.backoff_seconds, max=LONGEST_WAIT_SECONDS, jitter=source.backoff_seconds
        ),
        stop=lambda state: stop_after_attempt(source.attempt_count)(state) or is_late(state),
        before_sleep=lambda state: before_again(),
        reraise=True,
    )
    try:
        result = retrying(work)
    except Exception as error:
        error.attempt_count = retrying.statistics["attempt_number"]  # type: ignore[attr-defined]
        raise
    return result, retrying.statistics["attempt_number"]


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or current.__context__


def _class_names(error: BaseException) -> set[str]:
    return {f"{each.__module__.split('.')[0]}.{each.__name__}" for each in type(error).__mro__}


def _status(error: BaseException) -> int:
    """Return the HTTP status in an error of webdav4, httpx, aiohttp or botocore; 0 where there is none."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    else:
        status = getattr(error, "status", None) or getattr(response, "status_code", None)
    return status if isinstance(status, int) else 0


def _is_broken_way(error: BaseException) -> bool:
    if isinstance(error, socket.gaierror):
        return error.errno == socket.EAI_AGAIN
    # A TLS session that ended in the middle; bad certificates have been told apart before.
    if isinstance(error, ConnectionError | TimeoutError | EOFError | ssl.SSLError):
        return True
    # paramiko says "Socket is closed" without a number.
    return isinstance(error, OSError) and (error.errno in TRANSIENT_ERRNO or "Socket is closed" in str(error))
