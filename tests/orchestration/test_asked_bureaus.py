"""What gate 2 asks a bureau: in its receipt and nobody else's, answered in its own 核实说明, waited for by name, decided by another person."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from expectations import findings as ledger
from orchestration import receipts
from orchestration.alerts.events import happening
from orchestration.blocking import blocking_causes
from orchestration.submissions import submissions
from sources.calendar import calendar
from sources.explanations import EXPLANATION_HEADINGS
from sources.finding import Finding
from tests.conftest import SAMPLES, run_sti
from tests.orchestration.by_hand import judge, receive
from warehouse import archive
from warehouse.paths import Home

PERIOD, EDUCATION = "2026H1", "education_bureau"


class Asked:
    """The sample city in which one question of gate 2 to the education bureau is open again, and nothing else."""

    def __init__(self, home: Home) -> None:
        self.home = home
        known = [
            s.finding
            for s in ledger.states(home.findings, PERIOD)
            if s.scope == "gate2" and s.state != ledger.CORRECTED
        ]
        # The order of a ledger is that of its ids, which is another in each home.
        self.finding = min(
            (f for f in known if f.rule_id == "FCT-012" and [a.provider for a in f.asks][:1] == [EDUCATION]),
            key=lambda f: f.subject,
        )
        ledger.record(home.findings, PERIOD, "gate2", [f for f in known if f != self.finding])
        ledger.record(home.findings, PERIOD, "gate2", known)
        receipts.renew_all(home, PERIOD)

    def receipt(self, provider: str = EDUCATION) -> dict[str, Any]:
        number = archive.versions(self.home, provider, PERIOD)[-1].receipt_no
        document = receipts.stored(self.home, number)
        assert document is not None
        return document

    def asked_in(self, provider: str) -> list[dict[str, Any]]:
        return [f for f in self.receipt(provider)["findings"] if f["finding_id"] == self.finding.finding_id]

    def state(self) -> str:
        (state,) = [
            s for s in ledger.states(self.home.findings, PERIOD) if s.finding.finding_id == self.finding.finding_id
        ]
        return state.state

    def board(self) -> tuple[str, int, str]:
        found = submissions(self.home, [PERIOD])
        mine = next(each for each in found if each.provider.provider == EDUCATION)
        assert {e.state for e in found if e is not mine and not self.finding.ask_of(e.provider.provider)} == {"已准入"}
        return mine.state, mine.query_count, mine.remaining

    def hand_in(self, folder: Path, day: int, *rows: tuple[str, ...]) -> Path:
        """Hand the bureau's workbook in again with rows of 核实说明 beside those that it had."""
        path = folder / f"市教育局_{day}.xlsx"
        shutil.copy(SAMPLES / PERIOD / f"市教育局_{PERIOD}.xlsx", path)
        book = openpyxl.load_workbook(path)
        sheet = book["核实说明"] if "核实说明" in book.sheetnames else book.create_sheet("核实说明")
        sheet.delete_rows(1, sheet.max_row)
        for row in (EXPLANATION_HEADINGS, *rows):
            sheet.append(row)
        for page in book:
            for cell in (cell for line in page.iter_rows() for cell in line if "报出日期" in str(cell.value)):
                cell.value = f"报出日期：2026年8月{day}日"
        book.save(path)
        return path


@pytest.fixture
def asked(home_copy: Path) -> Asked:
    return Asked(Home(home_copy))


def test_a_question_of_gate_2_goes_to_the_bureau_and_its_answer_comes_back_in_the_workbook(
    asked: Asked, tmp_path: Path
) -> None:
    home, short = asked.home, asked.finding.finding_id[:8]
    receipt = asked.receipt()
    (entry,) = asked.asked_in(EDUCATION)
    ask = asked.finding.ask_of(EDUCATION)
    assert ask
    assert (receipt["state_label"], receipt["gate_2_query_count"]) == ("待说明", 1)
    assert "第二道关卡" in receipt["next_action"]
    assert (entry["gate"], entry["sheet"], entry["cell"], entry["message"]) == (
        2,
        "科技创新投入事实表",
        f"#{short}",
        ask.message,
    )
    folder = home.receipt_folder(receipt["receipt_no"])
    listed = openpyxl.load_workbook(folder / "receipt.xlsx")["问题清单"].iter_rows(min_row=3, values_only=True)
    assert (entry["sheet"], entry["cell"], ask.message) in {row[2:5] for row in listed}
    assert asked.board() == ("待说明", 1, "第二道关卡问到 1 条")
    assert f"{PERIOD} 第二道关卡等待 市教育局" in run_sti("--home", home.root, "status", PERIOD).stdout
    assert [(c.actor.split("、")[0], c.kind) for c in blocking_causes(home, PERIOD)] == [("市教育局", "explain")]
    told = happening(home, submissions(home, [PERIOD]), {}, calendar())
    assert (PERIOD, EDUCATION) in {(e.facts["period"], e.provider) for e in told if e.kind == "awaiting"}

    rows = (
        ("FCT-012", entry["sheet"], entry["cell"], "跨期到账，七月入账", "孙丽"),
        ("FCT-012", entry["sheet"], "#00000000", "别的", "孙丽"),
    )
    path = asked.hand_in(tmp_path, 3, *rows)
    checked = json.loads(run_sti("--home", home.root, "check", path, "--json").stdout)[0]
    notes = [f for f in checked["findings"] if f["sheet"] == "核实说明"]
    assert {(f["rule_id"], f["cell"]) for f in notes} == {("RD-135", "2:2"), ("RD-135", "3:3")}
    receive(home, path, PERIOD)
    judge(home, EDUCATION, PERIOD)
    assert asked.state() == "已说明"
    assert [f["explanation"] for f in asked.asked_in(EDUCATION)] == ["跨期到账，七月入账"]
    (stray,) = [f for f in asked.receipt()["findings"] if f["sheet"] == "核实说明"]
    assert stray["rule_id"] == "RD-130" and f"#{short}" in stray["message"]

    refused = run_sti("--home", home.root, "decide", short, "--accept", "--by", "孙　丽", "--reason", "属实")
    assert (refused.exit_code, "说明人" in refused.stderr) == (2, True)
    assert (
        run_sti("--home", home.root, "decide", short, "--return", "--by", "李明", "--reason", "请附凭证").exit_code == 0
    )
    assert "请附凭证" in [f["decision_reason"] for f in asked.asked_in(EDUCATION)]
    # The same words again are no new explanation; a row without a mark speaks of all that the rule asks.
    receive(
        home,
        asked.hand_in(tmp_path, 4, ("FCT-012", "科技创新投入事实表", "", "凭证已附，七月八日入账", "孙丽")),
        PERIOD,
    )
    judge(home, EDUCATION, PERIOD)
    assert asked.state() == "已说明"
    accepted = run_sti("--home", home.root, "decide", short, "--accept", "--by", "李明", "--reason", "凭证相符")
    assert accepted.exit_code == 0, accepted.stderr
    assert asked.receipt()["receipt_no"] in accepted.stdout
    assert [f["state"] for f in asked.asked_in(EDUCATION)] == ["说明通过"]
    assert asked.receipt()["gate_2_query_count"] == 0


def test_what_a_bureau_is_asked_is_counted_in_places_as_all_else_on_the_board(asked: Asked) -> None:
    rest = [
        s.finding
        for s in ledger.states(asked.home.findings, PERIOD)
        if s.scope == "gate2" and s.state != ledger.CORRECTED and s.finding != asked.finding
    ]
    asked.finding = replace(asked.finding, stands_for_count=3)
    ledger.record(asked.home.findings, PERIOD, "gate2", [*rest, asked.finding])
    assert asked.board() == ("待说明", 3, "第二道关卡问到 3 条")
    told = run_sti("--home", asked.home.root, "status", PERIOD).stdout
    assert f"{PERIOD} 第二道关卡等待 市教育局" in told and "说明或改正核实性问题 3 条" in told


def test_no_receipt_holds_what_another_bureaus_units_reported(sample_home: Path) -> None:
    """Every question of gate 2 on the sample city, receipt by receipt: a bureau reads its own words, and of the other side no figure."""
    home = Home(sample_home)
    standing = [
        s.finding for s in ledger.states(home.findings, PERIOD) if s.scope == "gate2" and s.state != ledger.CORRECTED
    ]
    asked = [f for f in standing if f.asks]
    assert {f.rule_id for f in asked} >= {"FCT-012", "REC-001", "ELM-006"}
    seen = 0
    for provider in {ask.provider for f in asked for ask in f.asks}:
        document = receipts.stored(home, archive.versions(home, provider, PERIOD)[-1].receipt_no)
        assert document is not None
        listed = {f["finding_id"]: f for f in document["findings"] if f["gate"] == 2}
        assert set(listed) == {f.finding_id for f in asked if f.ask_of(provider)}
        # Nor can it be found by trying: the ids are made with a secret of the home's, and nothing of that is told.
        told = json.dumps(document, ensure_ascii=False)
        for finding in asked:
            assert finding.id_salt and finding.id_salt not in told
            assert replace(finding, id_salt="").finding_id not in told
        for finding in asked:
            if finding.ask_of(provider):
                # The subject names both sides: an enterprise that the unit did not report among them.
                assert listed[finding.finding_id]["subject"] == finding.mark
            if finding.rule_id == "REC-001" and finding.ask_of(provider):
                seen += 1
                text = " ".join(listed[finding.finding_id][name] for name in ("message", "found", "expected"))
                assert other_side(finding, provider) not in text.replace("，", " ").split()
    assert seen > 10
    # A list of findings is passed on, too: the secret and what is made with it stay in the ledger.
    listed_all = run_sti("--home", home.root, "findings", PERIOD, "--json").stdout
    assert all(f.finding_id in listed_all and f.id_salt not in listed_all for f in asked)


def test_a_lapsed_answer_does_not_tell_what_the_other_side_reported(asked: Asked, tmp_path: Path) -> None:
    """The other side's figure changes after the answer: the note that it has lapsed goes into the asked bureau's receipt."""
    home, row = asked.home, ("FCT-012", "科技创新投入事实表", "", "跨期到账，七月入账", "孙丽")
    receive(home, asked.hand_in(tmp_path, 3, row), PERIOD)
    judge(home, EDUCATION, PERIOD)
    assert asked.state() == "已说明"
    told_before = asked.finding.found.rpartition("所报 ")[2].removesuffix(" 万元")
    changed = replace(asked.finding, found=asked.finding.found.replace(told_before, "77.1357"))
    assert changed != asked.finding
    rest = [
        s.finding
        for s in ledger.states(home.findings, PERIOD)
        if s.scope == "gate2" and s.state != ledger.CORRECTED and s.finding != asked.finding
    ]
    ledger.record(home.findings, PERIOD, "gate2", [*rest, changed])
    receive(home, asked.hand_in(tmp_path, 4, row), PERIOD)
    judge(home, EDUCATION, PERIOD)
    (lapsed,) = [f for f in asked.receipt()["findings"] if f["rule_id"] == "RD-134"]
    ask = changed.ask_of(EDUCATION)
    assert ask and ask.found in lapsed["message"]
    text = json.dumps(asked.receipt(), ensure_ascii=False)
    assert "77.1357" not in text
    assert told_before not in lapsed["message"]


def other_side(finding: Finding, provider: str) -> str:
    """Return the other side's figure of a payment, as people read it."""
    funder, performer = finding.found, finding.expected.removeprefix("收款单位自报 ")
    is_funder = provider in ("finance_bureau", "statistics_bureau")
    return (performer if is_funder else funder).removesuffix(" 万元")
