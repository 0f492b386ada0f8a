"""A list that is cut says everywhere how much it stands for, and is decided on as a whole, until a value that it does not list changes."""

import json
from pathlib import Path

import openpyxl
import pytest

from expectations.receipt_listing import FINDINGS_LISTED, listed
from orchestration.printing import FINDINGS_SHOWN
from orchestration.status import status_table
from sources.limited import findings_per_rule
from tests.orchestration.city import FINANCE, LATE, PERIOD, SHEET, City, explaining
from tests.warehouse.test_corrections import LEDGER, entry, slip
from tests.workbooks import finance_rows, payment_row, write_return
from warehouse import quality as pages
from warehouse.paths import Home

COUNT = 1500
FINE = "RD-105"
"""The reading rule that an amount is no finer than a fen: 核实性."""
WORDS = "年底拨付，本年一月入账"


def late_payments(
    city: City,
    day: int,
    *,
    changed: dict[int, str] | None = None,
    fine: dict[int, str] | None = None,
    said: list[tuple[str, ...]] | None = None,
    count: int = COUNT,
) -> None:
    """Hand in a ledger paid outside the period row by row; ``changed`` are other dates, ``fine`` amounts, by place."""
    rows = [
        payment_row(
            n, 拨付日期=(changed or {}).get(n, "2025-12-15"), 金额="0.0010001" if fine is None else fine.get(n, 0.001)
        )
        for n in range(count)
    ]
    write_return(
        city.inbox / f"{day}.xlsx",
        FINANCE,
        finance_rows() | {LEDGER: rows},
        reported_on=f"2026年7月{day}日",
        edit=explaining(said) if said else None,
    )


@pytest.fixture
def city(tmp_path: Path) -> City:
    return City(tmp_path)


def decide(city: City, rule_id: str) -> str:
    """Explain and accept all open findings of a rule; return what the screen said."""
    told = ""
    for words in (
        ("explain", "--by", "张三", "--text", WORDS),
        ("decide", "--accept", "--by", "李四", "--reason", "好"),
    ):
        ids = city.sti("findings", PERIOD, "--open", "--provider", FINANCE, "--rule", rule_id, "--ids").stdout.split()
        result = city.sti(words[0], *ids, *words[1:])
        assert result.exit_code == 0, result.stderr
        told += result.stdout
    return told


def test_every_place_says_how_many_there_are_and_not_how_many_are_listed(city: City, tmp_path: Path) -> None:
    late_payments(city, 10, fine={})
    checked = city.sti("check", city.inbox / "10.xlsx", "--receipt", tmp_path / "self")
    assert f"核实性 {COUNT}" in checked.stdout
    # What closes the list comes first, having no cell; the last is a note.
    assert f"另有 {COUNT - 500 - (FINDINGS_SHOWN - 1) + 1} 条" in checked.stdout

    run = city.sti("run", PERIOD, "--inbox", city.inbox)
    assert f"强制性问题 0 条，未认可的核实性问题 {COUNT} 条" in run.stderr
    assert f"等待 市财政局：说明或改正核实性问题 {COUNT} 条" in run.stderr
    more = int(run.stderr.partition("条，见 sti findings")[0].split()[-1])
    assert COUNT + 4 - more in (FINDINGS_SHOWN, FINDINGS_SHOWN - 1 + 500)

    told = city.sti("findings", PERIOD, "--provider", FINANCE, "--rule", LATE)
    assert f"{COUNT} 条，其中 {COUNT} 条挡住发布；台账列了 {findings_per_rule() + 1} 行" in told.stderr
    (finance,) = [row for row in json.loads(city.sti("status", PERIOD, "--json").stdout) if row["provider"] == FINANCE]
    assert (finance["状态"], finance["核实性"]) == ("待说明", COUNT)
    board = status_table(Home.at(city.home)).rows.to_pylist()
    (published,) = [row for row in board if (row["period"], row["table_id"]) == (PERIOD, LEDGER)]
    assert (published["findings_query_count"], published["return_query_count"]) == (COUNT, COUNT)

    receipt = city.receipt()
    assert (receipt["query_count"], receipt["blocking_query_count"]) == (COUNT, COUNT)
    assert f"核实性问题 {COUNT} 条待说明" in receipt["next_action"]
    (book,) = (city.home / "receipts").rglob("receipt.xlsx")
    assert f"核实性 {COUNT} 条" in openpyxl.load_workbook(book)["问题清单"]["A1"].value

    page = pages.document(pages.newest_page(Home.at(city.home), PERIOD).parent)  # type: ignore[union-attr]
    assert page is not None
    (ledger,) = [t for t in page["sections"][f"gate1:{FINANCE}"]["tables"] if t["table_id"] == LEDGER]
    assert [c["failed_count"] for c in ledger["checks"] if c["rule_id"] == LATE] == [COUNT]
    assert [line["count"] for line in page["to_do"] if line["rule_id"] == LATE] == [COUNT]
    assert f"核实性问题 {COUNT} 处" in page["verdict"]["text"]

    assert f"已说明，等待审定：sti decide（{COUNT} 条）" in decide(city, LATE)
    assert city.receipt()["state_label"] == "受理"
    accepted = city.sti("run", PERIOD, "--json", "--accept-queries", "--by", "王五", "--reason", "其余")
    assert json.loads(accepted.stdout)["accepted_query_count"] == 0


def test_what_one_run_accepts_is_counted_in_places(city: City) -> None:
    late_payments(city, 10, fine={})
    run = city.sti("run", PERIOD, "--inbox", city.inbox, "--json", "--accept-queries", "--by", "李四", "--reason", "好")
    assert json.loads(run.stdout)["accepted_query_count"] == COUNT


def test_a_value_beyond_the_list_makes_what_was_accepted_lapse_and_blocks_again(city: City) -> None:
    late_payments(city, 10)
    city.judge()
    assert {f["rule_id"] for f in city.open_ones()} == {LATE, FINE}
    decide(city, "")
    city.accept()

    late_payments(city, 11, changed={COUNT - 1: "2025-12-16"})
    city.judge()
    # The list that the suites cut, and the one that the reader cut: both stand for the whole file that was decided on.
    assert [(f["rule_id"], f["stands_for_count"]) for f in city.open_ones()] == [(LATE, 500), (FINE, 500)]
    decide(city, "")
    city.accept()

    # The same file, and a slip: what the suites judge has changed, what the reader said of the file stands.
    change = entry(
        key={"voucher_no": f"PZ{COUNT - 2:06d}"}, column="paid_on", expected="2025-12-15", value="2025-12-17"
    )
    assert city.sti("correct", slip(city.home / "slip.yaml", change)).exit_code == 0
    city.judge()
    assert [(f["rule_id"], f["stands_for_count"]) for f in city.open_ones()] == [(LATE, 500)]
    blocked = city.sti("run", PERIOD)
    assert (blocked.exit_code, "等待 市财政局：说明或改正核实性问题 500 条" in blocked.stderr) == (2, True)


def test_one_row_of_the_workbook_explains_every_cell_of_a_rule_until_a_value_changes(city: City) -> None:
    said = [(LATE, SHEET, "J5", "这一笔另有凭证", "张三"), (LATE, SHEET, "全部", WORDS, "张三")]
    late_payments(city, 10, fine={}, said=said)
    city.judge()
    assert {f["state"] for f in city.open_ones(LATE)} == {"已说明"}
    told = {f["cell"]: f["explanation"] for f in city.open_ones(LATE)}
    assert (told["J4"], told["J5"], told[""]) == (WORDS, "这一笔另有凭证", WORDS)
    assert city.notes() == {}
    decide_all = [f["finding_id"] for f in city.open_ones(LATE)]
    assert city.sti("decide", *decide_all, "--accept", "--by", "李四", "--reason", "好").exit_code == 0
    late_payments(city, 11, fine={}, said=said, changed={COUNT - 1: "2025-12-16"})
    city.judge()
    assert [(f["stands_for_count"], f["state"]) for f in city.open_ones()] == [(500, "未处理")]
    assert "原说明已失效" in city.notes()["RD-134"]


def test_a_receipt_of_many_findings_lists_some_of_every_rule_and_counts_the_rest() -> None:
    counts = {"A-1": 3, "B-2": 1000, "C-3": 900, "D-4": 1001}
    findings = [
        {"rule_id": rule, "table_id": "t", "sheet": "表", "cell": f"A{n}", "stands_for_count": 500 if n == 1000 else 1}
        for rule, count in counts.items()
        for n in range(count)
    ]
    rows = listed(findings)
    assert len(rows) <= FINDINGS_LISTED
    for rule, count in counts.items():
        mine = [row for row in rows if row["rule_id"] == rule]
        assert sum(row["stands_for_count"] for row in mine) == count + (499 if count == 1001 else 0)
        assert len(mine) == min(count, 665)
    assert listed(findings[:50]) == findings[:50]
