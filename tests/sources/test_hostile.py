"""A corpus of broken and hostile workbooks, and of odd but good ones: each is answered as stated, and none gets out of hand."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sources.workbook import read_workbook
from tests.sources.hostile import allowed, cells, contents, kinds, zips
from tests.sources.hostile.case import Case
from tests.sources.hostile.packages import parts_of
from tests.workbooks import finance_rows, write_return

ROOT = Path(__file__).parent.parent.parent
CASES = [case for module in (allowed, kinds, zips, contents, cells) for case in module.CASES]
LEDGER = "finance_bureau__gov_payment"
Answers = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every file of the corpus, made anew, by the name of its case."""
    folder = tmp_path_factory.mktemp("corpus")
    good = parts_of(write_return(folder / "base.xlsx", "finance_bureau", finance_rows()))
    # openpyxl asks Excel to calculate anew; what is to be told of formulas is not the matter here.
    good["xl/workbook.xml"] = good["xl/workbook.xml"].replace(b' fullCalcOnLoad="1"', b"")
    paths = {case.name: folder / f"{case.name}.xlsx" for case in CASES}
    for case in CASES:
        paths[case.name].write_bytes(case.make(good))
    return paths


@pytest.fixture(scope="module")
def answers(corpus: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Answers:
    """What the whole intake made of each file, in a process with 1.5 GB of address space and 20 s of processor per file.

    A file that the process does not survive has no answer; the next ones get a new process.
    """
    found: Answers = {}
    left = list(corpus)
    while left:
        home = tmp_path_factory.mktemp("hostile") / "home"
        given = "".join(f"{corpus[name]}\n" for name in ["good", *left] if name)
        command = [sys.executable, "-m", "tests.sources.hostile.worker", str(home)]
        run = subprocess.run(command, input=given, capture_output=True, text=True, cwd=ROOT, check=False)
        lines = [json.loads(line) for line in run.stdout.splitlines()]
        assert lines, run.stderr
        found |= dict(zip(left, lines[1:], strict=False))
        left = left[max(len(lines), 1) :]
    return found


def test_the_corpus_is_large_and_every_case_has_its_own_name() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 100


@pytest.mark.parametrize("case", [case for case in CASES if case.rule], ids=lambda case: case.name)
def test_each_broken_or_hostile_file_is_answered_as_stated(case: Case, answers: Answers) -> None:
    answer = answers[case.name]
    hits = [
        (rule, rule_class, message)
        for rule, rule_class, cell, message, why, action in answer["findings"]
        if rule == case.rule or case.rule == cells.READER
        if cell == case.cell and case.says in message and why and action
    ]
    assert hits, answer["findings"]
    if not case.cell:
        assert [finding[:2] for finding in answer["findings"]] == [[hits[0][0], "mandatory"]]
        assert answer["refused"] == [hits[0][0]]
        assert answer["refusal"] == hits[0][2]
        assert answer["rows"] == {}
        assert "Error" not in hits[0][2] or case.rule == cells.READER


@pytest.mark.parametrize("case", [case for case in CASES if not case.rule], ids=lambda case: case.name)
def test_each_odd_but_good_file_is_read_whole(case: Case, answers: Answers) -> None:
    answer = answers[case.name]
    assert [finding for finding in answer["findings"] if finding[1] != "note"] == []
    assert (answer["period"], answer["refusal"], answer["rows"][LEDGER]) == ("2026H1", "", 3)


def test_every_file_is_kept_byte_by_byte_within_the_limits_and_touches_nothing_else(answers: Answers) -> None:
    assert answers.keys() == {case.name for case in CASES}
    assert {name: answer["seen"] for name, answer in answers.items() if answer["seen"]} == {}
    assert [name for name, answer in answers.items() if not answer["is_kept"]] == []


def test_an_unused_link_to_another_workbook_is_a_note_and_blocks_nothing(answers: Answers) -> None:
    assert ["RD-045", "note"] in [finding[:2] for finding in answers["good-unused-link"]["findings"]]
    assert "RD-045" not in [finding[0] for finding in answers["link-in-read-cell"]["findings"]]


def test_a_link_in_a_cell_that_is_not_read_is_no_error(tmp_path: Path) -> None:
    path = tmp_path / "margin.xlsx"
    good = parts_of(write_return(tmp_path / "base.xlsx", "finance_bureau", finance_rows()))
    cells._link(good)
    row = b'<c r="P4"><f>[1]Sheet1!A1</f><v>1</v></c></row>'
    sheet = good[cells.SHEET]
    at = sheet.index(b"</row>", sheet.index(b'r="A4"'))
    good[cells.SHEET] = sheet[:at] + row + sheet[at + len(b"</row>") :]
    path.write_bytes(allowed.zipped(good))
    assert {"RD-013", "RD-045"} <= {f.rule_id for f in read_workbook(path).findings}
    assert "RD-044" not in {f.rule_id for f in read_workbook(path).findings}


def test_a_pipe_a_device_a_folder_and_a_missing_file_are_answered_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.xlsx")
    (tmp_path / "folder.xlsx").mkdir()
    for path in (tmp_path / "pipe.xlsx", Path("/dev/zero"), tmp_path / "folder.xlsx", tmp_path / "none.xlsx"):
        (finding,) = read_workbook(path).findings
        assert finding.rule_id == "RD-046", path
