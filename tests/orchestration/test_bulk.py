"""Ledgers delivered in bulk beside the workbook: the same published figures, traced to the bulk file; old never meets new."""

import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from sources.finding import Finding
from sources.workbook import WorkbookReading
from tests.bulk_files import csv_text, sheet_rows, without_sheet, write_csv, write_parquet
from tests.conftest import ACCEPT, SAMPLES, run_sti
from tests.slots import current_reading
from tests.workbooks import finance_rows, payment_row, write_return
from warehouse import archive, layers, query
from warehouse.paths import Home

PERIOD = "2026H1"
SOURCES = SAMPLES / PERIOD
PAYMENT = "finance_bureau__gov_payment"


@pytest.fixture(scope="module")
def bulk_home(sample_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample home with 2026H1 delivered again: three ledgers in bulk, each in another form."""
    home = tmp_path_factory.mktemp("bulk") / "home"
    shutil.copytree(sample_home, home, ignore=shutil.ignore_patterns("dagster", "dbt"))
    inbox = home.with_name("inbox")
    inbox.mkdir()
    books = {name: SOURCES / f"{name}_{PERIOD}.xlsx" for name in ("市财政局", "市教育局", "市统计局")}
    sheets = {"市财政局": "拨付明细", "市教育局": "经费来源明细", "市统计局": "规上企业研发费用"}
    for name, book in books.items():
        without_sheet(book, sheets[name], inbox / book.name)
    (inbox / "明细").mkdir()
    write_csv(
        inbox / "明细" / "财政.csv", sheet_rows(books["市财政局"], "拨付明细"), encoding="gb18030", delimiter="\t"
    )
    write_csv(inbox / "明细" / "企业.csv", sheet_rows(books["市统计局"], "规上企业研发费用"))
    write_parquet(inbox / "明细" / "来源.parquet", books["市教育局"], "education_bureau__inflow")
    result = run_sti("--home", home, "run", PERIOD, "--inbox", inbox, *ACCEPT)
    assert result.exit_code == 0, result.stderr
    return home


@pytest.mark.parametrize(
    "select",
    [
        "select * exclude (release_id) from mart_half_year_monitoring order by all",
        "select * exclude (evidence) from fct_elimination order by all",
        "select * from fct_indicator_value order by all",
    ],
    ids=["mart", "ledger", "values"],
)
def test_what_is_published_equals_what_the_workbooks_alone_give(
    sample_home: Path, bulk_home: Path, select: str
) -> None:
    assert query.run_query(Home.at(bulk_home), select).equals(query.run_query(Home.at(sample_home), select))


def test_the_rows_in_use_came_from_the_bulk_files_with_the_same_control_totals(
    sample_home: Path, bulk_home: Path
) -> None:
    for table_id, name in ((PAYMENT, "财政.csv"), ("education_bureau__inflow", "来源.parquet")):
        paths = [Home.at(home).rows("accepted", table_id, PERIOD) for home in (bulk_home, sample_home)]
        bulk, sheet = map(layers.manifest_of, paths)
        assert bulk.file_name == name
        assert bulk.control_totals_wan == sheet.control_totals_wan
        own = ["row_id", "file_sha256", "row_number"]
        assert pq.read_table(paths[0]).drop(own).equals(pq.read_table(paths[1]).drop(own))
    assert not list((bulk_home / "spool").rglob("*.parquet"))


def test_a_figure_is_traced_to_the_row_and_cell_of_the_bulk_file(bulk_home: Path, sample_home: Path) -> None:
    arguments = ("trace", "--period", PERIOD, "--area", "330402", "--indicator", "enterprise_rd", "--json")
    results = [run_sti("--home", home, *arguments) for home in (bulk_home, sample_home)]
    assert [result.exit_code for result in results] == [0, 0], results[0].stderr + results[1].stderr
    bulk, sheet = (json.loads(result.stdout) for result in results)
    assert bulk["is_explained"]
    assert {cell["file_name"] for cell in bulk["cells"]} == {"企业.csv"}
    told = [[(c["cell"], c["written"], c["value_wan"]) for c in found["cells"]] for found in (bulk, sheet)]
    assert told[0] == told[1]


def test_a_check_of_a_bulk_file_says_what_a_run_would_and_stores_nothing(tmp_path: Path) -> None:
    book = write_return(tmp_path / "财政.xlsx", "finance_bureau", finance_rows())
    rows = sheet_rows(book, "拨付明细")
    rows[4][10] = "约100"
    slim = without_sheet(book, "拨付明细", tmp_path / "汇总.xlsx")
    ledger = write_csv(tmp_path / "拨付.csv", rows)
    alone = run_sti("--home", tmp_path / "home", "check", ledger)
    assert (alone.exit_code, "拨付.csv[拨付明细]!K5" in alone.stdout, "RD-077" in alone.stdout) == (2, True, True)
    both = run_sti("--home", tmp_path / "home", "check", slim, ledger)
    assert both.stdout.count("结论") == 1
    assert "RD-103  拨付.csv[拨付明细]!K5" in both.stdout
    assert "RD-005" not in both.stdout + alone.stdout
    assert not (tmp_path / "home").exists()


def test_a_ledger_wrong_in_every_row_has_a_short_receipt_that_counts_every_cell_and_binds_what_it_does_not_list(
    tmp_path: Path,
) -> None:
    rows = sheet_rows(write_return(tmp_path / "财政.xlsx", "finance_bureau", finance_rows()), "拨付明细")
    head, foot = rows[:3], rows[4:]
    closing = []
    for name, last in (("一", "2025-03-01"), ("二", "2025-03-02")):
        # Read well, and wrong: paid in the year before, 1,300 times; the amount is not readable in 1,200 of them.
        wrong = [[*rows[3]] for _ in range(1300)]
        for number, row in enumerate(wrong):
            row[0], row[9], row[10] = f"PZ{number}", "2025-03-01", f"约{number}" if number < 1200 else 1
        wrong[-1][9] = last
        ledger = write_csv(tmp_path / f"{name}.csv", [*head, *wrong, *foot])
        result = run_sti("--home", tmp_path / "home", "check", "--json", "--receipt", tmp_path / name, ledger)
        assert result.exit_code == 2, result.stderr
        [receipt] = (json.loads(path.read_text(encoding="utf-8")) for path in (tmp_path / name).glob("*.json"))
        found = receipt["findings"]
        unread = [f for f in found if f["rule_id"] == "RD-103"]
        early = [f for f in found if f["rule_id"] != "RD-103" and "paid_on" in f["subject"]]
        [rule_id] = {f["rule_id"] for f in early}
        early = [f for f in found if f["rule_id"] == rule_id]
        for listed, count in ((unread, 1200), (early, 1300)):
            assert (len(listed), sum(f["stands_for_count"] for f in listed)) == (1001, count)
            assert len({f["rule_class"] for f in listed}) == 1
        by_class = {
            c: sum(f["stands_for_count"] for f in found if f["rule_class"] == c) for c in ("mandatory", "query")
        }
        assert by_class == {c: receipt[f"blocking_{c}_count"] for c in by_class}
        closing.append([f["finding_id"] for f in (*unread, *early) if f["stands_for_count"] > 1])
    assert not {*closing[0]} & {*closing[1]}


class Slot:
    """The finance bureau's slot in a home of its own, filled file by file."""

    def __init__(self, folder: Path) -> None:
        self.home, self.folder, self.count = Home.at(folder / "home"), folder, 0

    def book(self, reported_on: str, *, ledger: bool = False, amount: int = 10) -> None:
        rows = finance_rows() | {PAYMENT: [payment_row(1, 金额=amount)]}
        path = write_return(self._next("xlsx"), "finance_bureau", rows, reported_on=reported_on)
        archive.receive(self.home, path if ledger else without_sheet(path, "拨付明细", self._next("xlsx")), PERIOD)

    def bulk(self, reported_on: str, amount: int) -> None:
        rows = finance_rows() | {PAYMENT: [payment_row(1, 金额=amount)]}
        book = write_return(self._next("xlsx"), "finance_bureau", rows, reported_on=reported_on or "近日")
        archive.receive(self.home, write_csv(self._next("csv"), sheet_rows(book, "拨付明细")), PERIOD)

    def _next(self, suffix: str) -> Path:
        self.count += 1
        return self.folder / f"{self.count}.{suffix}"

    def reading(self) -> WorkbookReading:
        return current_reading(self.home, "finance_bureau", PERIOD)

    def hard(self) -> list[Finding]:
        return [f for f in self.reading().findings if f.rule_class == "mandatory"]

    def amount(self) -> str | None:
        files = layers.write_raw(self.home, self.reading())
        return str(layers.read_rows(files[PAYMENT])["amount_wan"][0]) if PAYMENT in files else None


@pytest.fixture
def slot(tmp_path: Path) -> Slot:
    return Slot(tmp_path)


def test_of_several_bulk_files_the_later_date_counts_whatever_came_last(slot: Slot) -> None:
    slot.bulk("2026年7月12日", 20)
    slot.bulk("2026年7月10日", 10)
    slot.book("2026年7月12日")
    assert (slot.hard(), slot.amount()) == ([], "20.000000")
    slot.bulk("2026年7月12日", 30)
    assert (slot.hard(), slot.amount()) == ([], "30.000000")


def test_an_old_ledger_never_meets_a_new_summary_nor_a_new_ledger_an_old_one(slot: Slot) -> None:
    slot.bulk("2026年7月10日", 10)
    slot.book("2026年7月20日")
    (finding,) = slot.hard()
    assert (finding.rule_id, "2026-07-20" in finding.message, "2026-07-10" in finding.message) == ("RD-075", True, True)
    slot.bulk("2026年7月20日", 20)
    assert slot.hard() == []
    slot.bulk("2026年7月21日", 30)
    assert [f.rule_id for f in slot.hard()] == ["RD-075"]


def test_a_bulk_file_without_a_date_belongs_to_no_hand_in(slot: Slot) -> None:
    slot.book("2026年7月10日")
    slot.bulk("", 10)
    assert [f.rule_id for f in slot.hard()] == ["RD-075"]


def test_a_table_in_the_workbook_and_in_bulk_is_refused_unless_the_workbook_is_later(slot: Slot) -> None:
    slot.bulk("2026年7月10日", 10)
    slot.book("2026年7月10日", ledger=True, amount=99)
    assert [f.rule_id for f in slot.hard()] == ["RD-074"]
    slot.book("2026年7月20日", ledger=True, amount=98)
    assert (slot.hard(), slot.amount()) == ([], "98.000000")
    assert [f.rule_id for f in slot.reading().findings if f.rule_id.startswith("RD-07")] == ["RD-076"]


def test_bulk_files_without_a_workbook_leave_its_other_sheets_missing(slot: Slot) -> None:
    slot.bulk("2026年7月10日", 10)
    assert [(f.rule_id, f.sheet) for f in slot.hard()] == [("RD-005", "政府科技创新投入")]
    assert slot.amount() == "10.000000"


def test_the_archive_keeps_a_bulk_file_by_hash_under_its_kind(slot: Slot) -> None:
    slot.bulk("2026年7月10日", 10)
    (receipt,) = archive.receipts(slot.home)
    kept = archive.archived(slot.home, receipt.file_sha256)
    assert (kept.suffix, kept.stat().st_mode & 0o777) == (".csv", 0o444)
    assert receipt.receipt_no == "2026H1-finance_bureau-001"
    assert archive.damaged(slot.home) == []


def test_a_csv_that_belongs_to_nobody_blocks_the_period_and_says_why(slot: Slot) -> None:
    path = slot.folder / "通讯录.csv"
    path.write_bytes(csv_text([["姓名", "电话"], ["示例", "0573-00000000"]]).encode("gb18030"))
    receipt = archive.receive(slot.home, path, PERIOD)
    assert (receipt.provider, receipt.period) == ("", "")
    assert [f.rule_id for f in archive.refusal_findings(slot.home, receipt, PERIOD)] == ["RD-002"]


def test_a_bulk_file_that_breaks_far_down_is_refused_and_named_and_the_rest_is_read(slot: Slot) -> None:
    slot.book("2026年7月10日")
    book = write_return(slot.folder / "x.xlsx", "finance_bureau", finance_rows())
    text = csv_text(sheet_rows(book, "拨付明细")).replace("PZ000002", '"PZ000002')
    (slot.folder / "坏.csv").write_text(text, encoding="utf-8")
    archive.receive(slot.home, slot.folder / "坏.csv", PERIOD)
    (finding,) = slot.hard()
    assert (finding.rule_id, finding.table_id, finding.cell) == ("RD-072", PAYMENT, "5:5")
    assert set(slot.reading().tables) == {"finance_bureau__gov_input"}
