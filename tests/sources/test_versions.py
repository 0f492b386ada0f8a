"""Which of several workbooks for one slot counts, and that none is passed over without a word."""

from datetime import date
from pathlib import Path

import pytest
from openpyxl import Workbook

from sources.delivery import HandIn, read_returns
from sources.workbook import WorkbookReading, read_workbook, sha256_of
from tests.workbooks import finance_rows, write_return


def counting(tmp_path: Path, *versions: tuple[str, date]) -> WorkbookReading:
    """Of workbooks given as (报出日期, day of arrival), in order of arrival, the one that counts; it is named by its place."""
    hand_ins = []
    for place, (reported_on, arrived_on) in enumerate(versions):
        path = tmp_path / f"第{place}份.xlsx"
        write_return(path, "finance_bureau", finance_rows(), reported_on=reported_on)
        hand_ins.append(HandIn(path, path.name, sha256_of(path), arrived_on))
    return read_returns(hand_ins, "2026H1", tmp_path / "spool")[-1][1]


@pytest.mark.parametrize("impossible", ["2062年7月9日", "2016年7月9日"])
def test_an_impossible_day_does_not_keep_every_later_version_from_counting(tmp_path: Path, impossible: str) -> None:
    versions = (impossible, date(2026, 7, 10)), ("2026年7月20日", date(2026, 7, 21))
    reading = counting(tmp_path, *versions)
    assert (reading.file_name, reading.findings) == ("第1份.xlsx", [])


def test_an_impossible_day_counts_for_nothing_on_a_sheet_that_cannot_be_read_either(tmp_path: Path) -> None:
    def unreadable(book: Workbook) -> None:
        book["拨付明细"]["D2"] = "报出日期：2062-07-09"
        book["拨付明细"]["A3"] = "编号"

    path = write_return(
        tmp_path / "改.xlsx", "finance_bureau", finance_rows(), reported_on="2026年7月9日", edit=unreadable
    )
    reading = read_workbook(path)
    assert "finance_bureau__gov_payment" not in reading.tables
    assert str(reading.reported_on) == "2026-07-09"


def test_a_correction_that_kept_an_older_day_is_asked_about_and_not_passed_over_in_silence(tmp_path: Path) -> None:
    versions = ("2026年7月10日", date(2026, 7, 10)), ("2026年7月9日", date(2026, 7, 21))
    reading = counting(tmp_path, *versions)
    (finding,) = reading.findings
    assert (reading.file_name, finding.rule_id, finding.rule_class) == ("第0份.xlsx", "RD-064", "query")
    assert "“第1份.xlsx”（报出日期 2026-07-09）没有采用" in finding.message


def test_versions_that_came_on_one_day_or_in_the_order_of_their_days_are_in_order(tmp_path: Path) -> None:
    day = date(2026, 7, 12)
    assert counting(tmp_path, ("2026年7月11日", day), ("2026年7月9日", day)).findings == []
    assert counting(tmp_path, ("2026年7月9日", day), ("2026年7月9日", date(2026, 7, 13))).file_name == "第1份.xlsx"
