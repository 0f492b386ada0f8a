"""One cell, one value: exact money, five kinds of emptiness, faults that say what was found."""

from datetime import date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.bulk.columns import ColumnReader
from sources.contracts import Column
from sources.identifiers import code_fault
from sources.text import clean, code_of
from sources.values import WAN_PER_UNIT, CellFault, cell_reader, date_of, number_of
from tests.workbooks import code

AMOUNT = Column(name="amount_wan", heading="金额", type="money")
TOTAL = Column(name="total_wan", heading="合计", type="money", numbers_only=True, required=True)


def read(raw: object, column: Column = AMOUNT, unit: str = "万元") -> object:
    return cell_reader(column, WAN_PER_UNIT[unit], {"南湖区": "330402"})(raw)


def fault(raw: object, column: Column) -> str:
    with pytest.raises(CellFault) as error:
        read(raw, column)
    return error.value.rule_id


@pytest.mark.parametrize(
    ("raw", "number"),
    [
        (0.1 + 0.2, "0.3"),
        (1234.5, "1234.5"),
        ("1,234.50", "1234.50"),
        ("１，２３４．５０", "1234.50"),
        ("  6，124.86 ", "6124.86"),
        ("-12.5", "-12.5"),
        ("+3", "3"),
        (116.000843, "116.000843"),
        (123456789012345, "123456789012345"),
    ],
)
def test_a_number_is_read_exactly_whether_numeric_or_text(raw: object, number: str) -> None:
    assert number_of(raw) == Decimal(number)


@pytest.mark.parametrize(
    "raw", ["约100", "100万", "123①", "10²", "1,23", "1.2.3", "--5", "1 234", "（5）", "½", "", "五百", "1e5", True]
)
def test_what_is_not_plainly_a_number_is_never_taken_for_one(raw: object) -> None:
    assert number_of(raw) is None


@pytest.mark.parametrize(
    ("unit", "wan"), [("元", "0.123457"), ("千元", "123.456700"), ("万元", "1234.567000"), ("亿元", "12345670.000000")]
)
def test_every_unit_converts_to_wan_exactly(unit: str, wan: str) -> None:
    assert read(1234.567, unit=unit).value == Decimal(wan)


@given(
    st.decimals(min_value=-(10**9), max_value=10**9, places=2, allow_nan=False), st.sampled_from(["元", "千元", "万元"])
)
def test_any_amount_in_fen_survives_as_number_and_as_text(amount: Decimal, unit: str) -> None:
    expected = (amount * WAN_PER_UNIT[unit]).quantize(Decimal("0.000001"))
    assert read(float(amount), unit=unit).value == expected
    assert read(f"{amount:,}", unit=unit).value == expected


def test_the_kinds_of_emptiness_stay_apart() -> None:
    found = {raw: (read(raw).value, read(raw).status) for raw in ("-", "—", "…", None, "", "　 ", 0, "0")}
    assert found["-"] == found["—"] == (0, "nil")
    assert found["…"] == (0, "below_unit")
    assert found[None] == found[""] == found["　 "] == (None, "not_reported")
    assert found[0] == found["0"] == (0, "reported")


def test_totals_hold_numbers_only() -> None:
    assert fault("-", TOTAL) == "RD-106"
    assert fault("…", TOTAL) == "RD-106"
    assert fault(None, TOTAL) == "RD-115"
    assert read(0, TOTAL).value == 0


@pytest.mark.parametrize("raw", ["#REF!", "#N/A", "#DIV/0!", "#name?"])
def test_an_error_value_is_never_a_blank(raw: str) -> None:
    assert fault(raw, AMOUNT) == "RD-101"
    assert fault(raw, Column(name="name", heading="单位名称", type="text")) == "RD-101"


def test_finer_than_a_fen_is_remarked_and_rounded_half_up() -> None:
    cell = read(1.00005, unit="元")
    assert cell.value == Decimal("0.000100")
    assert cell.remark[0] == "RD-105"
    assert read(1.01, unit="元").remark is None


def test_an_absurd_amount_is_refused() -> None:
    assert fault(10**15, AMOUNT) == "RD-107"


def test_numbers_as_text_are_said() -> None:
    assert read("1,234.50").remark[0] == "RD-104"


@pytest.mark.parametrize(
    "raw",
    [
        datetime(2026, 3, 15),
        date(2026, 3, 15),
        "2026-03-15",
        "2026/3/15",
        "2026年3月15日",
        "２０２６－０３－１５",
        " 2026-3-15 ",
    ],
)
def test_dates_are_read_as_people_write_them(raw: object) -> None:
    assert date_of(raw) == date(2026, 3, 15)


@pytest.mark.parametrize("raw", ["2026-02-30", "15/3/2026", "2026.3.15", "45838", 45838, "今天"])
def test_what_is_no_date_is_a_fault(raw: object) -> None:
    assert fault(raw, Column(name="paid_on", heading="拨付日期", type="date")) == "RD-114"


UNIT = Column(name="unit_code", heading="统一社会信用代码", type="uscc", required=True)
PAYER = Column(name="payer_code", heading="出资单位统一社会信用代码", type="uscc")


def test_a_numeric_code_has_lost_digits() -> None:
    assert fault(913304811234567890, UNIT) == fault(9.13304811234567e17, PAYER) == "RD-108"


def test_codes_compare_without_blanks_width_and_case() -> None:
    good = code(7)
    assert read(f" {good[:9].lower()}　{good[9:]} ", UNIT).value == good


def test_a_wrong_check_character_is_hard_for_the_own_unit_and_asked_for_others() -> None:
    bad = code(7)[:-1] + ("A" if code(7)[-1] != "A" else "B")
    assert fault(bad, UNIT) == "RD-109"
    assert read(bad, PAYER).remark[0] == "RD-110"


@pytest.mark.parametrize("registry", ["A1", "N2", "Y1", "91", "12", "52"])
def test_valid_codes_of_every_registry_are_valid(registry: str) -> None:
    assert code_fault(code(7, registry + "330400")) == ""


def test_an_area_outside_the_register_is_refused() -> None:
    area = Column(name="area_key", heading="地区", type="area", required=True)
    assert read("南 湖区", area).value == "330402"
    assert fault("全市", area) == fault("嘉兴", area) == "RD-111"


def test_enumerations_and_booleans_take_only_their_words() -> None:
    enum = Column(name="kind", heading="规上类别", type="enum", values=("工业", "其他"))
    boolean = Column(name="is_x", heading="国有控股", type="boolean")
    assert read("工 业", enum).value == "工业"
    assert fault("农业", enum) == "RD-112"
    assert (read("是", boolean).value, read("否", boolean).value) == (True, False)
    assert fault("√", boolean) == fault(1, boolean) == "RD-113"


def test_text_keeps_its_leading_zeros_and_loses_control_characters() -> None:
    text = Column(name="voucher_no", heading="凭证号", type="text")
    assert read("007", text).value == "007"
    assert read(7.0, text).value == "7"
    assert clean("　甲\x00乙 ") == "甲乙"
    assert code_of(" ht２０２６-1 ") == "HT2026-1"


def test_a_numeric_industry_code_is_asked_about() -> None:
    industry = Column(name="industry_code", heading="行业代码", type="code")
    assert read(111, industry).remark[0] == "RD-116"
    assert read("0111", industry).value == "0111"


@pytest.mark.parametrize("written", ["-", "—", "－", "/", "无", " 无 ", "0", 0, "n/a", "无编号"])
def test_what_stands_for_no_number_is_no_number_that_other_rows_could_share(written: object) -> None:
    number = Column(name="project_no", heading="项目编号", type="reference")
    cell = read(written, number)
    assert (cell.value, cell.remark[0]) == (None, "RD-119")  # type: ignore[attr-defined]
    assert read("无-2026/0", number).value == "无-2026/0"  # type: ignore[attr-defined]


@pytest.mark.parametrize("written", ["-", "/", "无", "0"])
def test_the_fast_way_knows_what_stands_for_no_number(written: str) -> None:
    column = Column(name="project_no", heading="项目编号", type="reference")
    piece = ColumnReader(column, 0, WAN_PER_UNIT["万元"], {}).read(pa.array([written, "P1"]))
    assert piece.values.to_pylist() == [None, "P1"]
    assert [(position, note.rule_id) for position, note in piece.notes] == [(0, "RD-119")]
