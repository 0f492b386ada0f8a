"""dbt, in this process: the parsed project once per code state, one build per call, the DuckDB file let go of at the end."""

import contextlib
import fcntl
import hashlib
import os
import shutil
from functools import lru_cache
from pathlib import Path
from typing import Any

from warehouse.paths import Home

PROJECT_DIR = Path(__file__).parent.parent / "dbt_project"
TARGET_DIR = PROJECT_DIR / "target"
MANIFEST = TARGET_DIR / "manifest.json"

IN_MEMORY = ":memory:"
WORKING_TABLES = "STI_WORKING_TABLES"
"""The variable that names a file for the tables that are otherwise in memory while dbt builds; see ``profiles.yml``."""


class DbtFailed(RuntimeError):
    """dbt could not parse or run the project; the message is dbt's own."""


class WrongSetting(ValueError):
    """A variable of the environment cannot be followed; the message says which, and what it may be."""


def _common(command: str, target: Path) -> list[str]:
    folder = str(PROJECT_DIR)
    paths = ["--project-dir", folder, "--profiles-dir", folder, "--target-path", str(target), "--log-path", str(target)]
    return [command, *paths, "--quiet", "--no-use-colors", "--log-level-file", "none"]


def _project_state() -> str:
    digest = hashlib.sha256()
    for path in sorted(PROJECT_DIR.rglob("*")):
        if path.is_file() and path.suffix in (".sql", ".py", ".yml", ".csv", ".md") and TARGET_DIR not in path.parents:
            digest.update(f"{path.relative_to(PROJECT_DIR)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def ensure_manifest() -> Path:
    """Return the path of the parsed project, parsing it first if the project has changed since.

    Raises:
        DbtFailed: the project does not parse.
    """
    stamp = TARGET_DIR / "project_state.txt"
    state = _project_state()
    TARGET_DIR.mkdir(exist_ok=True)
    # Another process may be parsing the same change: the second one waits, and finds it done.
    with (TARGET_DIR / "parsing.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if MANIFEST.exists() and stamp.exists() and stamp.read_text() == state:
            return MANIFEST
        stamp.unlink(missing_ok=True)
        from dbt.cli.main import dbtRunner

        # dbt's partial parse loses some properties of tests after an edit; this runs only when the project has changed.
        result = dbtRunner().invoke([*_common("parse", TARGET_DIR), "--no-partial-parse"])
        if not result.success:
            raise DbtFailed(f"dbt 项目解析失败：{result.exception}")
        stamp.write_text(state)
    return MANIFEST


@lru_cache(maxsize=1)
def _parsed(state: str) -> Any:
    from dbt.contracts.graph.manifest import Manifest

    return Manifest.from_msgpack((TARGET_DIR / "partial_parse.msgpack").read_bytes())


def build(home: Home) -> Any:
    """Build everything from ``accepted/`` into a fresh private candidate; return dbt's run results.

    The project's paths are relative to the home, so that one parsed manifest serves every home.

    Raises:
        DbtFailed: dbt itself broke (a failed test or model is no exception; it is in the results).
        WrongSetting: ``STI_WORKING_TABLES`` names something else than a file beside the candidate.
    """
    return _build(home, "--exclude-resource-type", "unit_test")


def build_and_unit_test(home: Home) -> Any:
    """Do what `build` does, and run the models' unit tests, each before its model; return dbt's run results.

    Raises:
        DbtFailed, WrongSetting: as `build`.
    """
    return _build(home)


def _check_working_tables(home: Home) -> None:
    """Let nothing be named but a file beside the candidate, which each build makes anew: one that stays would be built into."""
    named = os.environ.get(WORKING_TABLES, IN_MEMORY)
    path, candidate = (Path(os.path.realpath(home.root / name)) for name in (named, home.candidate))
    is_beside = path.parent == candidate.parent and path.suffix == ".duckdb" and path != candidate
    if named != IN_MEMORY and not is_beside:
        raise WrongSetting(
            f"{WORKING_TABLES} 是“{named}”，不能用：须是 candidate/ 里另一个 .duckdb 文件，如 candidate/working.duckdb；"
            "不要看中间表就不设它"
        )


def _build(home: Home, *arguments: str) -> Any:
    _check_working_tables(home)
    home.candidate.parent.mkdir(parents=True, exist_ok=True)
    for leftover in home.candidate.parent.glob("*.duckdb*"):
        # DuckDB spills into a folder beside the file, which stays when the process is killed.
        shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
    ensure_manifest()
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    command = [*_common("build", home.root / "dbt"), "--no-write-json", "--no-populate-cache", *arguments]
    try:
        with contextlib.chdir(home.root):
            result = dbtRunner(manifest=_parsed(_project_state())).invoke(command)
    finally:
        # In-process dbt keeps the file open and locked otherwise.
        DuckDBConnectionManager.close_all_connections()
    if result.result is None:
        raise DbtFailed(f"dbt 运行失败：{result.exception}")
    return result.result
