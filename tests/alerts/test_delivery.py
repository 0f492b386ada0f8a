"""How alerts arrive: mail and robots, on real servers; retried, never lost, never doubled without saying so."""

import base64
import hashlib
import hmac
import json
import os
import signal
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from orchestration.alerts import journal, rounds
from orchestration.alerts.config import AlertsError, load_alerts
from orchestration.alerts.sensor import submission_alerts
from orchestration.definitions import defs
from orchestration.options import RunOptions
from sources.calendar import calendar
from tests.alerts.conftest import Desk, on
from tests.alerts.servers import PASSWORD, Post, Robot, smtp_server
from tests.conftest import run_sti
from warehouse.paths import Home

ROOT = Path(__file__).parents[2]
DAY = "2026-07-01"


def opened(desk: Desk, *channels: dict, **other: object):
    """Let a period open, so that there is one alert; return the configuration."""
    config = desk.write(*channels, **other)
    desk.observe(config, on("2026-06-15"))
    desk.observe(config, on(DAY))
    return config


def test_mail_goes_over_tls_after_a_login_and_bears_a_number_that_never_changes(desk: Desk, smtp: Post) -> None:
    config = opened(desk, desk.mail(smtp))
    assert desk.deliver(config, on(DAY)).sent_count == 1
    (mail,) = smtp.taken
    assert smtp.was_encrypted == [True]
    assert str(mail["Subject"]) == "【开报】2026年上半年开报，期限 2026-07-31（暂定）（科技创新投入）"
    (delivery,) = desk.outbox(config)
    assert mail["Message-ID"] == f"<sti-{delivery.entry['alert_id']}.office_mail@kjb.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert f"编号 {delivery.entry['alert_id']}" in mail.get_content()
    assert desk.deliver(config, on("2026-09-01")).sent_count == 0
    assert PASSWORD not in desk.home.alerts_journal.read_text(encoding="utf-8")


def test_the_end_answers_the_mail_that_it_ends(desk: Desk, smtp: Post) -> None:
    config = desk.write(desk.mail(smtp, events=["overdue"], providers=["finance_bureau"]))
    for day in ("2026-07-31", "2026-08-01", "2026-08-05"):
        desk.observe(config, on(day))
        desk.deliver(config, on(day))
    desk.rules = desk.rules.model_copy(update={"first_owed": {"half_year": "2026H2", "year": "2026"}})
    desk.observe(config, on("2026-08-06"))
    desk.deliver(config, on("2026-08-06"))
    first, second, last = smtp.taken
    assert [str(m["Subject"])[:8] for m in smtp.taken] == ["【逾期】市财政局", "【逾期】市财政局", "【解除·逾期】市"]
    assert first["Message-ID"] == second["In-Reply-To"] == last["In-Reply-To"]
    assert len({m["Message-ID"] for m in smtp.taken}) == 3


def test_a_server_without_starttls_is_sent_nothing(desk: Desk, tmp_path: Path) -> None:
    with smtp_server(tmp_path, is_open=True) as server:
        config = opened(desk, desk.mail(server, username=None, password_env=None, ca_file=None))
        result = desk.deliver(config, on(DAY))
        assert (result.sent_count, result.waiting_count, server.taken) == (0, 1, [])
        plain = desk.write(desk.mail(server, username=None, password_env=None, ca_file=None, security="none"))
        assert desk.deliver(plain, on("2026-07-02")).sent_count == 1


def test_a_certificate_that_nobody_vouches_for_is_sent_no_password(desk: Desk, smtp: Post) -> None:
    config = opened(desk, desk.mail(smtp, ca_file=None))
    result = desk.deliver(config, on(DAY))
    assert (result.sent_count, smtp.taken) == (0, [])
    assert "SSLCertVerificationError" in result.failures[0]


def test_dingtalk_gets_its_format_and_a_signature_that_its_own_formula_confirms(desk: Desk, robot: Robot) -> None:
    desk.environ["STI_TEST_SECRET"] = secret = "SEC000111222"
    config = opened(desk, desk.group(robot, "dingtalk", secret_env="STI_TEST_SECRET"))
    assert desk.deliver(config, on(DAY)).sent_count == 1
    (body,), (query,) = robot.taken, robot.queries
    assert (body["msgtype"], set(body)) == ("text", {"msgtype", "text"})
    assert "科技创新投入" in body["text"]["content"]
    signed = f"{query['timestamp']}\n{secret}".encode()
    assert query["sign"] == base64.b64encode(hmac.new(secret.encode(), signed, hashlib.sha256).digest()).decode()
    assert query["access_token"] == "0123456789abcdef"
    assert abs(int(query["timestamp"]) / 1000 - datetime.now().timestamp()) < 3600


def test_wecom_gets_its_format_within_its_size(desk: Desk, robot: Robot) -> None:
    config = opened(desk, desk.group(robot, "wecom"))
    assert desk.deliver(config, on(DAY)).sent_count == 1
    assert robot.taken[0]["msgtype"] == "text"
    assert all(len(text.encode()) <= 2048 for text in robot.texts)
    assert set(robot.queries[0]) == {"access_token"}


def test_a_server_that_is_down_gets_everything_later_in_order_and_is_not_asked_all_the_time(
    desk: Desk, smtp: Post, robot: Robot
) -> None:
    config = desk.write(desk.group(robot), desk.mail(smtp, port=1), retry={"first_seconds": 60, "longest_seconds": 240})
    for day in ("2026-06-15", "2026-07-01", "2026-07-17"):
        desk.observe(config, on(day))
    asked = 0
    start = on("2026-07-17")
    for minute in range(30):
        asked += len(desk.deliver(config, start + timedelta(minutes=minute)).failures)
    # After 0, 1, 3, 7, 11, ... minutes, one attempt for the six that wait.
    assert asked == 9
    assert len(robot.taken) == 6
    repaired = desk.write(desk.group(robot), desk.mail(smtp), retry={"first_seconds": 60, "longest_seconds": 240})
    assert desk.deliver(repaired, start + timedelta(hours=1)).sent_count == 6
    assert [str(m["Subject"])[1:3] for m in smtp.taken] == ["开报", *["催报"] * 5]
    # The server was never reached, so that nothing may have come twice.
    assert "可能已发过" not in "".join(m.get_content() for m in smtp.taken)
    assert len(robot.taken) == 6


def test_one_message_that_is_refused_keeps_no_other_waiting(desk: Desk, smtp: Post) -> None:
    config = desk.write(desk.mail(smtp))
    for day in ("2026-06-15", "2026-07-01", "2026-07-17"):
        desk.observe(config, on(day))
    smtp.refuse_text = "市教育局"
    result = desk.deliver(config, on("2026-07-17"))
    assert (result.sent_count, result.waiting_count) == (5, 1)
    smtp.refuse_text = ""
    assert desk.deliver(config, on("2026-07-17")).sent_count == 0
    assert desk.deliver(config, on("2026-07-17", "09:02")).sent_count == 1


def test_a_recipient_who_is_refused_keeps_no_other_recipient_waiting_and_is_named_by_number(
    desk: Desk, smtp: Post
) -> None:
    smtp.refuse_recipient = "gone@kjb.example"
    config = opened(desk, desk.mail(smtp, recipients=["office@kjb.example", "gone@kjb.example"]))
    assert desk.deliver(config, on(DAY)).sent_count == 1
    assert desk.outbox(config)[0].reason == "1 个收件人被拒收"


@pytest.mark.parametrize(
    ("status", "answer", "said"),
    [
        (200, b'{"errcode":310000,"errmsg":"sign not match, token=abc"}', "errcode 310000"),
        (200, b"<html>", "约定的样子"),
        (503, b"", "HTTP 503"),
        (302, b"", "HTTP 302"),
    ],
)
def test_a_robot_that_does_not_take_it_is_asked_again_and_its_key_is_never_written_down(
    desk: Desk, robot: Robot, status: int, answer: bytes, said: str
) -> None:
    config = opened(desk, desk.group(robot))
    robot.status, robot.answer = status, answer
    assert said in desk.deliver(config, on(DAY)).failures[0]
    robot.status, robot.answer = 200, b'{"errcode":0}'
    assert desk.deliver(config, on(DAY, "09:02")).sent_count == 1
    written = desk.home.alerts_journal.read_text(encoding="utf-8")
    assert "0123456789abcdef" not in written and "token=abc" not in written


def test_a_credential_that_is_not_set_is_named_and_nothing_is_lost(desk: Desk, smtp: Post) -> None:
    config = opened(desk, desk.mail(smtp))
    desk.environ.clear()
    assert desk.deliver(config, on(DAY)).failures == ["office_mail：环境变量 STI_TEST_SMTP 没有设置"]
    desk.environ["STI_TEST_SMTP"] = "口令"
    assert "ASCII" in desk.deliver(config, on(DAY, "09:01")).failures[0]
    desk.environ["STI_TEST_SMTP"] = PASSWORD
    assert desk.deliver(config, on(DAY, "09:05")).sent_count == 1


def test_a_channel_that_is_added_later_gets_what_comes_after_it(desk: Desk, smtp: Post, robot: Robot) -> None:
    opened(desk, desk.mail(smtp))
    both = desk.write(desk.mail(smtp), desk.group(robot))
    desk.observe(both, on("2026-07-17"))
    desk.deliver(both, on("2026-07-17"))
    assert (len(smtp.taken), len(robot.taken)) == (6, 5)


def test_a_bureaus_channel_gets_its_own_and_that_the_period_opens(desk: Desk, robot: Robot) -> None:
    config = desk.write(desk.group(robot, providers=["health_commission"]))
    for day in ("2026-06-15", "2026-07-01", "2026-07-17"):
        desk.observe(config, on(day))
    desk.deliver(config, on("2026-07-17"))
    assert [text[:8] for text in robot.texts] == ["【开报】2026", "【催报】市卫生健"]


def send_in_child(home: Path, environ: dict[str, str]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "orchestration", "--home", str(home), "alerts", "--send", "--json"]
    return subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **environ}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def test_killed_between_sending_and_recording_it_sends_once_more_and_says_so(desk: Desk, robot: Robot) -> None:
    desk.rules = calendar()
    opened(desk, desk.group(robot, events=["opened"]))
    child = send_in_child(desk.home.root, desk.environ)
    robot.before_answer = lambda: os.kill(child.pid, signal.SIGKILL)
    assert child.wait(60) == -signal.SIGKILL
    robot.before_answer = lambda: None
    config = load_alerts(desk.home.alerts_file)
    sent_count = desk.deliver(config, datetime.now().astimezone() + timedelta(hours=2)).sent_count
    first, second, *others = robot.texts
    assert sent_count == 1 + len(others)
    number = desk.outbox(config)[0].entry["alert_id"]
    assert f"编号 {number}" in first and f"编号 {number}（可能已发过一次" in second
    assert desk.deliver(config, datetime.now().astimezone() + timedelta(hours=9)).sent_count == 0


def test_two_processes_at_once_send_each_alert_once(desk: Desk, robot: Robot) -> None:
    desk.write(desk.group(robot))
    children = [send_in_child(desk.home.root, desk.environ) for _ in range(2)]
    codes = sorted(child.wait(120) for child in children)
    assert codes in ([0, 0], [0, 1])
    again = send_in_child(desk.home.root, desk.environ)
    assert again.wait(60) == 0
    assert len(robot.texts) == len(set(robot.texts)) == len(desk.outbox(load_alerts(desk.home.alerts_file))) > 10


def test_while_another_sends_nobody_waits(desk: Desk, robot: Robot) -> None:
    config = opened(desk, desk.group(robot))
    with journal.sending(desk.home), pytest.raises(journal.SenderBusy):
        rounds.deliver(desk.home, config, desk.environ, rounds.Round())


def test_the_sensor_is_off_until_it_is_turned_on_and_starts_no_run(
    desk: Desk, robot: Robot, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert defs.resolve_sensor_def("submission_alerts").default_status == dg.DefaultSensorStatus.STOPPED
    desk.write(desk.group(robot))
    monkeypatch.setenv("STI_TEST_ROBOT", robot.url)
    with dg.DagsterInstance.ephemeral() as instance:
        options = RunOptions(home=str(desk.home.root))
        with dg.build_sensor_context(instance, resources={"options": options}) as context:
            said = submission_alerts(context)
            assert isinstance(said, dg.SkipReason) and "已发" in str(said.skip_message)
            sent = len(robot.taken)
            assert sent > 10
            submission_alerts(context)
    assert len(robot.taken) == sent


def test_without_a_file_the_sensor_and_the_command_say_what_to_write(tmp_path: Path) -> None:
    result = run_sti("--home", tmp_path, "alerts")
    assert result.exit_code == 1 and "alerts.example.yaml" in result.stderr
    options = RunOptions(home=str(tmp_path))
    with (
        dg.DagsterInstance.ephemeral() as instance,
        dg.build_sensor_context(instance, resources={"options": options}) as context,
    ):
        assert "alerts.example.yaml" in str(submission_alerts(context).skip_message)


def test_the_command_shows_outbox_and_history_without_sending(
    desk: Desk, robot: Robot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STI_TEST_ROBOT", robot.url)
    opened(desk, desk.group(robot, events=["opened"]))
    waiting = json.loads(run_sti("--home", desk.home.root, "alerts", "--json").stdout)
    assert [(w["kind"], w["is_sent"]) for w in waiting] == [("opened", False)]
    assert robot.taken == []
    assert run_sti("--home", desk.home.root, "alerts", "--test", "group").exit_code == 0
    assert robot.texts == ["【测试】科技创新投入提醒\n这是一条测试，不用处理。"]
    assert run_sti("--home", desk.home.root, "alerts", "--test", "nobody").exit_code == 1


SECRET = "hunter2-secret"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"password": SECRET}, "password"),
        ({"password_env": SECRET}, "环境变量的名称"),
        ({"security": "none"}, "明文"),
        ({"username": None}, "同时写"),
        ({"recipients": []}, "recipients"),
        ({"sender": f"x\r\nBcc: {SECRET}@y"}, "邮箱地址"),
        ({"events": [SECRET]}, "opened"),
        ({"providers": ["tax_bureau"]}, "finance_bureau"),
        ({"surprise": SECRET}, "不认识的项"),
        ({"kind": "pigeon"}, "kind"),
    ],
)
def test_a_wrong_file_says_what_and_where_and_repeats_no_secret(
    desk: Desk, smtp: Post, change: dict, said: str
) -> None:
    with pytest.raises(AlertsError) as error:
        desk.write(desk.mail(smtp) | change)
    assert said in str(error.value) and SECRET not in str(error.value)


def test_the_example_file_is_right() -> None:
    config = load_alerts(ROOT / "orchestration" / "alerts" / "alerts.example.yaml")
    assert {channel.kind for channel in config.channels} == {"mail", "dingtalk", "wecom"}


def test_an_alert_that_cannot_be_sent_holds_up_no_run(home_copy: Path) -> None:
    (home_copy / "alerts.yaml").write_text("channels: [this is no channel]", encoding="utf-8")
    assert run_sti("--home", home_copy, "alerts", "--send").exit_code == 1
    assert run_sti("--home", home_copy, "status", "2026H1").exit_code == 0
    assert Home(home_copy).published.exists()
