"""From a workbook with a doubtful cell to a release: explained in 核实说明, returned, explained anew, accepted; and what is refused on the way."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from expectations import findings as ledger
from expectations.replay import local_day
from orchestration.hand_ins import judge_slot, receive_all
from orchestration.options import RunOptions
from tests.conftest import SAMPLES
from tests.orchestration.city import FINANCE, FIRST_ROW, LATE, PERIOD, SHEET, City, explaining
from tests.workbooks import finance_rows, gov_row, payment_row, write_return
from warehouse import archive


def workbook(
    path: Path,
    day: int,
    *,
    paid_on: str = "2025-12-15",
    said: list[tuple[Any, ...]] | None = None,
    moved: bool = False,
    gov: dict[str, Any] | None = None,
) -> Path:
    """A finance return whose first voucher is paid outside the period; ``said`` are the rows of its 核实说明."""
    rows = finance_rows()
    doubtful, others = payment_row(1, 拨付日期=paid_on), [payment_row(n) for n in range(2, 4)]
    rows["finance_bureau__gov_payment"] = [*others, doubtful] if moved else [doubtful, *others]
    if gov:
        rows["finance_bureau__gov_input"][0] = gov_row("市本级") | gov
    return write_return(
        path, FINANCE, rows, reported_on=f"2026年7月{day}日", edit=explaining(said) if said is not None else None
    )


def line(cell: str, text: str, by: str = "张三", rule: str = LATE) -> tuple[Any, ...]:
    return (rule, SHEET, cell, text, by)


@pytest.fixture
def city(tmp_path: Path) -> City:
    return City(tmp_path)


def refused(result: Result, *words: str) -> None:
    assert result.exit_code == 2, result.stdout
    for word in words:
        assert word in result.stderr
    assert "Traceback" not in result.stderr


def test_a_doubtful_cell_waits_through_every_state_until_another_person_accepts_it_and_then_goes_out(
    city: City,
) -> None:
    workbook(city.inbox / "1.xlsx", 10)
    blocked = city.sti("run", PERIOD, "--inbox", city.inbox)
    refused(
        blocked, f"{SHEET}]!J{FIRST_ROW}", "等待 市财政局：说明或改正核实性问题 1 条", "市统计局、市委科技办：决定缺报"
    )
    assert city.late()["state"] == "未处理"
    short = city.late()["finding_id"][:8]
    refused(city.sti("decide", short, "--accept", "--by", "李四", "--reason", "好"), "还没有说明")

    workbook(city.inbox / "2.xlsx", 11, said=[line(f"J{FIRST_ROW}", "年底拨付，本年一月入账")])
    city.judge()
    assert (city.late()["state"], city.late()["explained_by"]) == ("已说明", "张三")
    assert (city.receipt()["state_label"], city.receipt()["explained_query_count"]) == ("待审定", 1)
    assert "张三" not in json.dumps(city.receipt(), ensure_ascii=False)
    causes = json.loads(city.sti("run", PERIOD, "--json").stdout)["causes"]
    assert [c["actor"] for c in causes if c["kind"] == "review"] == ["审核人"]
    refused(city.sti("decide", short, "--accept", "--by", "张 三", "--reason", "好"), "说明人", "另一个人")

    returned = city.sti("decide", short, "--return", "--by", "李四", "--reason", "请附入账凭证")
    assert returned.exit_code == 0, returned.stderr
    said = city.receipt()
    assert "请附入账凭证" in {f["decision_reason"] for f in said["findings"]}
    assert "被退回" in said["next_action"]
    city.judge()
    assert city.late()["state"] == "退回"

    # The row has moved, its unit and value have not.
    workbook(city.inbox / "3.xlsx", 12, said=[line(f"J{FIRST_ROW + 2}", "凭证见附件：一月八日入账")], moved=True)
    city.judge()
    assert (city.late()["state"], city.late()["cell"], city.late()["finding_id"][:8]) == (
        "已说明",
        f"J{FIRST_ROW + 2}",
        short,
    )
    accepted = city.sti("decide", short, "--accept", "--by", "李四", "--reason", "凭证相符")
    assert accepted.exit_code == 0, accepted.stderr
    assert (city.late()["state"], city.receipt()["state"]) == ("说明通过", "accepted")
    story = [e["what"] for e in json.loads(city.sti("findings", PERIOD, "--history", short, "--json").stdout)]
    assert story == ["未处理", "已说明", "退回", "已说明", "说明通过"]

    for sample in (SAMPLES / PERIOD).glob("*.xlsx"):
        if "财政局" not in sample.name:
            shutil.copy(sample, city.inbox)
    rest = ("--accept-queries", "--by", "李四", "--reason", "测试用，其余一次认可")
    published = city.sti("run", PERIOD, "--inbox", city.inbox, *rest)
    assert published.exit_code == 0, published.stderr
    assert city.late()["decision_kind"] == "explanation_accepted"
    assert (city.home / "published" / "warehouse.duckdb").exists()

    # Another value: what was said of the old one says nothing of it, though the sheet still stands in the workbook.
    workbook(city.inbox / "4.xlsx", 13, paid_on="2025-11-30", said=[line(f"J{FIRST_ROW}", "凭证见附件：一月八日入账")])
    city.judge()
    assert city.late()["state"] == "未处理"
    assert "2025-12-15" in city.notes()["RD-134"]
    assert "2025-11-30" in city.notes()["RD-134"]
    refused(city.sti("run", PERIOD), "等待 市财政局：说明或改正核实性问题 1 条")


def test_a_row_that_explains_nothing_is_said_and_takes_nothing_along(city: City) -> None:
    said = [
        line(f"j{FIRST_ROW}", "先写的一条"),
        line("Z99", "对不上的"),
        line(f"J{FIRST_ROW}", ""),
        line(f"J{FIRST_ROW}", "没有写谁说的", by=""),
        ("FIN-001", "政府科技创新投入", "B4", "合计就是这样", "张三"),
        line(f" ${'J'}${FIRST_ROW} ", "后写的一条", rule="gen-003"),
    ]
    workbook(city.inbox / "1.xlsx", 10, said=said, gov={"政府科技创新投入合计": 90.0})
    city.judge()
    (fin,) = [f for f in city.lines() if f["rule_id"] == "FIN-001" and f["rule_class"] == "mandatory"]
    assert fin["state"] == "未处理"
    assert (city.late()["state"], city.late()["explanation"]) == ("已说明", "后写的一条")
    told = [f for f in city.lines() if f["sheet"] == "核实说明"]
    assert {f["rule_class"] for f in told} == {"note"}
    assert {(f["rule_id"], f["cell"]) for f in told} == {
        ("RD-133", "4:4"), ("RD-130", "5:5"), ("RD-131", "6:6"), ("RD-131", "7:7"), ("RD-132", "8:8"),
    }  # fmt: skip
    checked = json.loads(city.sti("check", city.inbox / "1.xlsx", "--json").stdout)[0]
    assert {f["rule_id"] for f in checked["findings"]} >= {"RD-130", "RD-131", "RD-132", "RD-133"}


def test_a_waiver_lets_a_mandatory_finding_through_for_named_reasons_only_until_its_last_day(city: City) -> None:
    workbook(city.inbox / "1.xlsx", 10, paid_on="2026-03-01", gov={"政府科技创新投入合计": 90.0})
    city.judge()
    (broken,) = [f for f in city.lines("--open") if f["rule_class"] == "mandatory" and f["rule_id"] == "FIN-001"]
    ids = [f["finding_id"] for f in city.lines("--open")]
    refused(city.sti("explain", ids[0], "--by", "张三", "--text", "就是这样"), "强制性", "sti waive")
    refused(city.sti("decide", ids[0], "--accept", "--by", "李四", "--reason", "好"), "强制性")
    assert city.sti("waive", *ids, "--by", "李四", "--reason", "待补件", "--until", "明天").exit_code == 1
    refused(city.sti("waive", *ids, "--by", "李四", "--reason", "待补件", "--until", "2026-01-01"), "已经过去")
    refused(city.sti("waive", *ids, "--by", "李四", "--reason", "待补件", "--until", "2099-01-01"), "最长豁免到")
    until = local_day().isoformat()
    waived = city.sti("waive", *ids, "--by", "李四", "--reason", "待补件", "--until", until)
    assert waived.exit_code == 0, waived.stderr
    receipt = city.receipt()
    assert receipt["state"] == "accepted"
    assert {f["waived_until"] for f in receipt["findings"] if f["finding_id"] == broken["finding_id"]} == {until}
    revoked = city.sti("revoke", ids[0], "--by", "李四", "--reason", "已补件")
    assert revoked.exit_code == 0, revoked.stderr
    assert city.receipt()["state"] == "returned"


def test_what_was_never_read_cannot_be_waived(city: City) -> None:
    shutil.copy(SAMPLES / "faulty" / "missing-heading.xlsx", city.inbox)
    options = RunOptions(home=str(city.home))
    receive_all(options.where, city.inbox, PERIOD)
    (provider,) = {r.provider for r in archive.receipts(options.where)}
    judge_slot(options.where, provider, PERIOD, lambda f: options.settle("run-1", PERIOD, f"gate1:{provider}", f))
    (unread,) = [f for f in ledger.blocking(options.where.findings, PERIOD) if f.rule_id == "RD-009"]
    until = local_day().isoformat()
    refused(
        city.sti("waive", unread.finding_id, "--by", "李四", "--reason", "急", "--until", until), "不能豁免", "重新报送"
    )


def test_a_missing_return_waits_for_a_named_decision_which_ends_by_itself_when_it_arrives(city: City) -> None:
    decide = ("decide-missing", "市财政局", PERIOD, "--by", "王五", "--reason", "机构改革，移交中")
    decided = city.sti(*decide)
    assert decided.exit_code == 0, decided.stderr
    refused(city.sti(*decide), "已有缺报的决定")
    (missing,) = city.lines()
    assert (missing["rule_id"], missing["state"], missing["is_blocking"]) == ("RD-022", "同意缺报", False)
    assert city.sti("revoke", missing["finding_id"][:8], "--by", "王五", "--reason", "能报了").exit_code == 0
    assert city.lines()[0]["state"] == "未处理"
    assert city.sti(*decide).exit_code == 0
    blocked = city.sti("run", PERIOD)
    refused(blocked, "市统计局、市委科技办：决定缺报 1 条")
    causes = {(c["kind"], c["provider"]) for c in json.loads(city.sti("run", PERIOD, "--json").stdout)["causes"]}
    others = ("statistics_bureau", "education_bureau", "science_bureau", "health_commission")
    assert causes == {("decide_missing", provider) for provider in others}
    workbook(city.inbox / "1.xlsx", 10, paid_on="2026-03-01")
    city.sti("run", PERIOD, "--inbox", city.inbox)
    assert [line["state"] for line in city.lines() if line["rule_id"] == "RD-022"] == ["已修改"]
    refused(city.sti(*decide), "已经报送")


@pytest.fixture
def judged(city: City) -> Callable[[], list[str]]:
    rows = [payment_row(n, 拨付日期="2025-12-15") for n in range(1, 4)]
    write_return(city.inbox / "1.xlsx", FINANCE, finance_rows() | {"finance_bureau__gov_payment": rows})
    city.judge()
    return lambda: [f["state"] for f in city.lines() if f["rule_id"] == LATE]


def test_several_findings_are_decided_together_or_not_at_all(city: City, judged: Callable[[], list[str]]) -> None:
    ids = [f["finding_id"][:10] for f in city.lines() if f["rule_id"] == LATE]
    assert city.sti("explain", *ids[:2], "--by", "张三", "--text", "上年末拨付").exit_code == 0
    refused(city.sti("decide", *ids, "--accept", "--by", "李四", "--reason", "好"), "还没有说明")
    assert sorted(judged()) == ["已说明", "已说明", "未处理"]
    assert city.sti("decide", *ids[:2], "--accept", "--by", "李四", "--reason", "好").exit_code == 0
    refused(city.sti("decide", ids[0], "--return", "--by", "王五", "--reason", "不好"), "已经说明通过")
    for wrong in ("zz", "0123", ids[0][:3]):
        assert city.sti("decide", wrong, "--accept", "--by", "李四", "--reason", "好").exit_code == 1
    (city.home / "authority.yaml").write_text("accept: {names: [李四]}\n", encoding="utf-8")
    assert "authority.yaml" in city.sti("decide", ids[2], "--accept", "--by", "王五", "--reason", "好").stderr
    # Saved in the code page of a Chinese Windows: told what to do, not "internal error".
    (city.home / "authority.yaml").write_text("accept: {names: [李四]}\n", encoding="gb18030")
    refused_file = city.sti("decide", ids[2], "--accept", "--by", "李四", "--reason", "好")
    assert refused_file.exit_code in (1, 2)
    assert "另存为 UTF-8" in refused_file.stderr


def test_who_accepts_in_one_go_does_not_accept_what_they_explained_themselves(
    city: City, judged: Callable[[], list[str]]
) -> None:
    ids = [f["finding_id"] for f in city.lines() if f["rule_id"] == LATE]
    assert city.sti("explain", ids[0], "--by", "张三", "--text", "上年末拨付").exit_code == 0
    result = city.sti("run", PERIOD, "--accept-queries", "--by", "张三", "--reason", "一次认可")
    assert result.exit_code == 2
    assert sorted(judged()) == ["已说明", "说明通过", "说明通过"]
    assert "审核人：审定说明 1 条" in result.stderr
