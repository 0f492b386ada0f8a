"""A run that is killed with its process: found at the next look, closed in Dagster's store, told once, and over with the next run."""

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg

from orchestration import running
from orchestration.alerts.rounds import last_runs
from orchestration.run import prepare
from tests.alerts.conftest import Desk
from tests.alerts.test_events import NOBODY
from tests.conftest import SAMPLES, run_sti
from warehouse.paths import Home

PERIOD = "2026H1"
NOW = datetime(2026, 7, 2, 1, tzinfo=UTC)


def killed(home: Home) -> int:
    """Start a run as a user does, and kill its process as soon as its first step has ended; return the process's number."""
    arguments = ["--home", str(home.root), "run", PERIOD, "--inbox", str(SAMPLES / PERIOD)]
    process = subprocess.Popen(
        [sys.executable, "-m", "orchestration", *arguments], stderr=subprocess.PIPE, text=True, env=os.environ
    )
    assert process.stderr is not None
    assert any("收件存档" in line for line in process.stderr)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    return process.pid


def status_of(home: Home, run_id: str) -> dg.DagsterRunStatus:
    prepare(home)
    with dg.DagsterInstance.get() as instance:
        run = instance.get_run_by_id(run_id)
    assert run is not None
    return run.status


def test_a_run_killed_with_its_process_is_told_once_closed_in_dagster_and_over_with_the_next(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    desk = Desk(home)
    config = desk.write(NOBODY)
    desk.observe(config, NOW)
    pid = killed(home)
    (mark,) = home.running.glob("*.json")
    assert status_of(home, mark.stem) == dg.DagsterRunStatus.STARTED

    looked = run_sti("--home", home.root, "status")
    assert looked.exit_code == 0
    assert f"{PERIOD} 的运行 {mark.stem[:8]} 中断：进程 {pid} 已不在" in looked.stderr
    assert status_of(home, mark.stem) == dg.DagsterRunStatus.FAILURE
    examined = run_sti("--home", home.root, "doctor").stdout
    assert f"sti run {PERIOD}" in examined
    assert mark.stem[:8] in examined

    desk.runs = last_runs(home)
    told = [("raised", f"run_interrupted:{PERIOD}", mark.stem)]
    assert [line for line in desk.observe(config, NOW) if line[1].startswith("run_")] == told
    assert running.settle(home) == running.interrupted(home)
    assert desk.observe(config, NOW) == []

    again = run_sti("--home", home.root, "run", PERIOD)
    assert again.exit_code == 2
    assert "中断" in again.stderr
    assert list(home.running.iterdir()) == []
    desk.runs = last_runs(home)
    after = [line[:2] for line in desk.observe(config, NOW) if line[1].startswith("run_")]
    assert after == [("resolved", f"run_interrupted:{PERIOD}"), ("raised", f"run_blocked:{PERIOD}")]
    assert "中断" not in run_sti("--home", home.root, "status").stderr


def test_a_run_whose_process_is_there_is_let_alone_and_one_that_ended_by_itself_leaves_nothing(tmp_path: Path) -> None:
    home = Home(tmp_path)
    running.begin(home, "aaaa-1", PERIOD)
    assert running.settle(home) == []
    assert len(list(home.running.iterdir())) == 1

    @dg.job
    def empty() -> None:
        pass

    prepare(home)
    with dg.DagsterInstance.get() as instance:
        ended = empty.execute_in_process(instance=instance).run_id
        child = [sys.executable, "-c", f"""
from orchestration import running
from warehouse.paths import Home
from pathlib import Path
for run_id in ("{ended}", "never-started"):
    running.begin(Home(Path({str(home.root)!r})), run_id, "{PERIOD}")
"""]  # fmt: skip
        subprocess.run(child, check=True)
        found = running.settle(home, instance)
    # One that ended is none of ours; one that Dagster never heard of did not get far, but somebody started it.
    assert [mark.run_id for mark in found] == ["never-started"]
    assert {path.stem for path in home.running.iterdir()} == {"aaaa-1", "never-started"}


def test_a_run_on_another_machine_is_not_called_dead_but_the_doctor_says_what_to_do(tmp_path: Path) -> None:
    home = Home(tmp_path)
    running.begin(home, "aaaa-1", PERIOD)
    path = home.running / "aaaa-1.json"
    path.write_text(
        json.dumps(json.loads(path.read_text(encoding="utf-8")) | {"host": "容器-7f3a", "pid": 1}), encoding="utf-8"
    )
    assert running.settle(home) == []
    rows = json.loads(run_sti("--home", home.root, "doctor", "--json").stdout)
    (told,) = [row for row in rows if row["项目"] == "别处的运行"]
    assert told["结果"] == "说明"
    assert "容器-7f3a" in told["详情"] and str(path) in told["详情"]


def test_a_run_that_ended_before_its_container_got_another_name_is_over_and_one_that_goes_on_is_let_alone(
    tmp_path: Path,
) -> None:
    @dg.job
    def empty() -> None:
        pass

    def elsewhere() -> list[str]:
        rows = json.loads(run_sti("--home", home.root, "doctor", "--json").stdout)
        return [row["详情"] for row in rows if row["项目"] == "别处的运行"]

    home = Home(tmp_path)
    prepare(home)
    with dg.DagsterInstance.get() as instance:
        ended = empty.execute_in_process(instance=instance).run_id
        going_on = instance.create_run_for_job(empty)
    for run_id in (ended, going_on.run_id):
        running.begin(home, run_id, PERIOD)
        path = home.running / f"{run_id}.json"
        mark = json.loads(path.read_text(encoding="utf-8"))
        path.write_text(json.dumps(mark | {"host": "容器-7f3a"}), encoding="utf-8")

    (told,) = elsewhere()
    assert going_on.run_id in told
    assert [path.stem for path in home.running.iterdir()] == [going_on.run_id]
    assert status_of(home, going_on.run_id) == dg.DagsterRunStatus.NOT_STARTED

    with dg.DagsterInstance.get() as instance:
        instance.report_run_failed(going_on, "it ended there")
    assert elsewhere() == []
    assert list(home.running.iterdir()) == []
