"""A received value changes only by a slip that says what stood there, who asked and who approved; and it can be seen ever after."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow.parquet as pq
import pytest
import yaml

from tests.conftest import ACCEPT, SAMPLES, run_sti
from tests.slots import current_reading
from tests.workbooks import finance_rows, payment_row, with_cell, write_return
from warehouse import archive, corrections, layers
from warehouse.correction_slip import SlipError, load_slip, register, registered, withdraw
from warehouse.paths import Home

PERIOD = "2026H1"
LEDGER = "finance_bureau__gov_payment"


def entry(**more: Any) -> dict[str, Any]:
    row = {
        "table": LEDGER,
        "key": {"voucher_no": "PZ000002"},
        "column": "amount_wan",
        "expected": "10",
        "value": "12.5",
    }
    return row | more


def slip(path: Path, *entries: dict[str, Any], **more: Any) -> Path:
    data: dict[str, Any] = {
        "provider": "finance_bureau",
        "period": PERIOD,
        "reason": "市财政局来函更正",
        "requester": "张三（市财政局）",
        "approver": "李四（市委科技办）",
        "requested_on": "2026-07-20",
        "corrections": [*entries] or [entry()],
    }
    path.write_text(yaml.safe_dump(data | more, allow_unicode=True), encoding="utf-8")
    return path


def received(home: Home, folder: Path, name: str = "a.xlsx", **changes: Any) -> None:
    """Receive and read a small finance return; its second payment is changed as asked."""
    rows = finance_rows() | {LEDGER: [payment_row(1), payment_row(2, **changes), payment_row(3)]}
    path = write_return(folder / name, "finance_bureau", rows, reported_on=f"2026年7月{10 + len(name)}日")
    archive.receive(home, path, PERIOD)
    layers.write_raw(home, current_reading(home, "finance_bureau", PERIOD))


def judged(home: Home, column: str = "amount_wan") -> list[Any]:
    files = layers.judged_files(home, "finance_bureau", PERIOD)
    return pq.read_table(files[LEDGER])[column].to_pylist()


def correct_the_sample(home: Path, folder: Path) -> None:
    """Register a slip on one figure of the sample city's finance summary."""
    change = entry(
        table="finance_bureau__gov_input",
        key={"area_key": "南湖区"},
        column="gov_platform_wan",
        expected="13116.42",
        value="13216.42",
    )
    assert run_sti("--home", home, "correct", slip(folder / "s.yaml", change)).exit_code == 0


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home.at(tmp_path / "home")
    received(home, tmp_path)
    return home


def test_a_correction_reaches_the_published_figure_and_the_trace_says_by_whom_and_why(
    home_copy: Path, tmp_path: Path
) -> None:
    correct_the_sample(home_copy, tmp_path)
    result = run_sti("--home", home_copy, "run", PERIOD, *ACCEPT)
    assert result.exit_code == 0, result.stderr
    arguments = ("trace", "--period", PERIOD, "--area", "330402", "--indicator", "gov_platform", "--json")
    found = json.loads(run_sti("--home", home_copy, *arguments).stdout)
    assert (found["value_wan"], found["is_explained"]) == ("13216.420000", True)
    assert found["cells"][0]["written"] == "13116.42"
    for said in ("市财政局来函更正", "张三", "李四", "13116.420000", "13216.420000"):
        assert said in found["cells"][0]["correction"]
    home = Home.at(home_copy)
    raw = pq.read_table(home.rows("raw", "finance_bureau__gov_input", PERIOD))
    assert Decimal("13116.42") in raw["gov_platform_wan"].to_pylist()


def test_a_slip_whose_old_value_no_longer_stands_blocks_the_run_until_it_is_withdrawn(
    home_copy: Path, tmp_path: Path
) -> None:
    correct_the_sample(home_copy, tmp_path)
    book = openpyxl.load_workbook(SAMPLES / PERIOD / "市财政局_2026H1.xlsx")
    with_cell("政府科技创新投入", "F5", 13000)(book)
    book.save(tmp_path / "新.xlsx")
    result = run_sti("--home", home_copy, "run", PERIOD, "--inbox", tmp_path / "新.xlsx", *ACCEPT)
    assert result.exit_code == 2
    assert "RD-097" in result.stderr
    assert "原值应为 13116.420000，现在报的是 13000.000000" in result.stderr
    number = registered(Home.at(home_copy))[0].slip_no
    assert run_sti("--home", home_copy, "withdraw", number, "--by", "王五", "--reason", "单位已自行改正").exit_code == 0
    assert corrections.apply(Home.at(home_copy), "finance_bureau", PERIOD) == []
    listed = json.loads(run_sti("--home", home_copy, "corrections", "--json").stdout)
    assert [(line["slip_no"], line["withdrawn_by"]) for line in listed] == [(number, "王五")]


def test_raw_stays_as_reported_and_only_the_named_cell_changes(home: Home, tmp_path: Path) -> None:
    register(home, *load_slip(slip(tmp_path / "s.yaml")))
    found = corrections.apply(home, "finance_bureau", PERIOD)
    assert [(f.rule_id, f.rule_class, f.cell) for f in found] == [("RD-096", "note", "K5")]
    assert judged(home) == [Decimal(10), Decimal("12.5"), Decimal(10)]
    raw = home.rows("raw", LEDGER, PERIOD)
    assert pq.read_table(raw)["amount_wan"].to_pylist() == [Decimal(10)] * 3
    before, after = pq.read_table(raw), pq.read_table(layers.judged_files(home, "finance_bureau", PERIOD)[LEDGER])
    assert before.drop(["amount_wan"]).equals(after.drop(["amount_wan"]))
    manifest = layers.manifest_of(layers.judged_files(home, "finance_bureau", PERIOD)[LEDGER])
    assert manifest.control_totals_wan["amount_wan"] == "32.500000"


def test_gate_1_must_see_the_corrected_rows_before_they_are_accepted(home: Home, tmp_path: Path) -> None:
    layers.write_gate_record(home, "finance_bureau", PERIOD, {"findings": []})
    register(home, *load_slip(slip(tmp_path / "s.yaml")))
    corrections.apply(home, "finance_bureau", PERIOD)
    with pytest.raises(layers.LayerError):
        layers.accept(home, "finance_bureau", PERIOD)
    layers.write_gate_record(home, "finance_bureau", PERIOD, {"findings": []})
    accepted = layers.accept(home, "finance_bureau", PERIOD)
    assert Decimal("12.5") in pq.read_table(accepted[LEDGER])["amount_wan"].to_pylist()


def test_a_withdrawn_slip_leaves_no_trace_in_the_rows(home: Home, tmp_path: Path) -> None:
    number = register(home, *load_slip(slip(tmp_path / "s.yaml"))).slip_no
    corrections.apply(home, "finance_bureau", PERIOD)
    withdraw(home, number, "王五", "对方撤回")
    assert corrections.apply(home, "finance_bureau", PERIOD) == []
    assert judged(home) == [Decimal(10)] * 3


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"金额": 11}, "现在报的是 11.000000"),
        ({"金额": "12.5"}, "现在报的是 12.500000"),
        ({"凭证号": "PZ000009"}, "现在的报表里没有这一行"),
    ],
)
def test_a_newer_version_is_never_overwritten_by_an_old_slip(
    home: Home, tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    register(home, *load_slip(slip(tmp_path / "s.yaml")))
    received(home, tmp_path, "newer.xlsx", **changes)
    found = corrections.apply(home, "finance_bureau", PERIOD)
    assert [(f.rule_id, f.rule_class) for f in found] == [("RD-097", "mandatory")]
    assert said in found[0].message
    assert Decimal("12.5") not in judged(home) or changes.get("金额") == "12.5"


def test_blank_nil_and_zero_are_different_old_values(home: Home, tmp_path: Path) -> None:
    table = "finance_bureau__gov_input"
    zero = entry(table=table, key={"area_key": "市本级"}, column="gov_talent_wan", expected="-", value="1")
    register(home, *load_slip(slip(tmp_path / "s.yaml", zero)))
    assert [f.rule_id for f in corrections.apply(home, "finance_bureau", PERIOD)] == ["RD-097"]
    blank = entry(column="memo_category", expected=None, value="产业基金")
    to_blank = entry(column="project_no", expected="P2", value=None)
    register(home, *load_slip(slip(tmp_path / "t.yaml", blank, to_blank)))
    corrections.apply(home, "finance_bureau", PERIOD)
    assert judged(home, "memo_category") == [None, "产业基金", None]
    assert judged(home, "project_no") == ["P1", None, "P3"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"approver": "张三（市委科技办）"}, "不能是同一个人"),
        ({"reason": ""}, "reason"),
        ({"period": "2099H1"}, "不在日历内"),
        ({"provider": "nobody"}, "没有 nobody 这个单位"),
        ({"corrections": []}, "corrections"),
        ({"corrections": [entry(value=12.5)]}, "加引号"),
        ({"corrections": [entry(value="约12")]}, "不是数字"),
        ({"corrections": [entry(value="10.0")]}, "新值与原值相同"),
        ({"corrections": [entry(column="amount")]}, "没有 amount 这一列"),
        ({"corrections": [entry(key={"payee_code": "x"})]}, "key：须写 voucher_no"),
        ({"corrections": [entry(table="education_bureau__unit")]}, "没有 education_bureau__unit 这张表"),
        ({"corrections": [entry(), entry(value="13")]}, "写了两次"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_a_faulty_slip_is_refused_by_name_and_nothing_is_kept(
    home: Home, tmp_path: Path, wrong: dict[str, Any], said: str
) -> None:
    result = run_sti("--home", home.root, "correct", slip(tmp_path / "s.yaml", **wrong))
    assert result.exit_code == 1
    assert said in result.stderr
    assert registered(home) == []


def test_a_slip_that_does_not_fit_what_stands_now_is_not_registered(home: Home, tmp_path: Path) -> None:
    result = run_sti("--home", home.root, "correct", slip(tmp_path / "s.yaml", entry(expected="11")))
    assert result.exit_code == 2
    assert "原值应为 11.000000，现在报的是 10.000000" in result.stderr
    assert registered(home) == []


def test_two_slips_cannot_change_one_cell(home: Home, tmp_path: Path) -> None:
    register(home, *load_slip(slip(tmp_path / "s.yaml")))
    with pytest.raises(SlipError, match="请先撤销它"):
        register(home, *load_slip(slip(tmp_path / "t.yaml", entry(value="14"))))


def test_a_kept_slip_that_was_changed_stops_everything(home: Home, tmp_path: Path) -> None:
    number = register(home, *load_slip(slip(tmp_path / "s.yaml"))).slip_no
    kept = home.corrections / f"{number}.yaml"
    assert kept.stat().st_mode & 0o777 == 0o444
    kept.chmod(0o644)
    kept.write_text(kept.read_text(encoding="utf-8").replace("12.5", "99"), encoding="utf-8")
    with pytest.raises(SlipError, match="缺失或被改动"):
        corrections.apply(home, "finance_bureau", PERIOD)
    assert run_sti("--home", home.root, "corrections").exit_code == 1
