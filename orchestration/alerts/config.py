"""``alerts.yaml``: who is told of what, and by which way, as data. Credentials stay in the environment; the file only names them."""

import re
from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from orchestration.alerts.wording import KINDS
from sources.contracts import ASCII_ID, providers
from sources.pulling.config import MESSAGES, AbsolutePath, EnvironmentName, Text
from sources.settings import read_yaml

ADDRESS = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+")
SECRETS = ("password", "passwd", "secret", "token", "access_token", "key", "url", "webhook")


class AlertsError(ValueError):
    """``alerts.yaml`` is wrong; the message names the file, the field and the reason, and never repeats what was written there."""


def _address(text: str) -> str:
    if not ADDRESS.fullmatch(text):
        raise ValueError("须是一个邮箱地址，如 kjb@example.gov.cn")
    return text


Address = Annotated[str, AfterValidator(_address)]


class _Channel(BaseModel):
    """What every channel says: its name, which kinds of alerts, and of which providers (empty: all, and what concerns none)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(max_length=40)
    events: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    timeout_seconds: float = Field(10, gt=0, le=30)

    @model_validator(mode="before")
    @classmethod
    def _no_secret(cls, data: Any) -> Any:
        written = [key for key in data if str(key).lower() in SECRETS] if isinstance(data, dict) else []
        if written:
            raise ValueError(f"不在文件里写口令、密钥、带密钥的网址：删去 {written[0]}，改用 *_env 写环境变量的名称")
        return data

    @field_validator("name")
    @classmethod
    def _ascii(cls, name: str) -> str:
        if not ASCII_ID.match(name):
            raise ValueError("须是小写英文字母、数字、下划线，如 office_mail")
        return name

    @field_validator("events")
    @classmethod
    def _known_kinds(cls, events: tuple[str, ...]) -> tuple[str, ...]:
        if set(events) - KINDS.keys():
            raise ValueError(f"可写 {'、'.join(KINDS)}")
        return events

    @field_validator("providers")
    @classmethod
    def _known_providers(cls, wanted: tuple[str, ...]) -> tuple[str, ...]:
        if set(wanted) - providers().keys():
            raise ValueError(f"没有这个填报单位；可写 {'、'.join(providers())}")
        return wanted

    def wants(self, kind: str, provider: str) -> bool:
        """Return whether an alert goes this way: a channel for some bureaus gets theirs, and that a period opens."""
        if self.events and kind not in self.events:
            return False
        return not self.providers or provider in self.providers or kind == "opened"


class MailChannel(_Channel):
    """Mail through an SMTP server; a password never goes over an open line."""

    kind: Literal["mail"]
    host: Text
    port: int = Field(587, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    ca_file: AbsolutePath | None = None
    username: Text | None = None
    password_env: EnvironmentName | None = None
    sender: Address
    recipients: tuple[Address, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _login(self) -> "MailChannel":
        if bool(self.username) != bool(self.password_env):
            raise ValueError("username 和 password_env 须同时写")
        if self.username and self.security == "none":
            raise ValueError("security: none 时不能登录：口令不走明文")
        return self


class RobotChannel(_Channel):
    """A group's robot, 钉钉 or 企业微信; its address holds a key, so the environment has it."""

    kind: Literal["dingtalk", "wecom"]
    url_env: EnvironmentName
    secret_env: EnvironmentName | None = None
    ca_file: AbsolutePath | None = None

    @model_validator(mode="after")
    def _signed(self) -> "RobotChannel":
        if self.secret_env and self.kind != "dingtalk":
            raise ValueError("只有 dingtalk 的加签用 secret_env")
        return self


Channel = MailChannel | RobotChannel


class Retry(BaseModel):
    """How long to wait after a failure: doubled each time from ``first_seconds`` to ``longest_seconds``; never given up."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    first_seconds: float = Field(default=60, gt=0)
    longest_seconds: float = Field(default=3600, gt=0)

    def wait_seconds(self, failure_count: int) -> float:
        """Return how long to wait after so many failures in a row."""
        return min(self.first_seconds * 2 ** min(failure_count - 1, 30), self.longest_seconds)


class AlertsConfig(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    channels: tuple[Annotated[Channel, Field(discriminator="kind")], ...]
    retry: Retry = Retry()

    @field_validator("channels")
    @classmethod
    def _told_apart(cls, channels: tuple[Channel, ...]) -> tuple[Channel, ...]:
        twice = [name for name, count in Counter(c.name for c in channels).items() if count > 1]
        if twice:
            raise ValueError(f"两个通道都叫 {twice[0]}，请改名")
        return channels


def load_alerts(path: Path) -> AlertsConfig:
    """Return the configuration.

    Raises:
        AlertsError: the file is not there, is no YAML, or something in it is wrong.
    """
    data = read_yaml(path, AlertsError, "照 orchestration/alerts/alerts.example.yaml 写一份，说明见 docs/alerts.md")
    try:
        return AlertsConfig.model_validate(data)
    except ValidationError as error:
        reasons = [_reason(e) for e in error.errors(include_input=False, include_url=False)]
        raise AlertsError(f"{path}：" + "；".join(reasons)) from error


def _reason(error: Any) -> str:
    place = ".".join(str(part) for part in error["loc"]) or "（整个文件）"
    if error["type"].startswith("union_tag"):
        return f"字段 {place}：kind 须是 mail、dingtalk、wecom 之一"
    cause = error.get("ctx", {}).get("error")
    return f"字段 {place}：{cause or MESSAGES.get(error['type'], '填写有误')}"
