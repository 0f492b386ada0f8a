"""No bulk file, however it lies, harms the process that asks for it: each ends as a refusal in a plain sentence, and the next one is read."""

import os
import random
import resource
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sources import reader_process
from sources.bulk.spool import SpoiledRows, Spool
from sources.contracts import table
from sources.finding import Finding
from sources.sheet import TableReading
from tests.bulk_files import csv_text, without_sheet
from tests.conftest import run_sti
from tests.slots import current_reading
from tests.sources.hostile.parquet import (
    DATA,
    DICTIONARY,
    PLAIN,
    SNAPPY,
    UNCOMPRESSED,
    ZSTD,
    Page,
    all_first,
    parquet_bytes,
    plain_page,
)
from tests.workbooks import finance_rows, payment_row, write_return
from warehouse import archive
from warehouse.paths import Home

PERIOD = "2026H1"
PAYMENT = "finance_bureau__gov_payment"
SAID = {
    "填报单位": "市财政局",
    "报告期": "2026年上半年",
    "计量单位": "万元",
    "工作表": "拨付明细",
    "报出日期": "2026-07-10",
}
ROW = {name: "" if value is None else str(value) for name, value in payment_row(1).items()}
HEAD = [["拨付明细表"], [f"{key}：{value}" for key, value in SAID.items() if key != "报出日期"], [*ROW]]
FOOT = ["报出日期：2026-07-10"]
AMOUNTS = [Decimal(ROW["金额"])] * 50
MOST_BYTES_OF_PARENT = 128 * 1024**2
"""What the asking process may grow by for all of them: answers, not contents."""


def packed(text: bytes, times: int = 1) -> bytes:
    """A text as Zstandard frames, one after the other, as its decoder takes them."""
    return pa.Codec("zstd").compress(text, asbytes=True) * times


def with_amount(codec: int, *pages: Page, rows: int = 1, claimed: int = 0, groups: int = 1) -> bytes:
    """A ledger whose amounts are in the given pages, all else in order."""
    good = {name: (UNCOMPRESSED, [plain_page([value] * rows)]) for name, value in ROW.items()}
    return parquet_bytes(good | {"金额": (codec, pages)}, SAID, claimed or rows, groups)


def repeated(count: int, length: int) -> bytes:
    """A ledger that says in a few bytes that one long text stands in every column of every row."""
    long = "长" * length
    body = len(long.encode()).to_bytes(4, "little") + long.encode()
    pages = [Page(DICTIONARY, 1, PLAIN, len(body), packed(body)), all_first(count)]
    pages[1] = Page(DATA, count, pages[1].encoding, pages[1].size, packed(pages[1].body))
    return parquet_bytes(dict.fromkeys(ROW, (ZSTD, pages)), SAID, count)


def csv_bytes(*lines: str) -> bytes:
    return "\r\n".join([csv_text(HEAD).rstrip("\r\n"), *lines]).encode()


GOOD_ROW = ",".join(ROW.values())
GOOD_PARQUET = parquet_bytes({name: (UNCOMPRESSED, [plain_page([value])]) for name, value in ROW.items()}, SAID, 1)

PARQUET: dict[str, tuple[Callable[[], bytes], str]] = {
    "page-of-two-gigabytes": (lambda: with_amount(ZSTD, Page(DATA, 1, PLAIN, 2**31 - 1, packed(b"\0" * 8))), ""),
    "page-of-negative-size": (lambda: with_amount(ZSTD, Page(DATA, 1, PLAIN, -5, packed(b"\0" * 8))), ""),
    "page-of-more-values-than-bytes": (
        lambda: with_amount(UNCOMPRESSED, Page(DATA, 2**30, PLAIN, 4, b"\0" * 4), rows=3),
        "",
    ),
    "one-column-shorter-than-the-others": (lambda: with_amount(UNCOMPRESSED, plain_page(["1", "2"]), rows=3), ""),
    "text-longer-than-its-page": (lambda: with_amount(UNCOMPRESSED, Page(DATA, 1, PLAIN, 8, b"\xff" * 8)), ""),
    "dictionary-that-is-not-there": (lambda: with_amount(UNCOMPRESSED, all_first(1)), ""),
    "dictionary-of-two-billion": (
        lambda: with_amount(UNCOMPRESSED, Page(DICTIONARY, 2**31 - 1, PLAIN, 8, b"\0" * 8), all_first(1)),
        "",
    ),
    "zstd-bomb": (
        lambda: with_amount(ZSTD, Page(DATA, 1, PLAIN, 110 * 2**24, packed(b"\0" * 2**24, 110))),
        "占用内存超过了限度",
    ),
    "zstd-bomb-of-small-claim": (
        lambda: with_amount(ZSTD, Page(DATA, 1, PLAIN, 1000, packed(b"\0" * 2**24, 110))),
        "",
    ),
    "snappy-of-four-gigabytes": (lambda: with_amount(SNAPPY, Page(DATA, 1, PLAIN, 2**31 - 1, b"\xff\xff\xff\xff\x0f" + b"\0" * 20)), ""),
    "long-text-in-every-row": (lambda: repeated(200_000, 4 * 1024**2), "第 2 行的文字超过 16 MB"),
    "dictionary-of-one-text-for-a-million-rows": (lambda: repeated(1_000_000, 100_000), "500 倍以上"),
    "rows-that-are-not-there": (lambda: with_amount(UNCOMPRESSED, plain_page(["1"]), claimed=3_000_000), "说第 1 个行组有 3000000 行"),
    "a-billion-rows": (lambda: with_amount(UNCOMPRESSED, plain_page(["1"]), claimed=1_000_000, groups=1_000), "超过 50,000,000 行"),
    "row-group-of-a-trillion": (lambda: with_amount(UNCOMPRESSED, plain_page(["1"]), claimed=2**40), "行"),
    "footer-of-twenty-thousand-columns": (
        lambda: parquet_bytes(dict.fromkeys(map(str, range(20_000)), (UNCOMPRESSED, [plain_page(["1"])])), SAID, 1),
        "",
    ),
    "title-of-a-million-characters": (
        lambda: parquet_bytes(dict.fromkeys(ROW, (UNCOMPRESSED, [plain_page(["1"])])), SAID | {"填报单位": "市" * 10**6}, 1),
        "1000000 个字",
    ),
    "footer-longer-than-the-file": (lambda: GOOD_PARQUET[:-8] + b"\xff\xff\xff\x7fPAR1", ""),
    "cut-in-half": (lambda: GOOD_PARQUET[: len(GOOD_PARQUET) // 2], ""),
    "pages-of-noise": (lambda: b"PAR1" + random.Random(1).randbytes(400) + GOOD_PARQUET[404:], ""),
}  # fmt: skip
CSV: dict[str, tuple[Callable[[], bytes], str]] = {
    "line-without-end": (lambda: csv_bytes(*[GOOD_ROW] * 20_000, "1," * 1_000_000), "缺少换行"),
    "cell-without-end": (lambda: csv_bytes(GOOD_ROW, "1" * 900_000), "引号不成对，或一个单元格超过"),
    "quote-never-closed": (lambda: csv_bytes(GOOD_ROW, '"' + GOOD_ROW, *[GOOD_ROW] * 20_000), "引号不成对"),
    "quotes-closed-at-the-end": (lambda: csv_bytes(*['"' + GOOD_ROW] * 20_001), "引号不成对"),
    "millions-of-columns-in-the-heading": (lambda: csv_bytes().rstrip(b"\r\n") + b"," * 1_500_000, "超过 500 列"),
    "millions-of-columns-in-the-title": (lambda: b"," * 1_500_000 + b"\r\n" + csv_bytes(GOOD_ROW), "超过 500 列"),
    "nul-far-down": (lambda: csv_bytes(*[GOOD_ROW] * 20_000, GOOD_ROW.replace("示", "\0"), "\0"), "空字符"),
    "record-of-endless-lines": (lambda: csv_bytes(*[GOOD_ROW] * 20_000, ",".join(['"甲\r\n乙"'] * 1_000_000)), "有 1000000 个单元格"),
}  # fmt: skip


@dataclass
class Answer:
    """What the clerk of a return is told: the tables that could be read, and the hard errors."""

    home: Home
    tables: dict[str, TableReading]
    hard: list[Finding]


def handed_in(folder: Path, content: bytes, suffix: str) -> Answer:
    """Receive a workbook and its ledger as a run does, and read the return."""
    home, ledger = Home.at(folder / "home"), folder / f"明细.{suffix}"
    ledger.write_bytes(content)
    book = write_return(folder / "all.xlsx", "finance_bureau", finance_rows(), reported_on="2026年7月10日")
    archive.receive(home, without_sheet(book, "拨付明细", folder / "财政.xlsx"), PERIOD)
    receipt = archive.receive(home, ledger, PERIOD)
    reading = current_reading(home, "finance_bureau", PERIOD)
    found = reading.findings if receipt.period else archive.refusal_findings(home, receipt, PERIOD)
    return Answer(home, reading.tables, [f for f in found if f.rule_class == "mandatory"])


def peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@pytest.fixture(scope="module")
def bytes_before() -> int:
    return peak_bytes()


@pytest.mark.parametrize(
    ("suffix", "make", "says"),
    [
        pytest.param(suffix, make, says, id=f"{suffix}-{name}")
        for suffix, cases in (("parquet", PARQUET), ("csv", CSV))
        for name, (make, says) in cases.items()
    ],
)
def test_a_hostile_bulk_file_is_refused_in_a_plain_sentence_and_the_workbook_beside_it_is_read(
    tmp_path: Path, bytes_before: int, suffix: str, make: Callable[[], bytes], says: str
) -> None:
    answer = handed_in(tmp_path, make(), suffix)
    told = [f.message for f in answer.hard if f.rule_id in ("RD-072", "RD-073")]
    assert len(told) == 1, answer.hard
    assert says in told[0]
    assert "Traceback" not in told[0]
    assert "finance_bureau__gov_input" in answer.tables
    assert not (tmp_path / "home" / "error.log").exists()
    assert peak_bytes() - bytes_before < MOST_BYTES_OF_PARENT


def test_after_all_of_them_a_good_file_is_read(tmp_path: Path) -> None:
    answer = handed_in(tmp_path, GOOD_PARQUET, "parquet")
    assert (answer.hard, answer.tables[PAYMENT].manifest.row_count) == ([], 1)


def test_a_file_with_any_byte_changed_ends_as_rows_or_as_a_finding(tmp_path: Path) -> None:
    draw = random.Random(14)
    path = tmp_path / "x.parquet"
    rows = pa.table({name: [value] * 50 for name, value in ROW.items()}).replace_schema_metadata(SAID)
    pq.write_table(rows, path, compression="zstd", write_page_checksum=True)
    good = path.read_bytes()
    for _ in range(60):
        at = draw.randrange(4, len(good) - 8)
        path.write_bytes(good[:at] + bytes([good[at] ^ (1 << draw.randrange(8))]) + good[at + 1 :])
        identity = reader_process.identify_bulk(path, "0" * 64)
        if identity.period:
            reading = reader_process.read_bulk(path, identity, tmp_path / "spool" / "x.parquet")
            assert reading.is_read == (tmp_path / "spool" / "x.parquet").exists()
            assert reading.findings or pq.read_table(reading.spooled)["amount_wan"].to_pylist() == AMOUNTS
        else:
            assert identity.findings


def large_csv(folder: Path, count: int) -> Path:
    path = folder / "large.csv"
    path.write_bytes(csv_bytes(*[GOOD_ROW] * count, *FOOT))
    return path


def test_a_child_that_dies_while_it_reads_costs_no_row_and_doubles_none(tmp_path: Path) -> None:
    path = large_csv(tmp_path, 200_000)
    identity = reader_process.identify_bulk(path, "0" * 64)
    child = reader_process.READER._child
    assert child
    spool = tmp_path / "spool" / "x.parquet"
    killer = threading.Thread(target=kill_once_rows_come, args=(spool, child.pid))
    killer.start()
    reading = reader_process.read_bulk(path, identity, spool)
    killer.join()
    assert child.poll() == -signal.SIGKILL
    assert (reading.findings, pq.read_metadata(spool).num_rows) == ([], 200_000)


def kill_once_rows_come(spool: Path, pid: int) -> None:
    deadline = time.monotonic() + 60
    while not (spool.exists() and spool.stat().st_size > 1000) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(pid, signal.SIGKILL)


def test_a_file_that_takes_too_long_leaves_neither_rows_nor_a_stale_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = large_csv(tmp_path, 40_000)
    identity = reader_process.identify_bulk(path, "0" * 64)
    monkeypatch.setattr(reader_process, "MOST_WALL_SECONDS", 0.01)
    reading = reader_process.read_bulk(path, identity, tmp_path / "spool" / "x.parquet")
    assert (reading.is_read, [f.rule_id for f in reading.findings]) == (False, ["RD-072"])
    assert "还没有读完" in reading.findings[0].message
    assert not (tmp_path / "spool" / "x.parquet").exists()
    monkeypatch.undo()
    assert reader_process.read_bulk(path, identity, tmp_path / "spool" / "x.parquet").manifest.row_count == 40_000


def test_rows_that_are_not_the_tables_are_not_taken_from_the_child(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "x.parquet", table(PAYMENT).schema)
    spool.begin()
    for rows in (pa.record_batch({"a": [1]}), pa.record_batch({"a": ["x"] * 40})):
        with pytest.raises(SpoiledRows):
            spool.add(rows.serialize())
    with pytest.raises(SpoiledRows):
        spool.add(b"\xff" * 100)


def test_a_run_with_a_hostile_ledger_ends_as_a_refusal_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "拨付.parquet").write_bytes(PARQUET["zstd-bomb"][0]())
    result = run_sti("--home", tmp_path / "home", "check", tmp_path / "拨付.parquet")
    assert result.exit_code == 2
    assert "RD-072  拨付.parquet[拨付明细]\n    文件读不完：占用内存超过了限度" in result.stdout
    assert "Traceback" not in result.stdout + result.stderr
