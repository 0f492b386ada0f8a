"""``sources.yaml``: where each provider's workbooks are fetched from, as data. Credentials stay in the environment; the file only names them."""

import re
from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import unquote, urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)

from sources.contracts import ASCII_ID, providers
from sources.inspection.refusal import LARGEST_FILE_BYTES
from sources.settings import read_yaml

SECRETS = {
    "password": "password_env", "passwd": "password_env", "pwd": "password_env", "passphrase": "passphrase_env",
    "key": "key_file_env", "key_file": "key_file_env", "private_key": "key_file_env", "token": "password_env",
    "access_key": "access_key_env", "secret": "secret_key_env", "secret_key": "secret_key_env",
}  # fmt: skip
"""Fields that would hold a credential, and what to write instead."""

ENVIRONMENT_NAME = re.compile(r"[A-Z][A-Z0-9_]{1,99}")
FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")
WHOLE, NUMBER, MAPPING = "须是整数", "须是数", "须是映射（名称: 值）"
MESSAGES = {
    "missing": "缺少这一项",
    "extra_forbidden": "不认识的项，请核对拼写",
    "union_tag_not_found": "缺少 protocol（folder、sftp、webdav、s3、https 之一）",
    "union_tag_invalid": "protocol 须是 folder、sftp、webdav、s3、https 之一",
    "literal_error": "不是可选的值，请见说明",
    "string_type": "须是文本",
    "path_type": "须是路径",
    "int_type": WHOLE,
    "int_parsing": WHOLE,
    "int_from_float": WHOLE,
    "float_type": NUMBER,
    "float_parsing": NUMBER,
    "greater_than": "太小",
    "greater_than_equal": "太小",
    "less_than_equal": "太大",
    "too_short": "不能是空的",
    "string_too_short": "不能是空的",
    "string_too_long": "太长",
    "tuple_type": "须是列表",
    "dict_type": MAPPING,
    "model_type": MAPPING,
    "model_attributes_type": MAPPING,
}
"""What pydantic's error types mean to the person who writes the file."""


class SourcesError(ValueError):
    """``sources.yaml`` is wrong; the message names the file, the field and the reason, and never repeats what was written there."""


def _environment_name(name: str) -> str:
    if not ENVIRONMENT_NAME.fullmatch(name):
        raise ValueError("须写环境变量的名称（大写字母、数字、下划线），不是口令本身")
    return name


def _absolute(path: Path) -> Path:
    if not path.is_absolute():
        raise ValueError("须写绝对路径")
    return path


def _secure(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        raise ValueError("网址须以 https:// 开头（口令和报表不走明文）")
    if parts.username or parts.password:
        raise ValueError("网址里不写用户名和口令；用 username 和 password_env")
    if parts.query or parts.fragment:
        raise ValueError("网址里不能有 ? 或 #（其中常藏口令）")
    return url


Text = Annotated[str, Field(min_length=1, max_length=1000)]
EnvironmentName = Annotated[str, AfterValidator(_environment_name)]
AbsolutePath = Annotated[Path, AfterValidator(_absolute)]
SecureUrl = Annotated[str, AfterValidator(_secure)]


class _Source(BaseModel):
    """What every source says: whose it is, which files, when one is ready, and how long and how much at most.

    ``ready``: ``stable`` takes a file when size, time and ETag have not changed over two looks at least ``settle_seconds`` apart;
    ``ok_marker`` when ``<name>.ok`` lies beside it and is not older. ``patterns`` empty: whatever the archive takes for a hand-in.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(max_length=40)
    provider: str
    patterns: tuple[Text, ...] = ()
    ready: Literal["stable", "ok_marker"] = "stable"
    settle_seconds: float = Field(60, gt=0, le=3600)
    timeout_seconds: float = Field(20, gt=0, le=300)
    attempt_count: int = Field(4, ge=1, le=10)
    backoff_seconds: float = Field(1, gt=0, le=60)
    largest_bytes: int = Field(LARGEST_FILE_BYTES, ge=1)
    most_file_count: int = Field(500, ge=1, le=100_000)
    deepest_level: int = Field(5, ge=0, le=50)

    @model_validator(mode="before")
    @classmethod
    def _no_secret(cls, data: Any) -> Any:
        written = [key for key in data if str(key).lower() in SECRETS] if isinstance(data, dict) else []
        if written:
            instead = SECRETS[str(written[0]).lower()]
            raise ValueError(f"不在文件里写口令：删去 {written[0]}，改用 {instead} 写环境变量的名称")
        return data

    @field_validator("name")
    @classmethod
    def _ascii(cls, name: str) -> str:
        if not ASCII_ID.match(name):
            raise ValueError("须是小写英文字母、数字、下划线，如 finance_sftp")
        return name

    @field_validator("provider")
    @classmethod
    def _known(cls, provider: str) -> str:
        if provider not in providers():
            raise ValueError(f"没有这个填报单位；可写 {'、'.join(providers())}")
        return provider

    @property
    def provider_label(self) -> str:
        """The provider's Chinese name."""
        return providers()[self.provider].label


class _Login(_Source):
    username: Text | None = None
    password_env: EnvironmentName | None = None

    @model_validator(mode="after")
    def _both(self) -> "_Login":
        if self.password_env and not self.username:
            raise ValueError("写了 password_env，缺少 username")
        return self


class FolderSource(_Source):
    """A folder of this machine, a mounted share among them."""

    protocol: Literal["folder"]
    path: AbsolutePath

    @property
    def address(self) -> str:
        """Where it is, for people and for the journal; never a credential."""
        return str(self.path)


class SftpSource(_Login):
    """A folder on an SFTP server; the server must be known by ``known_hosts`` or ``fingerprints`` (``SHA256:…``)."""

    protocol: Literal["sftp"]
    host: Text
    port: int = Field(22, ge=1, le=65535)
    path: Text
    username: Text
    key_file_env: EnvironmentName | None = None
    passphrase_env: EnvironmentName | None = None
    known_hosts: AbsolutePath | None = None
    fingerprints: tuple[Text, ...] = ()

    @field_validator("path")
    @classmethod
    def _from_root(cls, path: str) -> str:
        if not path.startswith("/"):
            raise ValueError("须以 / 开头")
        return path

    @field_validator("host")
    @classmethod
    def _bare(cls, host: str) -> str:
        if re.search(r"[/@\s]", host):
            raise ValueError("只写主机名或地址，不带 sftp://、用户名和路径")
        return host

    @field_validator("fingerprints")
    @classmethod
    def _sha256(cls, fingerprints: tuple[str, ...]) -> tuple[str, ...]:
        if not all(FINGERPRINT.fullmatch(each) for each in fingerprints):
            raise ValueError("须是 ssh-keygen -lf 给出的 SHA256:… 指纹")
        return fingerprints

    @model_validator(mode="after")
    def _is_known(self) -> "SftpSource":
        if not (self.known_hosts or self.fingerprints):
            raise ValueError("须写 known_hosts 或 fingerprints：不认识的服务器不连接")
        if not (self.password_env or self.key_file_env):
            raise ValueError("须写 password_env 或 key_file_env")
        return self

    @property
    def address(self) -> str:
        """Where it is, for people and for the journal; never a credential."""
        return f"sftp://{self.host}:{self.port}{self.path}"


class WebdavSource(_Login):
    """A folder on a WebDAV server, over TLS; ``ca_file`` for a certificate that an authority of one's own has signed."""

    protocol: Literal["webdav"]
    url: SecureUrl
    path: str = ""
    ca_file: AbsolutePath | None = None

    @property
    def address(self) -> str:
        """Where it is, for people and for the journal; never a credential."""
        return f"{self.url.rstrip('/')}/{self.path.strip('/')}"


class S3Source(_Source):
    """A bucket, or a prefix in it, of an S3-compatible store, over TLS."""

    protocol: Literal["s3"]
    endpoint_url: SecureUrl | None = None
    region: Text | None = None
    bucket: Text
    path: str = ""
    access_key_env: EnvironmentName
    secret_key_env: EnvironmentName
    session_token_env: EnvironmentName | None = None
    ca_file: AbsolutePath | None = None

    @field_validator("bucket")
    @classmethod
    def _bare(cls, bucket: str) -> str:
        if "/" in bucket:
            raise ValueError("只写桶名；桶里的路径写在 path")
        return bucket

    @property
    def address(self) -> str:
        """Where it is, for people and for the journal; never a credential."""
        store = self.endpoint_url.rstrip("/") if self.endpoint_url else "s3:/"
        return f"{store}/{self.bucket}/{self.path.strip('/')}"


class HttpsSource(_Login):
    """Files at given addresses, over TLS; each address ends with the file's name."""

    protocol: Literal["https"]
    urls: tuple[SecureUrl, ...] = Field(min_length=1)
    ca_file: AbsolutePath | None = None

    @field_validator("urls")
    @classmethod
    def _named(cls, urls: tuple[str, ...]) -> tuple[str, ...]:
        names = Counter(unquote(url).rsplit("/", 1)[1] for url in urls)
        if "" in names:
            raise ValueError("每个网址须以文件名结尾")
        if max(names.values()) > 1:
            raise ValueError("有两个网址的文件名相同；请分成两个来源")
        return urls

    @model_validator(mode="after")
    def _lists_nothing(self) -> "HttpsSource":
        if self.ready == "ok_marker":
            raise ValueError("https 没有目录可看，ready 只能是 stable")
        return self

    @property
    def address(self) -> str:
        """Where it is, for people and for the journal; never a credential."""
        return self.urls[0].rsplit("/", 1)[0]


Source = FolderSource | SftpSource | WebdavSource | S3Source | HttpsSource
_Tagged = Annotated[Source, Field(discriminator="protocol")]
_SOURCES = TypeAdapter(tuple[_Tagged, ...])


def load_sources(path: Path) -> tuple[Source, ...]:
    """Return the sources of a configuration file, in its order.

    Raises:
        SourcesError: the file is not there, is no YAML, or something in it is wrong.
    """
    data = read_yaml(path, SourcesError, "照 sources/sources.example.yaml 写一份，说明见 docs/sources.md")
    if not isinstance(data, dict) or set(data) != {"sources"} or not isinstance(data["sources"], list):
        raise SourcesError(f"{path}：文件须只有一项 sources，下面是来源的列表")
    try:
        sources = _SOURCES.validate_python(data["sources"])
    except ValidationError as error:
        reasons = [_reason(e, data["sources"]) for e in error.errors(include_input=False, include_url=False)]
        raise SourcesError(f"{path}：" + "；".join(reasons)) from error
    twice = [name for name, count in Counter(s.name for s in sources).items() if count > 1]
    if twice:
        raise SourcesError(f"{path}：字段 name：两个来源都叫 {twice[0]}，请改名")
    return sources


def _reason(error: Any, written: list[Any]) -> str:
    position, *rest = error["loc"]
    entry = written[position]
    name = entry.get("name") if isinstance(entry, dict) else None
    # The second part of a tagged union's place is the tag, which is no field.
    field = ".".join(str(part) for part in rest[1:]) or "（整个来源）"
    cause = error.get("ctx", {}).get("error")
    message = str(cause) if cause else MESSAGES.get(error["type"], "填写有误")
    return f"第 {position + 1} 个来源（{name or '未命名'}）字段 {field}：{message}"
