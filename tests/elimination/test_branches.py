"""Every branch of the text has a test that names it: the list in this folder's README, held against what is there and what passes."""

import contextlib
import re
from pathlib import Path

from orchestration import dbt

FOLDER = Path(__file__).parent


def test_the_unit_tests_of_the_models_pass_and_every_listed_test_is_there(home_copy: Path) -> None:
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    folder, scratch = str(dbt.PROJECT_DIR), str(home_copy / "dbt")
    paths = ["--project-dir", folder, "--profiles-dir", folder, "--target-path", scratch]
    logs = ["--log-path", scratch, "--log-level-file", "none", "--quiet"]
    try:
        with contextlib.chdir(home_copy):
            outcome = dbtRunner().invoke(["test", "--select", "test_type:unit", *paths, *logs, "--no-write-json"])
    finally:
        DuckDBConnectionManager.close_all_connections()
    results = {result.node.name: str(result.status) for result in outcome.result}
    assert {name: status for name, status in results.items() if status != "pass"} == {}
    there = set(results)
    for path in FOLDER.glob("test_*.py"):
        there |= {path.name, *re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)}
    listed = re.findall(r"`(\w{20,}|test_\w+\.py)`", (FOLDER / "README.md").read_text(encoding="utf-8"))
    assert len(listed) >= 35
    assert set(listed) - there == set()
