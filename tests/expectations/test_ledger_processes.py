"""The ledger between processes: two that write at once, and one that is killed while it writes."""

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

from expectations.findings import record, states
from tests.expectations.test_findings import PERIOD, finding

WRITER = """
import sys
from pathlib import Path
from expectations.decisions import DecisionError, decide, explain
folder, who = Path(sys.argv[1]), sys.argv[2]
for finding_id in sys.argv[3:]:
    for move in (lambda: explain(folder, "2026H1", who, f"{who}的说明", [finding_id]),
                 lambda: decide(folder, "2026H1", "accept", who, "已核", [finding_id])):
        try:
            move()
            print(f"{who} {finding_id}", flush=True)
        except DecisionError:
            pass
"""


def writer(folder: Path, who: str, ids: list[str]) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", WRITER, str(folder), who, *ids]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def events(folder: Path) -> list[dict]:
    lines = (folder / f"{PERIOD}.jsonl").read_bytes().split(b"\n")
    return [json.loads(line) for line in lines if line.endswith(b"}")]


def test_two_processes_that_write_at_once_lose_nothing_and_decide_nothing_twice(tmp_path: Path) -> None:
    found = [finding(str(n)) for n in range(25)]
    record(tmp_path, PERIOD, "gate2", found)
    ids = [f.finding_id for f in found]
    processes = [writer(tmp_path, "张三", ids), writer(tmp_path, "李四", ids)]
    told = [line for process in processes for line in process.communicate(timeout=120)[0].splitlines()]
    assert [process.returncode for process in processes] == [0, 0]
    written = events(tmp_path)
    assert [event["number"] for event in written] == list(range(1, len(written) + 1))
    assert len(written) == 1 + len(told)
    accepted = [i for event in written if event["event"] == "decided" for i in event["finding_ids"]]
    assert len(accepted) == len(set(accepted))
    for state in states(tmp_path, PERIOD):
        assert state.explanation
        assert state.decision is None or state.decision.by != state.explanation.by


def test_a_process_killed_while_it_writes_leaves_a_ledger_that_holds_all_it_said_it_wrote(tmp_path: Path) -> None:
    found = [finding(str(n)) for n in range(2000)]
    record(tmp_path, PERIOD, "gate2", found)
    ids = [f.finding_id for f in found]
    draw = random.Random(14)
    for number, who in enumerate(("张三", "李四", "王五")):
        process = writer(tmp_path, who, ids[number * 600 :])
        assert process.stdout is not None
        told = [process.stdout.readline().split()[1] for _ in range(draw.randint(1, 8))]
        os.kill(process.pid, signal.SIGKILL)
        told += [line.split()[1] for line in process.communicate()[0].splitlines() if len(line.split()) == 2]
        explained = {
            s.finding.finding_id for s in states(tmp_path, PERIOD) if s.explanation and s.explanation.by == who
        }
        assert set(told) <= explained
    record(tmp_path, PERIOD, "gate2", found[:5])
    assert [s.state for s in states(tmp_path, PERIOD)].count("已修改") == len(found) - 5
