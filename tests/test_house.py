"""The house itself: rooms, one-way imports, locks, nothing of any one machine in the tree."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = {
    "sources": set(),
    "expectations": {"sources"},
    "warehouse": {"sources"},
    "orchestration": {"sources", "expectations", "warehouse"},
}
ONLY_IN_ORCHESTRATION = {"dagster", "dagster_dbt", "dbt"}


def tracked() -> list[str]:
    return subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split(
        "\0"
    )[:-1]


def imports_of(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names.add((node.module or "").split(".")[0])
    return names


@pytest.mark.parametrize("room", ROOMS)
def test_imports_run_one_way(room: str) -> None:
    for path in (ROOT / room).rglob("*.py"):
        found = imports_of(path)
        assert found & set(ROOMS) <= ROOMS[room] | {room}, path
        if room != "orchestration":
            assert not found & ONLY_IN_ORCHESTRATION, path
        if room != "expectations":
            assert "great_expectations" not in found, path


@pytest.mark.parametrize("room", [*ROOMS, "dbt_project", "tests", "docs"])
def test_every_room_has_a_readme_of_one_screen(room: str) -> None:
    lines = (ROOT / room / "README.md").read_text(encoding="utf-8").splitlines()
    assert 3 < len(lines) <= 75


def test_the_top_level_holds_what_it_should_and_nothing_else() -> None:
    assert {path.split("/")[0] for path in tracked()} == {
        "orchestration", "dbt_project", "expectations", "sources", "warehouse", "tests", "docs", ".ci",
        "pyproject.toml", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "Makefile", ".gitignore",
        "requirements.txt", "requirements-dev.txt",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_locks_are_hashed_and_name_no_address(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert not re.search(r"://|--index|--find-links|@ file", text)
    pinned = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
    assert pinned
    assert all("==" in line and line.rstrip().endswith("\\") for line in pinned)


def test_no_file_of_a_room_is_long() -> None:
    long = [
        p
        for p in tracked()
        if p.endswith((".py", ".sql"))
        and not p.startswith("tests/")
        and len((ROOT / p).read_text(encoding="utf-8").splitlines()) > 400
    ]
    assert long == []


def test_heavy_imports_are_paid_only_where_they_are_needed() -> None:
    code = "import sys, orchestration.cli; print([m for m in ('dagster', 'dbt', 'great_expectations', 'pandas') if m in sys.modules])"
    out = subprocess.run([str(ROOT / ".venv/bin/python") if (ROOT / ".venv").exists() else "python", "-c", code],
                         capture_output=True, text=True, check=True, cwd=ROOT).stdout  # fmt: skip
    assert out.strip() == "[]"
