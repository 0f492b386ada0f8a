"""A home's own outside figures through the door: a figure beyond its bounds is said with its source, a wrong row stops with its place."""

import json
from pathlib import Path

import pytest

from tests.conftest import SAMPLES, run_sti
from warehouse.paths import Home

BOOK = SAMPLES / "2025" / "市统计局_2025.xlsx"
HEADINGS = "figure_id,indicator_id,area_key,half,figure,unit,low_times,high_times,figure_name,source,is_provisional,valid_from,valid_to"
GDP = "own-gdp,gdp,330400,year,1,万元,0.95,1.05,2024年生产总值,统计公报,false,2025-12-31,2025-12-31"
INTENSITY = "own-rd,rd_intensity,330400,year,99,%,0.9,1.1,研发投入强度 99%,统计公报,false,2024-12-31,"

TOTAL = "own-gov,gov_total,330400,1,950000,万元,0.2,0.9,目标,实施方案,true,2027-01-01,"


def write(root: Path, *rows: str) -> Path:
    path = root / "outside_figures.csv"
    path.write_text("\n".join((HEADINGS, *rows, "")), encoding="utf-8")
    return path


def test_a_year_beyond_the_bounds_of_the_homes_own_figures_is_said_with_their_source(tmp_path: Path) -> None:
    def said() -> dict[str, str]:
        report = json.loads(run_sti("--home", tmp_path, "check", BOOK, "--json").stdout)[0]
        return {f["rule_id"]: f["message"] for f in report["findings"] if f["level"] == 5}

    assert said() == {}
    write(tmp_path, GDP, INTENSITY)
    found = said()
    assert set(found) == {"RDG-008", "RDG-009"}
    assert all("统计公报" in message for message in found.values())
    write(
        tmp_path,
        GDP.replace(",1,万元,0.95,1.05", ",75695000,万元,0.000001,1000"),
        INTENSITY.replace("2024-12-31,", "2026-12-31,"),
    )
    assert said() == {}


WRONG = {
    "two rows for one figure at one time": ((GDP, INTENSITY, GDP.replace("own-gdp", "again")), "第 4 行", "第 2 行"),
    "an indicator that nothing is compared with": ((GDP.replace(",gdp,", ",GDP,"),), "第 2 行 indicator_id", "gdp"),
    "another unit": ((GDP.replace("万元", "亿元"),), "第 2 行 unit", "亿元"),
    "a formula": ((GDP.replace(",1,", ",=1+1,"),), "第 2 行 figure", "=1+1"),
    "thousands": ((INTENSITY, GDP.replace(",1,万元", ',"75,695,000",万元')), "第 3 行 figure", "75,695,000"),
    "no bounds": ((GDP.replace("0.95", ""),), "第 2 行 low_times", "“”"),
    "bounds the wrong way round": ((GDP.replace("0.95", "2"),), "第 2 行 low_times", "1.05"),
    "no number at all": ((GDP.replace(",1,", ",NaN,"),), "第 2 行 figure", "NaN"),
    "no such day": ((GDP.replace("2025-12-31,", "2025-13-31,"),), "第 2 行 valid_from", "2025-13-31"),
    "an area that is none": ((TOTAL.replace("330400", "999999"),), "第 2 行 area_key", "999999"),
    "a cell too many": ((f"{GDP},多",), "第 2 行", "多"),
    "nothing of its source": ((GDP.replace("统计公报", ""),), "第 2 行 source", "文字"),
}  # fmt: skip


@pytest.mark.parametrize(("rows", "place", "what"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_row_stops_with_its_file_row_and_what_stands_there(
    tmp_path: Path, rows: tuple[str, ...], place: str, what: str
) -> None:
    path = write(tmp_path, *rows)
    result = run_sti("--home", tmp_path, "check", "--receipt", tmp_path / "receipts", BOOK)
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1), result.stderr
    assert not (tmp_path / "receipts").exists(), "it is no fault of the workbook's, and none of ours"
    assert f"{path} {place}" in result.stderr
    assert what in result.stderr


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", f"{HEADINGS}\n{GDP}\n".encode("gb18030")])
def test_a_wrong_file_stops_a_run_before_anything_is_received(tmp_path: Path, content: bytes) -> None:
    write(tmp_path).write_bytes(content)
    result = run_sti("--home", tmp_path, "run", "2025", "--inbox", BOOK)
    assert (result.exit_code, "outside_figures.csv" in result.stderr) == (1, True), result.stderr
    assert not Home(tmp_path).archive.exists()
