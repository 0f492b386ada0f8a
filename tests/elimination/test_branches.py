"""Every branch of the text has a test that names it: the list in this folder's README, held against what is there and what passes."""

import re
from pathlib import Path

from orchestration import dbt
from warehouse.paths import Home

FOLDER = Path(__file__).parent


def test_the_unit_tests_of_the_models_pass_and_every_listed_test_is_there(home_copy: Path) -> None:
    built = dbt.build_and_unit_test(Home.at(home_copy)).results
    assert {r.node.name: r.message for r in built if str(r.status) not in ("success", "pass")} == {}
    results = {result.node.name for result in built if result.node.resource_type == "unit_test"}
    there = set(results)
    for path in FOLDER.glob("test_*.py"):
        there |= {path.name, *re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)}
    listed = re.findall(r"`(\w{20,}|test_\w+\.py)`", (FOLDER / "README.md").read_text(encoding="utf-8"))
    assert len(listed) >= 35
    assert set(listed) - there == set()
