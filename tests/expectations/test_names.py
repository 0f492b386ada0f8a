"""A name beside a blank or a strange code is asked about, once per name; no code is ever filled in from a name."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from expectations import names
from orchestration.gate import self_check
from sources.finding import Finding, place_count
from sources.unit_register import UnitRegister, register_of
from sources.workbook import read_workbook
from tests.conftest import SAMPLES, run_sti
from tests.workbooks import code, education_rows, finance_rows, payment_row, write_return
from warehouse.layers import write_rows
from warehouse.paths import Home

PAYMENT = "finance_bureau__gov_payment"
REGISTER = register_of([(code(1), "示例大学"), (code(2), "示例第一医院")])


def asked(tmp_path: Path, register: UnitRegister = REGISTER, **changes: Any) -> list[Finding]:
    rows = finance_rows() | {"finance_bureau__gov_payment": [payment_row(1, **changes), payment_row(2, **changes)]}
    path = write_return(tmp_path / "a.xlsx", "finance_bureau", rows)
    (tmp_path / "scratch").mkdir()
    _, outcome = self_check([path], tmp_path / "scratch", register, Home.at(tmp_path / "home"))
    return [finding for finding in outcome.findings if finding.rule_id in ("RD-120", "RD-121", "RD-122")]


@pytest.mark.parametrize(
    ("name", "payee_code", "rule_id", "said"),
    [
        ("示例大学", None, "RD-120", code(1)),
        ("示例大学（新校区）", None, "RD-121", "示例大学"),
        ("示例第一医院", code(1), "RD-122", "登记的是“示例大学”"),
    ],
)
def test_a_name_that_does_not_fit_its_code_is_asked_about_once(
    tmp_path: Path, name: str, payee_code: str | None, rule_id: str, said: str
) -> None:
    found = asked(tmp_path, 收款单位=name, 收款单位统一社会信用代码=payee_code)
    assert [(f.rule_id, f.table_id) for f in found] == [(rule_id, "finance_bureau__gov_payment")]
    assert said in found[0].message
    assert "共 2 行" in found[0].message
    assert found[0].cell in ("H4", "I4")


@pytest.mark.parametrize(
    ("name", "payee_code"),
    [("示例大学", code(1)), ("示例大学本部", code(1)), ("某公司", None), (None, None), ("某公司", code(9))],
)
def test_what_fits_or_is_unknown_is_not_asked_about(tmp_path: Path, name: str | None, payee_code: str | None) -> None:
    assert asked(tmp_path, 收款单位=name, 收款单位统一社会信用代码=payee_code) == []


def test_a_list_of_names_that_is_cut_binds_to_the_names_that_it_does_not_list(tmp_path: Path) -> None:
    def closing(last: str) -> Finding:
        named = [f"某某单位{n}" for n in range(1099)] + [last]
        rows = [payment_row(n, 收款单位=name) for n, name in enumerate(named)]
        path = write_return(tmp_path / f"{last}.xlsx", "finance_bureau", finance_rows() | {PAYMENT: rows})
        reading = read_workbook(path).tables[PAYMENT]
        write_rows(tmp_path / "rows.parquet", reading)
        # As after a correction slip: another value, the same file.
        manifest = replace(reading.manifest, file_sha256="0" * 64, file_name="a.xlsx")
        found = names.judge_names(REGISTER, {PAYMENT: tmp_path / "rows.parquet"}, {PAYMENT: manifest})
        assert (len(found), place_count(found), {f.rule_id for f in found}) == (1001, 1100, {"RD-122"})
        return found[-1]

    one, other, again = closing("甲医院"), closing("乙医院"), closing("甲医院")
    assert one.stands_for_count == 100
    assert one.finding_id == again.finding_id != other.finding_id


def test_a_confirmed_alias_ends_the_question_and_a_revoked_one_asks_it_again(home_copy: Path, tmp_path: Path) -> None:
    units = json.loads(run_sti("--home", home_copy, "units", "--json").stdout)
    university = next(unit for unit in units if "大学" in unit["名称"])
    rows = education_rows()
    rows["education_bureau__unit"][0] |= {
        "统一社会信用代码": university["统一社会信用代码"],
        "单位名称": "毫不相干",
    }
    path = write_return(tmp_path / "a.xlsx", "education_bureau", rows)

    def rules() -> set[str]:
        shown = json.loads(run_sti("--home", home_copy, "check", path, "--json").stdout)
        return {finding["rule_id"] for finding in shown[0]["findings"]}

    who = ("--by", "李四", "--reason", "来函说明更名")
    assert "RD-122" in rules()
    assert run_sti("--home", home_copy, "alias", "毫不相干", university["统一社会信用代码"], *who).exit_code == 0
    assert "RD-122" not in rules()
    assert run_sti("--home", home_copy, "alias", "毫不相干", code(5), *who).exit_code == 1
    assert run_sti("--home", home_copy, "alias", "某名", "123", *who).exit_code == 1
    assert run_sti("--home", home_copy, "unalias", "毫不相干", *who).exit_code == 0
    assert "RD-122" in rules()
    assert run_sti("--home", home_copy, "unalias", "毫不相干", *who).exit_code == 1


def test_the_run_asks_what_the_check_asked(home_copy: Path, tmp_path: Path) -> None:
    import openpyxl

    book = openpyxl.load_workbook(SAMPLES / "2026H1" / "市财政局_2026H1.xlsx")
    sheet = book["拨付明细"]
    heading = next(row for row in sheet.iter_rows() if any(cell.value == "凭证号" for cell in row))
    column = next(cell.column for cell in heading if cell.value == "收款单位")
    known = json.loads(run_sti("--home", home_copy, "units", "--json").stdout)[0]
    at = next(cell.column for cell in heading if str(cell.value).startswith("收款单位统一"))
    sheet.cell(heading[0].row + 1, column).value = known["名称"]
    sheet.cell(heading[0].row + 1, at).value = None
    path = tmp_path / "市财政局.xlsx"
    book.save(path)
    checked = json.loads(run_sti("--home", home_copy, "check", path, "--json").stdout)[0]["findings"]
    result = run_sti("--home", home_copy, "run", "2026H1", "--inbox", path, "--json")
    assert result.exit_code == 2
    ran = [f for f in json.loads(result.stdout)["blocking"] if f["rule_id"] == "RD-120"]
    assert ran
    assert [f["finding_id"] for f in ran] == [f["finding_id"] for f in checked if f["rule_id"] == "RD-120"]


def test_of_very_many_names_the_first_are_compared_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(names, "MOST_NAMES", 1)
    payments = [
        payment_row(1, 收款单位="某公司", 收款单位统一社会信用代码=None),
        payment_row(2, 收款单位="示例大学", 收款单位统一社会信用代码=None),
    ]
    path = write_return(
        tmp_path / "a.xlsx", "finance_bureau", finance_rows() | {"finance_bureau__gov_payment": payments}
    )
    (tmp_path / "scratch").mkdir()
    _, outcome = self_check([path], tmp_path / "scratch", REGISTER, Home.at(tmp_path / "home"))
    said = {f.rule_id: f.message for f in outcome.findings}
    assert "只比对了前 1 个" in said["RD-123"]
    assert "RD-120" not in said
