"""Real servers on loopback for the tests of alerts: an SMTP server with STARTTLS and login, and an HTTP sink that answers as a robot does."""

import contextlib
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from tests.pulling.servers import LOOPBACK, certificate_of, free_port

ACCOUNT, PASSWORD = "sti", "only-in-tests-9c1d"


@dataclass
class Post:
    """An SMTP server: what it took, and how it answers next."""

    port: int = 0
    ca_file: Path = Path()
    taken: list[EmailMessage] = field(default_factory=list)
    was_encrypted: list[bool] = field(default_factory=list)
    refuse_recipient: str = ""
    refuse_text: str = ""

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if address == self.refuse_recipient:
            return "550 no such person"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        mail = message_from_bytes(envelope.content, policy=default)
        if self.refuse_text and self.refuse_text in str(mail["Subject"]):
            return "554 refused"
        self.taken.append(mail)
        self.was_encrypted.append(session.ssl is not None)
        return "250 OK"


def authenticator(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    known = isinstance(data, LoginPassword) and (data.login, data.password) == (ACCOUNT.encode(), PASSWORD.encode())
    return AuthResult(success=known)


@contextlib.contextmanager
def smtp_server(folder: Path, *, is_open: bool = False) -> Iterator[Post]:
    """An SMTP server that asks for STARTTLS and a login; ``is_open``: one that offers neither."""
    post = Post()
    options: dict[str, Any] = {}
    if not is_open:
        post.ca_file, key = certificate_of(folder)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(post.ca_file, key)
        options = {
            "tls_context": context, "require_starttls": True, "auth_required": True, "authenticator": authenticator,
        }  # fmt: skip
    controller = Controller(post, hostname=LOOPBACK, port=free_port(), **options)
    controller.start()
    post.port = controller.port
    try:
        yield post
    finally:
        controller.stop()


@dataclass
class Robot:
    """A group's robot: what it took, and how it answers."""

    url: str = ""
    taken: list[dict[str, Any]] = field(default_factory=list)
    queries: list[dict[str, str]] = field(default_factory=list)
    status: int = 200
    answer: bytes = b'{"errcode":0,"errmsg":"ok"}'
    before_answer: Callable[[], None] = lambda: None

    @property
    def texts(self) -> list[str]:
        return [each["text"]["content"] for each in self.taken]


@contextlib.contextmanager
def robot_server() -> Iterator[Robot]:
    robot = Robot()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            robot.queries.append({k: v[0] for k, v in parse_qs(urlsplit(self.path).query).items()})
            robot.taken.append(json.loads(body))
            robot.before_answer()
            with contextlib.suppress(OSError):
                self.send_response(robot.status)
                self.send_header("Content-Length", str(len(robot.answer)))
                self.end_headers()
                self.wfile.write(robot.answer)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    robot.url = f"http://{LOOPBACK}:{server.server_port}/robot/send?access_token=0123456789abcdef"
    try:
        yield robot
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
