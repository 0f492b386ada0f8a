"""Credit codes: every registry is valid, and a damaged code says how it was damaged; suggestions are never put in."""

import pytest

from sources.identifiers import code_fault
from sources.unit_register import closest, register_of
from tests.workbooks import code

UNITS = [("A", "嘉兴大学"), ("B", "示例第一医院"), ("C", "示例第二医院"), ("D", "嘉兴南湖学院")]


@pytest.mark.parametrize("registry", ["A1", "N2", "N3", "Y1", "91", "12", "52", "11", "35", "41", "62", "72", "81"])
def test_a_code_of_any_registry_is_valid(registry: str) -> None:
    assert code_fault(code(3, registry + "330400")) == ""


@pytest.mark.parametrize(
    ("damaged", "said"),
    [
        ("9.13304E+17", "科学计数法"),
        ("9.1330411234567E17", "科学计数法"),
        ("913304000000000000", "按数值存过"),
        ("12345678-X", "组织机构代码"),
        ("123456789", "组织机构代码"),
        ("1233040012345678", "长度为16位"),
        ("9133-4000000000000", "不允许的字符“-”"),
    ],
)
def test_a_damaged_code_says_what_damaged_it(damaged: str, said: str) -> None:
    assert said in code_fault(damaged)


def test_a_letter_taken_for_a_digit_is_named_with_the_code_that_may_be_meant() -> None:
    whole = code(1200)
    damaged = whole.replace("0", "O", 1)
    assert f"是不是 {whole}" in code_fault(damaged)
    assert "是不是" not in code_fault(damaged[:-1] + ("1" if whole[-1] != "1" else "2"))


def test_a_name_suggests_the_units_that_it_may_mean_and_no_others() -> None:
    register = register_of(UNITS)
    assert register.codes_of("嘉兴 大学") == ["A"]
    assert register.alike("嘉兴大学（梁林校区）") == [("嘉兴大学", "A")]
    assert register.alike("市财政局") == []
    assert register.alike("嘉兴大学") == []


def test_a_name_is_strange_only_where_it_is_unlike_every_name_of_its_code() -> None:
    register = register_of([*UNITS, ("A", "嘉大")])
    assert not register.is_strange("A", "嘉兴大学本部")
    assert not register.is_strange("A", "嘉大")
    assert not register.is_strange("X", "谁也不认识")
    assert register.is_strange("A", "示例第一医院")


@pytest.mark.parametrize(("written", "meant"), [("南湖", "南湖区"), ("嘉善", "嘉善县"), ("上海市", ""), ("", "")])
def test_a_misspelt_area_is_asked_about_only_where_one_is_near(written: str, meant: str) -> None:
    assert closest(written, ["南湖区", "秀洲区", "嘉善县", "海宁市"]) == meant
