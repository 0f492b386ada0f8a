"""``sti`` in homes that cannot be written to: one line that says so, an exit code, and never a traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchestration import command
from tests.conftest import run_sti
from tests.workbooks import education_rows, write_return
from warehouse.paths import Home

ROOT = Path(__file__).parents[2]


def sti(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    code = "import sys; from orchestration.cli import entry; entry(sys.argv[1:])"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("home", ["/proc/none", "/dev/null/home", "loop"])
def test_a_home_that_cannot_be_made_is_said_in_one_line(tmp_path: Path, home: str) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    result = sti("--home", str(tmp_path / home), "receipt")
    assert result.returncode == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith("读写文件出错") and "也写不进" in line


@pytest.mark.parametrize("name", ["长" * 80 + ".xlsx", "a\nb\x1b[31m.xlsx", b"\xff\xfe.xlsx"])
def test_any_name_that_a_file_may_have_is_checked_and_receipted(tmp_path: Path, name: str | bytes) -> None:
    path = tmp_path / os.fsdecode(name)
    write_return(tmp_path / "plain.xlsx", "education_bureau", education_rows()).rename(path)
    result = run_sti("--home", tmp_path / "home", "check", path, "--receipt", tmp_path / "receipts")
    assert result.exit_code in (0, 2)
    assert "强制性 0" in result.output
    assert "\x1b" not in result.output
    written = sorted(p.suffix for p in (tmp_path / "receipts").iterdir())
    assert written == [".json", ".xlsx"]


def test_a_shell_whose_folder_is_gone_is_told_so(tmp_path: Path) -> None:
    code = "import os, sys; os.rmdir(os.getcwd()); from orchestration.cli import entry; entry(['status'])"
    gone = tmp_path / "gone"
    gone.mkdir()
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=gone,
        # Without the home that an earlier run in this process set for its own steps.
        env={name: value for name, value in os.environ.items() if name != "STI_HOME"} | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert (result.returncode, result.stderr.startswith("读写文件出错")) == (1, True)
    assert "Traceback" not in result.stderr


def test_what_breaks_on_a_full_disk_is_the_disk_s_doing_and_anything_else_is_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home.at(tmp_path / "not" / "yet" / "made")
    monkeypatch.setattr(command, "LEAST_FREE_BYTES", 0)
    assert command.internal_error(home, "内部错误").code == command.BROKEN
    monkeypatch.setattr(command, "LEAST_FREE_BYTES", 1 << 62)
    full = command.internal_error(home, "内部错误")
    assert full.code == command.WRONG_USE
    assert "磁盘满了" in str(full)
