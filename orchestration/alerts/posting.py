"""Sending one message: by mail (SMTP), or to a group's robot (钉钉, 企业微信). What goes wrong is said without address, key or password."""

import base64
import hashlib
import hmac
import smtplib
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from email.message import EmailMessage
from email.utils import formatdate
from typing import Any

from orchestration.alerts.config import Channel, MailChannel, RobotChannel
from orchestration.alerts.wording import Message

Post = Callable[[Message], str]
"""Sends one message; returns what is to be known of a success, mostly nothing."""


class PostFailed(Exception):
    """A message was not sent, or it is not known whether it was (``is_unsure``).

    ``is_of_channel``: the way is closed, for every message; otherwise only this message was refused.
    """

    def __init__(self, reason: str, *, is_of_channel: bool = True, is_unsure: bool = False) -> None:
        super().__init__(reason)
        self.is_of_channel = is_of_channel
        self.is_unsure = is_unsure


@contextmanager
def opened(channel: Channel, environ: Mapping[str, str]) -> Iterator[Post]:
    """Open a channel for a number of messages.

    Raises:
        PostFailed: it cannot be opened, or a credential is not in the environment.
    """
    with _mail(channel, environ) if isinstance(channel, MailChannel) else _robot(channel, environ) as post:
        yield post


@contextmanager
def _mail(channel: MailChannel, environ: Mapping[str, str]) -> Iterator[Post]:
    password = _credential(environ, channel.password_env) if channel.password_env else ""
    try:
        server = _connected(channel)
        if channel.username:
            server.login(channel.username, password)
    except UnicodeError as error:
        raise PostFailed("用户名或口令里有 ASCII 以外的字符，邮件登录用不了") from error
    except (OSError, smtplib.SMTPException) as error:
        raise PostFailed(f"邮件服务器连不上或登录不了（{_said(error)}）") from error

    def post(message: Message) -> str:
        try:
            refused = server.send_message(_as_mail(channel, message))
        except smtplib.SMTPRecipientsRefused as error:
            raise PostFailed("邮件服务器拒收全部收件人", is_of_channel=False) from error
        except smtplib.SMTPResponseException as error:
            is_passing = 400 <= error.smtp_code < 500
            raise PostFailed(f"邮件服务器拒收（{error.smtp_code}）", is_of_channel=is_passing) from error
        except (OSError, smtplib.SMTPException) as error:
            raise PostFailed(f"发送中断（{_said(error)}）", is_unsure=True) from error
        return f"{len(refused)} 个收件人被拒收" if refused else ""

    try:
        yield post
    finally:
        try:
            server.quit()
        except (OSError, smtplib.SMTPException):
            server.close()


def _connected(channel: MailChannel) -> smtplib.SMTP:
    trusted = ssl.create_default_context(cafile=str(channel.ca_file) if channel.ca_file else None)
    if channel.security == "tls":
        return smtplib.SMTP_SSL(channel.host, channel.port, timeout=channel.timeout_seconds, context=trusted)
    server = smtplib.SMTP(channel.host, channel.port, timeout=channel.timeout_seconds)
    if channel.security == "starttls":
        # Raises where the server does not offer it: nothing goes on in the clear.
        server.starttls(context=trusted)
    return server


def _as_mail(channel: MailChannel, message: Message) -> EmailMessage:
    mail = EmailMessage()
    mail["Subject"] = message.title
    mail["From"] = channel.sender
    mail["To"] = ", ".join(channel.recipients)
    mail["Date"] = formatdate(localtime=True)
    mail["Message-ID"] = _message_id(channel, message.alert_id)
    if message.follows:
        mail["In-Reply-To"] = mail["References"] = _message_id(channel, message.follows)
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-STI-Alert"] = message.alert_id
    mail.set_content("\n".join(message.lines) + "\n", charset="utf-8", cte="base64")
    return mail


def _message_id(channel: MailChannel, alert_id: str) -> str:
    return f"<sti-{alert_id}.{channel.name}@{channel.sender.split('@')[1]}>"


@contextmanager
def _robot(channel: RobotChannel, environ: Mapping[str, str]) -> Iterator[Post]:
    import requests

    url = _credential(environ, channel.url_env)
    secret = _credential(environ, channel.secret_env) if channel.secret_env else ""
    if not url.startswith(("https://", "http://127.0.0.1:", "http://localhost:")):
        raise PostFailed(f"环境变量 {channel.url_env} 须是 https:// 开头的网址")

    with requests.Session() as session:
        session.verify = str(channel.ca_file) if channel.ca_file else True

        def post(message: Message) -> str:
            query = _signature(secret, round(time.time() * 1000)) if secret else {}
            body: Any = {"msgtype": "text", "text": {"content": message.text}}
            try:
                answer = session.post(
                    url, params=query, json=body, timeout=channel.timeout_seconds, allow_redirects=False
                )
            except requests.ConnectTimeout as error:
                raise PostFailed("机器人连不上（超时）") from error
            except requests.Timeout as error:
                raise PostFailed("机器人没有答复（超时）", is_unsure=True) from error
            except (requests.RequestException, ValueError) as error:
                # Not the error's own words: they hold the address, and so the key.
                raise PostFailed(f"机器人连不上（{type(error).__name__}）", is_unsure=_may_have_left(error)) from error
            _check(answer.status_code, answer.content)
            return ""

        yield post


def _may_have_left(error: Exception) -> bool:
    """Return whether a request may have reached the server before it failed; not where no connection ever stood."""
    from requests.exceptions import SSLError
    from urllib3.exceptions import NewConnectionError

    cause = getattr(error.args[0], "reason", None) if error.args else None
    return not isinstance(error, SSLError) and not isinstance(cause, NewConnectionError)


def _check(status_code: int, content: bytes) -> None:
    import json

    if status_code != 200:
        raise PostFailed(f"机器人答复 HTTP {status_code}", is_unsure=status_code >= 500)
    try:
        answer: Any = json.loads(content)
        code = answer["errcode"]
    except (ValueError, KeyError, TypeError) as error:
        raise PostFailed("机器人的答复不是约定的样子，请核对网址", is_unsure=True) from error
    if code != 0:
        hint = {
            310000: "：请核对关键词、加签密钥、IP 白名单",
            45009: "：发得太快",
            130101: "：发得太快",
            93000: "：请核对网址里的 key",
        }
        raise PostFailed(f"机器人没有收（errcode {code if isinstance(code, int) else '?'}{hint.get(code, '')}）")


def _signature(secret: str, timestamp_ms: int) -> dict[str, str]:
    """Return 钉钉's signature (加签): HMAC-SHA256 of timestamp, line feed and secret by the secret, in Base64."""
    digest = hmac.new(secret.encode(), f"{timestamp_ms}\n{secret}".encode(), hashlib.sha256).digest()
    return {"timestamp": str(timestamp_ms), "sign": base64.b64encode(digest).decode()}


def _credential(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name, "")
    if not value:
        raise PostFailed(f"环境变量 {name} 没有设置")
    return value


def _said(error: Exception) -> str:
    """Return what kind of error it was; a server's words may repeat what was sent."""
    code = getattr(error, "smtp_code", None)
    return f"{type(error).__name__} {code}" if code else type(error).__name__
