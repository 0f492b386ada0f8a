"""Annex 2 and the targets on odd returns: an area left out, two units of one name, names that mean something to a program, an old home."""

import json
import shutil
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import duckdb
import openpyxl
import pytest
from click.testing import Result

from orchestration.publication import ranking_markdown, targets_markdown
from orchestration.shown import findings_table
from sources.finding import Finding
from tests.conftest import ACCEPT, SAMPLES
from tests.orchestration.expected import published
from warehouse.paths import Home
from warehouse.report.annual import read_annual
from warehouse.report.contributions import contributions, contributions_svg
from warehouse.report.target_chart import draw_targets
from warehouse.report.targets import target_rows

CITY = "330400"
TWIN, OTHER_TWIN = "示例产业技术研究院04", "示例产业技术研究院05"
PICTURE, FORMULA = "![i](http://evil.example/x.png)|<b>甲</b>", '=HYPERLINK("http://evil.example/","甲")'


def rename(sheet: Any, names: dict[str, str]) -> None:
    for row in sheet.iter_rows():
        for cell in row:
            if cell.value in names:
                cell.value = names[cell.value]
                cell.data_type = "s"


@pytest.fixture(scope="module")
def odd_home(annual_home: Path, tmp_path_factory: pytest.TempPathFactory, sti: Callable[..., Result]) -> Path:
    """The year 2025 sent again: 海宁市 left out of the research sheet, two institutes of one name, two with names that are code."""
    folder = tmp_path_factory.mktemp("odd")
    home, inbox = folder / "home", folder / "inbox"
    shutil.copytree(annual_home, home, ignore=shutil.ignore_patterns("dagster", "dbt"))
    inbox.mkdir()
    statistics = openpyxl.load_workbook(SAMPLES / "2025" / "市统计局_2025.xlsx")
    sheet = statistics["全社会研发与生产总值"]
    sheet.delete_rows(next(row[0].row for row in sheet.iter_rows() if row[0].value == "海宁市"))
    statistics.save(inbox / "市统计局.xlsx")
    science = openpyxl.load_workbook(SAMPLES / "2025" / "市科技局_2025.xlsx")
    names = {OTHER_TWIN: TWIN, "示例产业技术研究院08": PICTURE, "示例产业技术研究院09": FORMULA}
    rename(science["科技活动费用"], names)
    science.save(inbox / "市科技局.xlsx")
    result = sti("--home", home, "run", "2025", "--inbox", inbox, *ACCEPT)
    assert result.exit_code == 0, result.stderr + result.stdout
    return home


def test_nine_areas_are_not_the_city(odd_home: Path) -> None:
    cells = published(
        odd_home,
        "select indicator_id, dimension, value is null, value_note, note_code from mart_annual_evaluation where period = '2025' "
        "and subject_type = 'city' and indicator_id in ('rd_expenditure', 'rd_to_sti', 'rd_intensity')",
    )
    found = {(indicator, dimension): rest for indicator, dimension, *rest in cells}
    for indicator in ("rd_expenditure", "rd_to_sti"):
        assert found[indicator, "level"] == [True, "partly_reported", "value_missing"]
    # The ratio of the areas that have both parts stands, and says so; last year's is of other areas.
    assert found["rd_intensity", "level"] == [False, "partly_reported", None]
    assert found["rd_intensity", "growth"] == [True, "partly_reported", "basis_changed"]
    sheet = openpyxl.load_workbook(odd_home / "reports" / "2025" / "附件2_2025.xlsx")["附件2"]
    told = {row[1]: (row[5], row[14]) for row in sheet.iter_rows(values_only=True) if row[4] == "全市"}
    assert told["全社会研究与试验发展经费支出"][0] == "缺数"
    assert told["全社会研究与试验发展经费支出占GDP比重"][1] == "只计各项俱全的地区"


def test_two_units_of_one_name_are_told_apart_by_their_codes(odd_home: Path, sti: Callable[..., Result]) -> None:
    codes = {
        code
        for (code,) in published(
            odd_home,
            f"select subject_key from mart_annual_ranking where period = '2025' and subject_type = 'institute' and subject_name = '{TWIN}'",
        )
    }
    assert len(codes) == 2
    asked = sti("--home", odd_home, "score", "2025", TWIN)
    assert asked.exit_code == 1
    assert all(code in asked.stderr for code in codes)
    for code in codes:
        given = json.loads(sti("--home", odd_home, "score", "2025", code, "--json").stdout)
        assert {row["代码"] for row in given["figures"]} == {code}
        assert len(given["ranking"]) == 1
    for who in ("", "_市科技局"):
        book = openpyxl.load_workbook(odd_home / "reports" / "2025" / f"附件2_2025{who}.xlsx")
        names = {cell.value for sheet in book for row in sheet.iter_rows() for cell in row}
        assert {f"{TWIN}（{code}）" for code in codes} <= names
        assert TWIN not in names


def test_a_name_is_text_in_every_workbook_picture_and_table(odd_home: Path) -> None:
    seen = 0
    for path in (odd_home / "reports" / "2025").glob("附件2_2025*.xlsx"):
        cells = [cell for sheet in openpyxl.load_workbook(path) for row in sheet.iter_rows() for cell in row]
        assert not [cell for cell in cells if cell.data_type == "f" or cell.hyperlink]
        seen += sum("evil.example" in str(cell.value) for cell in cells)
    assert seen
    annual = read_annual(Home.at(odd_home), "2025")
    told = ranking_markdown(annual)
    assert "evil.example" in told
    assert "![i]" not in told and "<b>" not in told.replace("\\<b>", "")
    rows = [replace(target_rows(Home.at(odd_home), "2025")[0], target_name=PICTURE, clause="甲\n\n# 乙")]
    table = targets_markdown(rows)
    assert "![i]" not in table and len(table.splitlines()) == 3
    texts = [field.name for field in fields(Finding) if field.name not in ("rule_class", "level", "stands_for_count")]
    finding = Finding(rule_class="query", level=1, **dict.fromkeys(texts, PICTURE))
    assert "![i]" not in findings_table([finding])


def test_a_sign_that_no_picture_can_hold_is_shown_as_its_code(annual_home: Path) -> None:
    rows = [replace(target_rows(Home.at(annual_home), "2025")[0], target_name="目标\x0b甲", unit="家\x01")]
    assert ElementTree.fromstring(draw_targets(rows)) is not None
    made = contributions(read_annual(Home.at(annual_home), "2025"), "area")
    named = replace(made, subjects=["甲\x0b乙", *made.subjects[1:]])
    assert ElementTree.fromstring(contributions_svg(named)) is not None


@pytest.mark.parametrize("command", [("score", "2025", "南湖区"), ("targets", "2025"), ("scheme",)])
def test_a_warehouse_of_an_older_version_asks_for_another_run(
    annual_home: Path, tmp_path: Path, sti: Callable[..., Result], command: tuple[str, ...]
) -> None:
    shutil.copytree(annual_home / "published", tmp_path / "published")
    with duckdb.connect(str(tmp_path / "published" / "warehouse.duckdb")) as connection:
        connection.execute("alter table mart_annual_ranking drop column rank_kept_pct")
        connection.execute("alter table mart_target_progress drop column gap")
        connection.execute("drop table scoring_robustness")
    asked = sti("--home", tmp_path, *command)
    assert asked.exit_code == 1
    assert "sti run" in asked.stderr and "内部错误" not in asked.stderr
