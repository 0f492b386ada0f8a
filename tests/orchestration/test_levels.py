"""Level 2 through the public door: a self-check in a home with accepted data says what the run says; without, it says that it could not look."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from click.testing import Result

from expectations import findings as ledger
from tests.conftest import ACCEPT, SAMPLES
from warehouse.paths import Home

PERIOD = "2026H1"
BUREAUS = {"市财政局": "finance_bureau", "市统计局": "statistics_bureau", "市卫生健康委": "health_commission"}


def checked(sti: Callable[..., Result], home: Path, path: Path) -> list[dict]:
    return json.loads(sti("--home", home, "check", path, "--json").stdout)[0]["findings"]


@pytest.mark.parametrize("bureau", BUREAUS)
def test_a_self_check_beside_accepted_data_gives_exactly_the_findings_of_the_run(
    sample_home: Path, sti: Callable[..., Result], bureau: str
) -> None:
    found = checked(sti, sample_home, SAMPLES / PERIOD / f"{bureau}_{PERIOD}.xlsx")
    states = ledger.states(Home.at(sample_home).findings, PERIOD)
    of_the_run = {s.finding.finding_id for s in states if s.scope == f"gate1:{BUREAUS[bureau]}"}
    assert {f["finding_id"] for f in found} == of_the_run
    assert any(f["level"] == 2 and f["rule_class"] == "query" for f in found)


def test_a_self_check_without_accepted_data_says_that_it_could_not_compare(
    sti: Callable[..., Result], tmp_path: Path
) -> None:
    found = checked(sti, tmp_path, SAMPLES / PERIOD / f"市财政局_{PERIOD}.xlsx")
    (note,) = [f for f in found if f["level"] == 2]
    assert (note["rule_id"], note["rule_class"]) == ("RD-095", "note")
    assert "上年同期（2025年上半年）、上期（2025年1-12月）" in note["message"]
    assert not list(tmp_path.iterdir())


def test_a_new_version_is_compared_with_the_one_before_it_in_check_and_run_alike(
    home_copy: Path, sti: Callable[..., Result], tmp_path: Path
) -> None:
    path = tmp_path / f"市卫生健康委_{PERIOD}_更正.xlsx"
    shutil.copy(SAMPLES / PERIOD / f"市卫生健康委_{PERIOD}.xlsx", path)
    book = openpyxl.load_workbook(path)
    sheet = book["科技活动费用"]
    headings = next(r for r in sheet.iter_rows() if any(c.value == "科技活动费用合计" for c in r))
    total = next(c.column for c in headings if c.value == "科技活动费用合计")
    own = next(c.column for c in headings if c.value == "自筹及其他")
    row = headings[0].row + 1
    for column in (total, own):
        sheet.cell(row, column).value = float(sheet.cell(row, column).value) + 900_000_000
    for line in sheet.iter_rows(min_row=1, max_row=headings[0].row - 1):
        for cell in line:
            if cell.value and "报出日期" in str(cell.value):
                cell.value = None
    book.save(path)
    before = {f["finding_id"] for f in checked(sti, home_copy, path)}
    run = sti("--home", home_copy, "run", PERIOD, "--inbox", path, *ACCEPT)
    states = ledger.states(Home.at(home_copy).findings, PERIOD)
    current = {
        s.finding.finding_id: s.finding
        for s in states
        if s.scope == "gate1:health_commission" and s.state != ledger.CORRECTED
    }
    assert {f.rule_id for f in current.values()} >= {"CMP-011"}, run.stderr
    assert before == set(current)
    assert {f["finding_id"] for f in checked(sti, home_copy, path)} == set(current)
