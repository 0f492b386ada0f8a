"""A table as CSV or Parquet is the same table as on a sheet; what is wrong with the file is said, and never shifts or loses a cell."""

import codecs
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sources import limited
from sources.bulk import reading as in_this_process
from sources.bulk.columns import ColumnReader
from sources.bulk.reading import BulkIdentity
from sources.contracts import table, tables
from sources.reader_process import identify_bulk, read_bulk
from sources.reference import area_keys, periods
from sources.sheet import TableReading
from sources.values import WAN_PER_UNIT
from sources.workbook import read_workbook, sha256_of
from tests.bulk_files import csv_text, sheet_rows, write_csv, write_parquet
from tests.workbooks import code, payment_row

PAYMENT = "finance_bureau__gov_payment"
AREAS = area_keys(periods()["2026H1"].ends_on)
HEAD = ["填报单位：市财政局", "报告期：2026年上半年", "计量单位：万元", "工作表：拨付明细"]
HEADINGS = [column.heading for column in table(PAYMENT).columns]


def ledger(
    *changed: dict[str, Any], head: list[str] = HEAD, foot: tuple[str, ...] = ("报出日期：2026-07-10",)
) -> list[list[Any]]:
    """The rows of a payment ledger: title, info line, headings, one row per change, foot."""
    rows = [[*payment_row(number, **change).values()] for number, change in enumerate(changed or ({},), 1)]
    return [["拨付明细表"], head, HEADINGS, *rows, [*foot]]


def read(path: Path) -> TableReading:
    identity = identify_bulk(path, sha256_of(path))
    assert identity.table, [f.message for f in identity.findings]
    reading = read_bulk(path, identity, path.with_name("spool.parquet"))
    return TableReading(
        reading.manifest, reading.rows, reading.reported_on, identity.findings + reading.findings, reading.spooled
    )


def read_text(tmp_path: Path, text: str, encoding: str = "utf-8") -> TableReading:
    path = tmp_path / "明细.csv"
    path.write_bytes(text.encode(encoding))
    return read(path)


def rules_and_cells(reading: TableReading) -> list[tuple[str, str]]:
    return [(f.rule_id, f.cell) for f in reading.findings]


def values(reading: TableReading, column: str) -> list[Any]:
    return pq.read_table(reading.spooled)[column].to_pylist()


ROW_IDENTITY = ["row_id", "file_sha256", "row_number"]


@pytest.mark.parametrize(
    ("encoding", "delimiter", "line_end"),
    [
        ("utf-8", ",", "\n"),
        ("utf-8-sig", ",", "\r\n"),
        ("gb18030", ",", "\r\n"),
        ("gb18030", ";", "\r\n"),
        ("utf-8", "\t", "\n"),
    ],
)
def test_a_sheet_saved_as_csv_gives_the_rows_and_totals_of_the_sheet(
    samples: Path, tmp_path: Path, encoding: str, delimiter: str, line_end: str
) -> None:
    source = samples / "2026H1" / "市财政局_2026H1.xlsx"
    sheet = read_workbook(source).tables[PAYMENT]
    rows = sheet_rows(source, "拨付明细")
    reading = read(write_csv(tmp_path / "x.csv", rows, encoding=encoding, delimiter=delimiter, line_end=line_end))
    assert reading.manifest.control_totals_wan == sheet.manifest.control_totals_wan
    assert reading.manifest.reported_on == sheet.manifest.reported_on == "2026-07-09"
    assert rules_and_cells(reading) == [("RD-071", "")]
    written = pq.read_table(reading.spooled)
    assert written["row_number"].to_pylist() == sheet.rows["row_number"].to_pylist()
    assert written.drop(["row_id", "file_sha256"]).equals(sheet.rows.drop(["row_id", "file_sha256"]))


@pytest.mark.parametrize(
    "table_id", [t for t in tables("half_year") if t.split("__")[0] in ("education_bureau", "finance_bureau")]
)
def test_every_sheet_as_parquet_gives_the_rows_and_totals_of_the_sheet(
    samples: Path, tmp_path: Path, table_id: str
) -> None:
    source = next((samples / "2026H1").glob(f"{'市教育局' if 'education' in table_id else '市财政局'}_*.xlsx"))
    sheet = read_workbook(source).tables[table_id]
    reading = read(write_parquet(tmp_path / "x.parquet", source, table_id))
    assert reading.manifest.control_totals_wan == sheet.manifest.control_totals_wan
    written = pq.read_table(reading.spooled)
    assert written.drop(ROW_IDENTITY).equals(sheet.rows.drop(ROW_IDENTITY))
    assert written["row_number"].to_pylist() == list(range(2, written.num_rows + 2))


def cells() -> st.SearchStrategy[str]:
    """Cells as people type them: numbers near every edge, codes, symbols, dates, faults, and any text."""
    number = st.from_regex(r"[-+]?[0-9,]{0,16}(\.[0-9]{0,20})?(E\+1[0-9])?", fullmatch=True)
    good = st.integers(0, 10**7 - 1).map(code)
    told = st.sampled_from(
        ["", " ", "　", "-", "—", "…", "...", "０", "1２", "=1+1", '="0012"', '=""', "#REF!", "1.23E+17", "南湖区", "全市", "是",
         "2026/3/5", "2026年3月5日", "2026-13-01", "2026", "合计", "其他", "嘉科〔2025〕1号", "a-1", "A\n1", "\ufeff甲", "甲\u3000", "0.1\n",
         "0.30000000000000004", "99999999999999.999999", "１，２３４"]
    )  # fmt: skip
    return st.one_of(number, good, good.map(str.lower), good.map(lambda c: c[:-1] + "0"), told, st.text(max_size=12))


ALL_COLUMNS = list({(c.type, c.required, c.numbers_only): c for t in tables().values() for c in t.columns}.values())


@settings(max_examples=150, deadline=None)
@given(st.lists(cells(), min_size=1, max_size=30), st.sampled_from(ALL_COLUMNS), st.sampled_from([*WAN_PER_UNIT]))
def test_the_fast_way_gives_what_the_exact_way_gives(texts: list[str], column: Any, unit: str) -> None:
    reader = ColumnReader(column, 0, WAN_PER_UNIT[unit], AREAS)
    array = pa.array(texts, pa.string())
    exact = reader.read_exactly(array)
    for cells_given in (array, array.dictionary_encode(), pa.concat_arrays([pa.array(["x"]), array])[1:]):
        fast = reader.read(cells_given)
        assert fast.values.to_pylist() == exact.values.to_pylist()
        assert (fast.statuses and fast.statuses.to_pylist()) == (exact.statuses and exact.statuses.to_pylist())
        assert sorted(fast.notes) == sorted(exact.notes)


def test_each_faulty_cell_is_named_by_rule_and_cell(tmp_path: Path) -> None:
    text = csv_text(
        ledger(
            {"金额": "约100"},
            {"金额": ""},
            {"金额": "#REF!"},
            {"金额": "=K4*2"},
            {"收款单位统一社会信用代码": "1.23304E+17"},
            {"项目编号": "2.02601E+15"},
            {"地区": "全市", "拨付日期": "2026-02-30"},
            {"预算类型": "社保"},
        )
    )
    assert rules_and_cells(read_text(tmp_path, text)) == [
        ("RD-103", "K4"), ("RD-115", "K5"), ("RD-101", "K6"), ("RD-102", "K7"), ("RD-108", "I8"), ("RD-118", "F9"),
        ("RD-111", "B10"), ("RD-114", "J10"), ("RD-112", "C11"),
    ]  # fmt: skip


def test_what_spreadsheets_write_to_csv_is_understood(tmp_path: Path) -> None:
    text = csv_text(
        ledger(
            {"金额": "1,234.50", "项目编号": '="0012"', "项目名称": '甲"乙",丙\n丁', "拨付日期": "2026/3/5"},
            {"金额": "0.30000000000000004"},
            {"金额": "１２．５"},
        )
    )
    reading = read_text(tmp_path, text)
    assert values(reading, "amount_wan") == [Decimal("1234.5"), Decimal("0.3"), Decimal("12.5")]
    assert values(reading, "project_no")[0] == "0012"
    assert values(reading, "project_name")[0] == '甲"乙",丙\n丁'
    assert values(reading, "row_number") == [4, 5, 6]
    assert rules_and_cells(reading) == [("RD-104", "K6")]


def test_a_row_with_an_unquoted_comma_is_not_read_into_the_wrong_columns(tmp_path: Path) -> None:
    lines = csv_text(ledger({}, {"项目名称": "甲;乙"}, {})).replace("甲;乙", "甲,乙").splitlines(keepends=True)
    lines[5] = ",".join(lines[5].split(",")[:-3]) + "\r\n"
    reading = read_text(tmp_path, "".join(lines))
    assert rules_and_cells(reading) == [("RD-073", "5:5"), ("RD-073", "6:6")]
    assert values(reading, "row_number") == [4]


def test_blank_rows_and_a_line_that_names_the_delimiter_do_no_harm(tmp_path: Path) -> None:
    rows = ledger({}, {})
    text = csv_text([*rows[:4], [None] * 12, rows[4], *rows[5:]]) + ",,,\r\n\r\n\r\n"
    reading = read_text(tmp_path, "sep=,\r\n" + text)
    assert (reading.findings, values(reading, "row_number")) == ([], [5, 7])


def test_a_total_row_is_checked_and_no_data(tmp_path: Path) -> None:
    rows = ledger({"金额": 10}, {"金额": 20})
    total = ["合 计", *[None] * 9, 31, None]
    reading = read_text(tmp_path, csv_text([*rows[:5], total, *rows[5:]]))
    assert rules_and_cells(reading) == [("RD-017", "K6")]
    assert reading.manifest.control_totals_wan == {"amount_wan": "30.000000"}
    # One fault, one finding: what a cell that is no number leaves out of the sum is not told once more at the total.
    unread = read_text(tmp_path, csv_text([*ledger({"金额": 10}, {"金额": "约20"})[:5], total, *rows[5:]]))
    assert rules_and_cells(unread) == [("RD-103", "K5")]
    after = read_text(tmp_path, csv_text([*rows, rows[3]]))
    assert rules_and_cells(after) == [("RD-014", "7:7")]


def test_a_file_of_wrong_cells_has_bounded_findings_and_an_exact_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limited, "findings_per_rule", lambda: 5)
    path = tmp_path / "明细.csv"
    path.write_text(csv_text(ledger(*[{"金额": f"约{n}"} for n in range(50)])), encoding="utf-8")
    found = in_this_process.read_bulk(path, identify_bulk(path, "0" * 64), lambda rows: None).findings
    assert len(found) == 6
    assert "另有 45 处" in found[-1].message
    assert found[-1].rule_id == "RD-103"
    assert "0" * 16 in found[-1].found


def identity_of(tmp_path: Path, content: bytes, name: str = "x.csv") -> BulkIdentity:
    path = tmp_path / name
    path.write_bytes(content)
    return identify_bulk(path, sha256_of(path))


GOOD = csv_text(ledger()).encode()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "空的"),
        (codecs.BOM_UTF16_LE + csv_text(ledger()).encode("utf-16-le"), "UTF-16"),
        (GOOD[:40] + b"\0" + GOOD[40:], "空字符"),
        (GOOD[:-8] + b"\xff\xff" + GOOD[-8:], "认不出编码"),
        (b"PAR1 is not enough", "Parquet 文件打不开"),
        (b"PARE" + bytes(100), "加密"),
    ],
    ids=["empty", "utf-16", "nul", "no-encoding", "damaged-parquet", "encrypted-parquet"],
)
def test_a_file_that_is_no_text_or_parquet_is_refused_with_a_sentence(
    tmp_path: Path, content: bytes, says: str
) -> None:
    (finding,) = identity_of(tmp_path, content).findings
    assert finding.rule_id == "RD-072"
    assert says in finding.message


@cache
def long_text() -> str:
    """A ledger of which the reader sees only the first third when it looks at the head."""
    return csv_text(ledger(*[{"项目编号": f"P{n}"} for n in range(30_000)]))


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (lambda rows: rows.replace("P1999,", 'P1999,"', 1), "引号不成对"),
        (lambda rows: rows.replace("P29999,", "P29999\0,", 1), "空字符"),
        (lambda rows: rows.replace("P29999,", "P\udcff\udcfe29999,", 1), "却不是"),
    ],
    ids=["quote", "nul", "bytes"],
)
def test_a_file_that_breaks_far_down_is_refused_whole_and_says_where(tmp_path: Path, broken: Any, says: str) -> None:
    text = long_text()
    path = tmp_path / "x.csv"
    path.write_bytes(broken(text).encode("utf-8", errors="surrogateescape"))
    reading = read(path)
    (finding,) = reading.findings
    assert (finding.rule_id, reading.is_read) == ("RD-072", False)
    assert says in finding.message
    assert not (tmp_path / "spool.parquet").exists()


@pytest.mark.parametrize(
    ("head", "rule_id"),
    [
        ([*HEAD[:3], "工作表：转拨明细"], "RD-070"),
        ([HEAD[0], *HEAD[2:]], "RD-003"),
        (["填报单位：市审计局", *HEAD[1:]], "RD-002"),
    ],
)
def test_a_file_that_cannot_be_assigned_says_why(tmp_path: Path, head: list[str], rule_id: str) -> None:
    found = identity_of(tmp_path, csv_text(ledger(head=head)).encode())
    assert (found.period, [f.rule_id for f in found.findings]) == ("", [rule_id])


def test_a_missing_or_strange_heading_is_reported_as_on_a_sheet(tmp_path: Path) -> None:
    text = csv_text(ledger())
    assert [f.rule_id for f in read_text(tmp_path, text.replace("收款单位,", "收款方,")).findings] == [
        "RD-009",
        "RD-010",
    ]
    assert [f.rule_id for f in read_text(tmp_path, text.replace("计量单位：万元", "计量单位：美元")).findings] == [
        "RD-008"
    ]
    assert [
        f.rule_id for f in read_text(tmp_path, text.replace("报出日期：2026-07-10", "报出日期：近日")).findings
    ] == ["RD-023"]


@pytest.mark.parametrize(
    ("head", "foot", "rule_id", "says"),
    [
        (HEAD, ("报出日期：2026-07-10", "计量单位：元"), "RD-024", "（B5）却写着“元”"),
        (HEAD, ("报出日期：2026-07-10", "报出日期：2026-07-12"), "RD-024", "2026-07-10、2026-07-12"),
        ([*HEAD, "报出日期：2026-07-09"], ("报出日期：2026-07-10",), "RD-024", "2026-07-09、2026-07-10"),
        (HEAD, ("注：其中奖励（元）", "报出日期：2026-07-10"), "RD-065", "提到“元”"),
        ([*HEAD[:2], HEAD[3]], ("报出日期：2026-07-10", "计量单位：元"), "RD-007", "（文件末尾 写着“元”"),
    ],
)
def test_what_the_foot_of_a_file_contradicts_is_said_as_on_a_sheet(
    tmp_path: Path, head: list[str], foot: tuple[str, ...], rule_id: str, says: str
) -> None:
    (found,) = read_text(tmp_path, csv_text(ledger(head=head, foot=foot))).findings
    assert (found.rule_id, says in found.message) == (rule_id, True)


def test_a_day_that_cannot_be_true_does_not_rank_a_file_above_later_ones(tmp_path: Path) -> None:
    content = csv_text(ledger(foot=("报出日期：2062-07-10",))).encode()
    assert identity_of(tmp_path, content).reported_on is None
    assert [f.rule_id for f in read_text(tmp_path, content.decode()).findings] == ["RD-023"]


@pytest.mark.parametrize("day", ["2062-07-10", "2016-07-10"])
def test_a_table_in_bulk_keeps_no_day_that_cannot_be_true_and_asks_about_it(tmp_path: Path, day: str) -> None:
    text = csv_text(ledger(foot=(f"报出日期：{day}",)))
    for reading in (read_text(tmp_path, text), read(parquet(tmp_path, reported_on=day))):
        assert (reading.is_read, reading.reported_on) == (True, None)
        assert [(f.rule_id, f.found) for f in reading.findings] == [("RD-023", day)]


def parquet(tmp_path: Path, *, reported_on: str = "2026-07-10", **columns: pa.Array) -> Path:
    row = payment_row(1)
    arrays = {h: columns.get(h, pa.array([as_parquet(row[h])])) for h in HEADINGS}
    said = dict(label.split("：") for label in HEAD) | {"报出日期": reported_on}
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table(arrays).replace_schema_metadata(said), path)
    return path


def as_parquet(value: Any) -> Any:
    return str(value) if value is not None else None


def test_parquet_types_are_read_as_numeric_cells_are(tmp_path: Path) -> None:
    (amount,) = values(read(parquet(tmp_path, 金额=pa.array([0.1 + 0.2]))), "amount_wan")
    assert amount == Decimal("0.3")
    (amount,) = values(read(parquet(tmp_path, 金额=pa.array([12], pa.int8()))), "amount_wan")
    assert amount == Decimal(12)
    assert rules_and_cells(read(parquet(tmp_path, 金额=pa.array([float("nan")])))) == [("RD-103", "K2")]
    number = pa.array([123304000000000000])
    assert rules_and_cells(read(parquet(tmp_path, 收款单位统一社会信用代码=number))) == [("RD-108", "I2")]
    assert rules_and_cells(read(parquet(tmp_path, 项目编号=number))) == [("RD-118", "F2")]
    nested = identify_bulk(path := parquet(tmp_path, 项目名称=pa.array([["甲"]])), sha256_of(path))
    assert "嵌套" in nested.findings[0].message


def test_a_parquet_file_cut_short_is_refused(tmp_path: Path) -> None:
    path = parquet(tmp_path)
    path.write_bytes(path.read_bytes()[:-20])
    assert [f.rule_id for f in identify_bulk(path, sha256_of(path)).findings] == ["RD-072"]
