"""Every branch of the text has a test that names it: the list in this folder's README, held against what is there and what passes."""

import re
from pathlib import Path

import duckdb
import pytest

from orchestration import dbt
from warehouse.paths import Home

FOLDER = Path(__file__).parent


def test_the_unit_tests_of_the_models_pass_and_every_listed_test_is_there(
    home_copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the steps in a file, as whoever looks into them has it: made anew, with as many rows as the candidate says."""
    monkeypatch.setenv("STI_WORKING_TABLES", "candidate/working.duckdb")
    working = home_copy / "candidate" / "working.duckdb"
    working.write_bytes(b"left behind by a build that was killed")
    built = dbt.build_and_unit_test(Home.at(home_copy)).results
    assert {r.node.name: r.message for r in built if str(r.status) not in ("success", "pass")} == {}
    results = {result.node.name for result in built if result.node.resource_type == "unit_test"}
    there = set(results)
    for path in FOLDER.glob("test_*.py"):
        there |= {path.name, *re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)}
    listed = re.findall(r"`(\w{20,}|test_\w+\.py)`", (FOLDER / "README.md").read_text(encoding="utf-8"))
    assert len(listed) >= 35
    assert set(listed) - there == set()
    with duckdb.connect(str(home_copy / "candidate" / "warehouse.duckdb"), read_only=True) as connection:
        told = dict(connection.execute("from staging.working_row_count").fetchall())
    with duckdb.connect(str(working), read_only=True) as connection:
        counted = {name: connection.execute(f"select count(*) from staging.{name}").fetchall()[0][0] for name in told}
    assert counted == told and told["int_cap_unit"] > 0


@pytest.mark.parametrize(
    "named", ["published/warehouse.duckdb", "candidate/warehouse.duckdb", "working.duckdb", "candidate/working.db", ""]
)
def test_the_steps_go_nowhere_but_beside_the_candidate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    """A file that stays would be built into again, or be the one that analysts read."""
    kept = tmp_path / "published" / "warehouse.duckdb"
    kept.parent.mkdir()
    kept.write_bytes(b"what analysts read")
    monkeypatch.setenv("STI_WORKING_TABLES", named)
    with pytest.raises(dbt.WrongSetting, match=r"candidate/working\.duckdb"):
        dbt.build(Home.at(tmp_path))
    assert kept.read_bytes() == b"what analysts read"
    assert list(tmp_path.rglob("*")) == [kept.parent, kept]
