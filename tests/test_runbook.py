"""The runbook is executed: its commands in order in a real shell, its edits in real workbooks, its shown lines in the real output.

In ``docs/runbook.md`` a ``console`` block holds ``$`` commands (``# 退出码 2``: how it must end) and below each the lines that it prints, in
order, whole, white space aside; ``…`` stands for anything, alone on a line for any lines. ``<!-- edit: file | sheet | cell | value; value -->``
writes cells rightwards from one, as the text beside it tells the clerk to; a sheet that is not there is added.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import openpyxl
import yaml

from tests.alerts.servers import smtp_server
from tests.conftest import SAMPLES

ROOT = Path(__file__).resolve().parents[1]
RUNBOOK = ROOT / "docs" / "runbook.md"
STEP = re.compile(r"```console\n(?P<block>.*?)```|<!-- edit: (?P<edit>.*?) -->", re.DOTALL)
PROGRAM = f'sti() {{ "{sys.executable}" -m orchestration "$@"; }}\n'


def edit(folder: Path, told: str) -> None:
    """Do one edit as the runbook's comment gives it."""
    name, sheet, cell, values = (part.strip() for part in told.split("|"))
    book = openpyxl.load_workbook(folder / name)
    page = book[sheet] if sheet in book.sheetnames else book.create_sheet(sheet)
    first = page[cell]
    for offset, text in enumerate(values.split(";")):
        is_number = re.fullmatch(r"-?\d+(\.\d+)?", text.strip())
        page.cell(first.row, first.column + offset, float(text) if is_number else text.strip())
    book.save(folder / name)


def plain(line: str) -> str:
    """Return a printed line without what only lays it out."""
    return re.sub(r"\s+", " ", line).strip()


def unseen(expected: list[str], output: str) -> str:
    """Return the first expected line that the output does not hold after those before it; empty where it holds them all."""
    lines = iter(plain(line) for line in output.splitlines())
    for wanted in expected:
        pattern = re.compile(".*".join(re.escape(part) for part in plain(wanted).split("…")))
        if wanted.strip() != "…" and not any(pattern.fullmatch(line) for line in lines):
            return wanted
    return ""


def commands(block: str) -> list[tuple[str, list[str]]]:
    """Return a block's commands, each with the lines shown below it."""
    found: list[tuple[str, list[str]]] = []
    for line in filter(str.strip, block.splitlines()):
        if line.startswith("$ "):
            found.append((line[2:], []))
        else:
            found[-1][1].append(line)
    return found


def test_the_runbook_says_what_happens(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (tmp_path / "样例").symlink_to(SAMPLES / "2026H1")
    environment = os.environ | {"STI_HOME": str(home), "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}
    with smtp_server(tmp_path, is_open=True) as post:
        channel = {"name": "office_mail", "kind": "mail", "host": "127.0.0.1", "port": post.port, "security": "none"}
        channel |= {"sender": "sti@kjb.example", "recipients": ["office@kjb.example"]}
        (home / "alerts.yaml").write_text(yaml.safe_dump({"channels": [channel]}), encoding="utf-8")
        steps = list(STEP.finditer(RUNBOOK.read_text(encoding="utf-8")))
        for step in steps:
            if step["edit"]:
                edit(tmp_path, step["edit"])
                continue
            for command, expected in commands(step["block"]):
                done = subprocess.run(
                    ["bash", "-c", PROGRAM + command],
                    cwd=tmp_path,
                    env=environment,
                    text=True,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    timeout=600,
                    check=False,
                )
                asked = re.search(r"# 退出码 (\d)$", command)
                assert done.returncode == int(asked[1] if asked else 0), f"{command}\n{done.stdout}"
                missing = unseen(expected, done.stdout)
                assert not missing, f"{command}\n没有印出：{missing}\n{done.stdout}"
        assert {mail["To"] for mail in post.taken} == {"office@kjb.example"}
    assert sum(bool(step["block"]) for step in steps) >= 10
