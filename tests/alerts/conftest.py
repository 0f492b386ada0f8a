"""The servers, once per session and reset per test; a home with ``alerts.yaml``."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from orchestration.alerts import journal, rounds
from orchestration.alerts.config import AlertsConfig, load_alerts
from orchestration.alerts.events import LastRun
from sources.calendar import Calendar, calendar
from tests.alerts.servers import ACCOUNT, PASSWORD, Post, Robot, robot_server, smtp_server
from warehouse.paths import Home

FROM_2026H1: Calendar = calendar().model_copy(update={"first_owed": {"half_year": "2026H1", "year": "2026"}})


@pytest.fixture(scope="session")
def smtp_of_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Post]:
    with smtp_server(tmp_path_factory.mktemp("smtp")) as server:
        yield server


@pytest.fixture
def smtp(smtp_of_session: Post) -> Post:
    smtp_of_session.taken.clear()
    smtp_of_session.was_encrypted.clear()
    smtp_of_session.refuse_recipient = smtp_of_session.refuse_text = ""
    return smtp_of_session


@pytest.fixture
def robot() -> Iterator[Robot]:
    with robot_server() as server:
        yield server


def on(day: str, clock: str = "09:00") -> datetime:
    return datetime.fromisoformat(f"{day}T{clock}+08:00")


@dataclass
class Desk:
    """A home whose alerts a test works with, round by round."""

    home: Home
    environ: dict[str, str] = field(default_factory=dict)
    runs: dict[str, LastRun] = field(default_factory=dict)
    rules: Calendar = FROM_2026H1

    def mail(self, smtp: Post, **changes: Any) -> dict[str, Any]:
        self.environ["STI_TEST_SMTP"] = PASSWORD
        login = {"username": ACCOUNT, "password_env": "STI_TEST_SMTP", "ca_file": str(smtp.ca_file)}
        place = {"name": "office_mail", "kind": "mail", "host": "127.0.0.1", "port": smtp.port, "timeout_seconds": 5}
        return {**place, **login, "sender": "sti@kjb.example", "recipients": ["office@kjb.example"], **changes}

    def group(self, robot: Robot, kind: str = "wecom", **changes: Any) -> dict[str, Any]:
        self.environ["STI_TEST_ROBOT"] = robot.url
        return {"name": "group", "kind": kind, "url_env": "STI_TEST_ROBOT", "timeout_seconds": 5, **changes}

    def write(self, *channels: dict[str, Any], **other: Any) -> AlertsConfig:
        self.home.root.mkdir(parents=True, exist_ok=True)
        self.home.alerts_file.write_text(yaml.safe_dump({"channels": list(channels), **other}), encoding="utf-8")
        return load_alerts(self.home.alerts_file)

    def observe(self, config: AlertsConfig, now: datetime) -> list[tuple[str, str, str]]:
        """One look; return what was written as (event, key without the period's name, stage)."""
        written = rounds.observe(self.home, config, self.runs, now, self.rules)
        return [(w["event"], w["key"], w["stage"]) for w in written if not w["is_silent"]]

    def deliver(self, config: AlertsConfig, now: datetime) -> rounds.Round:
        return rounds.deliver(self.home, config, self.environ, rounds.Round(), clock=lambda: now)

    def outbox(self, config: AlertsConfig) -> list[journal.Delivery]:
        return journal.outbox(journal.account(self.home), config.channels, config.retry)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(Home(tmp_path / "home"))
