"""A figure of a year is traced to the cells that it comes from: an amount, a ratio with both parts and their years, a unit's own."""

import json
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from tests.conftest import SAMPLES, run_sti
from tests.orchestration.expected import published

AREA = "330402"
PER_UNIT = {"元": Decimal("0.0001"), "千元": Decimal("0.1"), "万元": Decimal(1), "亿元": Decimal(10000)}


def traced(home: Path, *asked: str, period: str = "2025") -> dict[str, Any]:
    result = run_sti("--home", home, "trace", "--period", period, *asked, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


@cache
def sheet_of(file_name: str, sheet: str) -> Worksheet:
    [path] = SAMPLES.glob(f"20*/{file_name}")
    return openpyxl.load_workbook(path, data_only=True)[sheet]


def written(cell: dict[str, Any]) -> Decimal:
    """What stands in the named cell of the workbook that was handed in, in 万元."""
    value = sheet_of(cell["file_name"], cell["sheet"])[cell["cell"]].value
    if isinstance(value, str):
        value = value.strip().translate({code + 0xFEE0: code for code in range(0x21, 0x7F)}).replace(",", "")
    return Decimal(0) if value in ("-", "—", "…", None) else Decimal(str(value)) * PER_UNIT[cell["unit"]]


def added_up(part: dict[str, Any]) -> Decimal:
    removed = sum((Decimal(r["amount_wan"]) for r in part["removals"]), Decimal(0))
    return sum((written(cell) for cell in part["cells"]), Decimal(0)) - removed


def value_of(home: Path, subject: str, indicator: str) -> Decimal:
    [(value,)] = published(
        home,
        f"select value from mart_annual_evaluation where period = '2025' and subject_key = '{subject}' "
        f"and indicator_id = '{indicator}' and dimension = 'level' and subject_type <> 'sector'",
    )
    return value


@pytest.mark.parametrize("area", [AREA, "330400"])
@pytest.mark.parametrize("indicator", ["rd_expenditure", "enterprise_rd_expenditure"])
def test_an_annual_amount_is_traced_to_the_cells_of_the_bureaus_sheet(
    annual_home: Path, area: str, indicator: str
) -> None:
    found = traced(annual_home, "--area", area, "--indicator", indicator)
    [part] = found["parts"]
    assert found["is_explained"] and part["data_year"] == 2024
    assert {c["sheet"] for c in part["cells"]} == {"全社会研发与生产总值"}
    assert len(part["cells"]) == (10 if area == "330400" else 1)
    assert added_up(part) == Decimal(found["value"]) == value_of(annual_home, area, indicator)


@pytest.mark.parametrize("area", [AREA, "330400"])
def test_a_ratio_is_traced_with_both_parts_each_of_its_year(annual_home: Path, area: str) -> None:
    for indicator, measure, period in (("rd_intensity", "gdp", "2025"), ("rd_to_sti", "sti_total", "2024")):
        found = traced(annual_home, "--area", area, "--indicator", indicator)
        over, under = found["parts"]
        assert found["is_explained"] and over["data_year"] == under["data_year"] == 2024
        assert under["measure"].startswith(measure) and (over["period"], under["period"]) == ("2025", period)
        ratio = added_up(over) / added_up(under) * 100
        assert abs(ratio - Decimal(found["value"])) < Decimal("1e-15"), indicator
        assert Decimal(found["value"]) == value_of(annual_home, area, indicator)
    # The total of the year before comes with what was removed from it, and on what grounds.
    assert under["removals"] and all(removal["evidence"] for removal in under["removals"])
    # The city itself has no GDP: it is in neither part of the intensity.
    city = traced(annual_home, "--area", "330400", "--indicator", "rd_intensity")["parts"]
    assert [len(part["cells"]) for part in city] == [9, 9]


@pytest.mark.parametrize("indicator", ["gov_total", "enterprise_rd", "other_net", "sti_total"])
def test_what_annex_1_has_too_is_traced_for_a_year_on_the_annual_basis(annual_home: Path, indicator: str) -> None:
    found = traced(annual_home, "--area", AREA, "--indicator", indicator)
    [(value,)] = published(
        annual_home,
        f"select value_wan from mart_annual_monitoring where period = '2025' and area_key = '{AREA}' and indicator_id = '{indicator}'",
    )
    assert found["is_explained"] and added_up(found) == Decimal(found["value_wan"]) == value
    assert {cell["file_name"].split("_")[1] for cell in found["cells"]} == {"2025.xlsx"}


def test_every_bureaus_unit_is_traced_to_its_one_cell_in_money_spent_and_in_research(annual_home: Path) -> None:
    units = published(
        annual_home,
        "select subject_type, min(subject_key) from mart_annual_evaluation where year = 2025 and subject_type in "
        "('university', 'institute', 'hospital') and subject_key not in (select subject_key from mart_annual_evaluation "
        "where year = 2025 group by 1 having count(distinct subject_type) > 1) group by 1 order by 1",
    )
    assert len(units) == 3
    for _, code in units:
        for indicator, data_year in (("sti_activity", 2025), ("rd_expenditure", 2024)):
            found = traced(annual_home, "--unit", code, "--indicator", indicator)
            [part] = found["parts"]
            [cell] = part["cells"]
            assert part["data_year"] == data_year
            assert written(cell) == Decimal(found["value"]) == value_of(annual_home, code, indicator)


def test_a_unit_of_two_bureaus_is_traced_at_the_one_that_is_named(annual_home: Path) -> None:
    [(code,)] = published(
        annual_home,
        "select subject_key from mart_annual_evaluation where year = 2025 group by 1 having count(distinct subject_type) = 2 limit 1",
    )
    asked = ("trace", "--period", "2025", "--unit", code, "--indicator", "sti_activity")
    refused = run_sti("--home", annual_home, *asked)
    assert refused.exit_code == 1 and "--provider science_bureau" in refused.stderr
    values = set()
    for provider in ("市教育局", "science_bureau"):
        found = traced(annual_home, "--unit", code, "--indicator", "sti_activity", "--provider", provider)
        values.add(found["value"])
        [cell] = found["parts"][0]["cells"]
        assert written(cell) == Decimal(found["value"])
    assert len(values) == 2


def test_the_growths_base_is_traced_by_asking_the_year_before(annual_home: Path) -> None:
    asked = ("--area", AREA, "--indicator", "rd_expenditure")
    before = traced(annual_home, *asked, period="2024")
    assert before["parts"][0]["data_year"] == 2023
    [(base,)] = published(
        annual_home,
        f"select base_value from mart_annual_evaluation where year = 2025 and subject_key = '{AREA}' "
        "and indicator_id = 'rd_expenditure' and dimension = 'level'",
    )
    assert Decimal(before["value"]) == base
    shown = run_sti("--home", annual_home, "trace", "--period", "2025", *asked).stdout
    assert "市统计局_2025.xlsx[全社会研发与生产总值]!" in shown and "sti trace --period 2024" in shown


REFUSED = {
    "neither area nor unit": (("--indicator", "rd_expenditure"), "--area"),
    "both": (("--area", AREA, "--unit", "X", "--indicator", "rd_expenditure"), "二者用其一"),
    "no such area": (("--area", "999999", "--indicator", "rd_expenditure"), "不认识的地区"),
    "no such indicator": (("--area", AREA, "--indicator", "nothing"), "请核对年度"),
    "no such unit": (("--unit", "12330400MY0000000X", "--indicator", "sti_activity"), "请核对年度"),
    "a unit in an area's place": (("--unit", AREA, "--indicator", "rd_expenditure"), "请核对年度"),
    "a ratio of 市本级": (("--area", "JX-CITY", "--indicator", "rd_intensity"), "请核对年度"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_traced_is_refused_in_one_plain_sentence(annual_home: Path, name: str) -> None:
    asked, told = REFUSED[name]
    result = run_sti("--home", annual_home, "trace", "--period", "2025", *asked)
    assert (result.exit_code, result.stdout) == (1, "")
    assert told in result.stderr and "内部错误" not in result.stderr


def test_a_unit_is_not_traced_in_a_half_year(annual_home: Path) -> None:
    result = run_sti("--home", annual_home, "trace", "--period", "2025H2", "--unit", "X", "--indicator", "sti_activity")
    assert result.exit_code == 1 and "只在年度研判里" in result.stderr


def test_a_ratio_without_its_second_part_says_so_and_shows_the_first(annual_home: Path) -> None:
    found = traced(annual_home, "--area", AREA, "--indicator", "rd_to_sti", period="2024")
    assert (found["value"], found["is_explained"], found["note"]) == (None, False, "denominator_missing")
    assert [bool(part["cells"]) for part in found["parts"]] == [True, False]
