"""Receipts: one for every hand-in, good, doubtful or hostile, as JSON and as a workbook that a bureau can work from."""

import json
import os
import shutil
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from msoffcrypto.format.ooxml import OOXMLFile

from expectations import findings as ledger
from orchestration import gate, receipts
from orchestration.hand_ins import judge_slot, receive_all
from sources import delivery
from sources import workbook as reader
from sources.finding import Finding
from tests.conftest import SAMPLES, run_sti
from tests.workbooks import education_rows, finance_rows, outflow_row, payment_row, with_cell, write_return
from warehouse import archive
from warehouse.paths import Home

PERIOD = "2026H1"
RED, AMBER, BLUE = "00FF9999", "00FFD966", "00BDD7EE"


def documents(home: Path) -> dict[str, dict[str, Any]]:
    found = [json.loads(path.read_text(encoding="utf-8")) for path in home.glob("receipts/*/receipt.json")]
    return {document["file_name"]: document for document in found}


def take_in(home: Path, *files: Path) -> dict[str, dict[str, Any]]:
    """Put files into the home's inbox, then receive and judge as a run does; return the receipts by file name."""
    where = Home.at(home)
    (home / "inbox").mkdir(parents=True, exist_ok=True)
    for file in files:
        shutil.copy(file, home / "inbox")
    receive_all(where, home / "inbox", PERIOD)
    for provider in {r.provider for r in archive.receipts(where) if r.period == PERIOD}:
        judge(where, provider)
    return documents(home)


def judge(home: Home, provider: str) -> None:
    def settle(found: list[Finding]) -> list[Finding]:
        ledger.record(home.findings, PERIOD, f"gate1:{provider}", found)
        return ledger.blocking(home.findings, PERIOD, f"gate1:{provider}")

    with suppress(RuntimeError):
        judge_slot(home, provider, PERIOD, settle)


def self_checked(tmp_path: Path, *files: Path) -> list[tuple[dict[str, Any], openpyxl.Workbook]]:
    result = run_sti("--home", tmp_path / "none", "check", *files, "--receipt", tmp_path / "out", "--json")
    written = [report["receipt"] for report in json.loads(result.stdout)]
    return [(json.loads(Path(j).read_text(encoding="utf-8")), openpyxl.load_workbook(x)) for j, x in written]


def test_a_good_hand_in_is_receipted_with_everything_a_bureau_asks_for(sample_home: Path) -> None:
    receipt = documents(sample_home)["市财政局_2026H1.xlsx"]
    file = SAMPLES / PERIOD / "市财政局_2026H1.xlsx"
    assert {k: receipt[k] for k in ("receipt_no", "provider_label", "period", "form_label", "state", "state_label")} == {
        "receipt_no": "2026H1-finance_bureau-001", "provider_label": "市财政局", "period": PERIOD, "form_label": "半年报",
        "state": "accepted", "state_label": "受理",
    }  # fmt: skip
    assert (receipt["file_size_bytes"], receipt["file_sha256"]) == (file.stat().st_size, reader.sha256_of(file))
    assert (receipt["due_on"], receipt["is_due_provisional"], receipt["version_number"]) == ("2026-07-31", True, 1)
    assert receipt["received_at"].endswith("+08:00")
    summary, payments = receipt["tables"]
    sheet = openpyxl.load_workbook(file, data_only=True)["政府科技创新投入"]
    stated = next(r for r in sheet.iter_rows(values_only=True) if any("".join(str(v).split()) == "合计" for v in r))
    totals = {t["heading"]: Decimal(t["total_in_unit"]) for t in summary["control_totals"]}
    assert totals["政府科技创新投入合计"] in {Decimal(format(v, ".15g")) for v in stated if isinstance(v, int | float)}
    assert summary["cell_count"] == summary["row_count"] * 15
    assert receipt["row_count"] == summary["row_count"] + payments["row_count"]


def test_every_hand_in_of_the_sample_city_has_both_files_and_the_replaced_one_says_by_what(sample_home: Path) -> None:
    found = documents(sample_home)
    assert len(found) == len(archive.receipts(Home.at(sample_home))) == 26
    assert {d["state"] for d in found.values()} == {"accepted", "replaced"}
    for document in found.values():
        assert (sample_home / "receipts" / document["receipt_no"] / "receipt.xlsx").stat().st_size > 5000
    old, new = found["市教育局_2025H2.xlsx"], found["市教育局_2025H2_更正.xlsx"]
    assert (old["state"], old["replaced_by"], old["verdict"]) == ("replaced", new["receipt_no"], "awaiting_explanation")
    assert (new["replaces"], new["version_number"], new["version_count"]) == (old["receipt_no"], 2, 2)


def test_what_a_correction_changed_is_told_by_key_with_old_and_new_values(sample_home: Path) -> None:
    changes = documents(sample_home)["市教育局_2025H2_更正.xlsx"]["changes"]
    units, inflow = changes["tables"]
    (total,) = [t for t in units["control_totals"] if t["column"] == "sti_activity_wan"]
    assert (total["old_wan"], total["new_wan"]) == ("521725.870000", "520475.870000")
    changed = {
        row["key"]["unit_code"]: {c["heading"]: (c["old"], c["new"]) for c in row["cells"]} for row in units["rows"]
    }
    assert changed == {
        "12330402MYF7W7WL7T": {"科技活动费用合计": ("65453.74", "64203.74"), "自筹及其他": ("8290.39", "7040.39")},
        "12330402MYHK6YA96D": {"境外资金": ("-", "0")},
    }
    assert (inflow["added_count"], inflow["changed_count"], inflow["renumbered_count"]) == (1, 0, 100)
    book = openpyxl.load_workbook(sample_home / "receipts" / "2025H2-education_bureau-002" / "receipt.xlsx")
    shown = [row[5:8] for row in book["与上一版的差异"].iter_rows(min_row=3, values_only=True)]
    assert ("科技活动费用合计", "65453.74", "64203.74") in shown
    told = run_sti("--home", sample_home, "receipt", "2025H2-education_bureau-002").stdout
    assert "科技活动费用合计 65453.74 → 64203.74" in told


def test_rows_removed_added_and_renumbered_are_told_apart(tmp_path: Path) -> None:
    rows = education_rows()
    lists = (
        [outflow_row(1), outflow_row(2, 金额=5), outflow_row(3, 金额=7)],
        [outflow_row(1), outflow_row(2, 金额=7), outflow_row(3, 金额=9)],
    )
    files = [
        write_return(tmp_path / f"{n}.xlsx", "education_bureau", rows | {"education_bureau__outflow": o}, reported_on=f"2026年7月{n}日")
        for n, o in enumerate(lists, start=1)
    ]  # fmt: skip
    (table,) = take_in(tmp_path / "home", *files)["2.xlsx"]["changes"]["tables"]
    assert (table["renumbered_count"], table["added_count"], table["removed_count"]) == (1, 1, 1)
    told = [(row["kind"], {c["heading"]: c["new"] or c["old"] for c in row["cells"]}["金额"]) for row in table["rows"]]
    assert sorted(told) == [("added", "9"), ("removed", "5")]
    assert table["control_totals"][0]["difference_wan"] == "4.000000"


def test_a_refused_file_is_told_why_and_what_to_do_and_nothing_of_it_is_copied(tmp_path: Path) -> None:
    with (SAMPLES / PERIOD / "市财政局_2026H1.xlsx").open("rb") as plain, (tmp_path / "加密.xlsx").open("wb") as locked:
        OOXMLFile(plain).encrypt("123456", locked)
    receipt = take_in(tmp_path / "home", tmp_path / "加密.xlsx")["加密.xlsx"]
    assert (receipt["state_label"], receipt["stage"], receipt["provider_label"]) == ("退回", "judged", "未识别")
    book = openpyxl.load_workbook(tmp_path / "home" / "receipts" / receipt["receipt_no"] / "receipt.xlsx")
    assert book.sheetnames == ["回执"]
    said = "".join(str(row[0]) for row in book["回执"].iter_rows(values_only=True))
    assert "加密" in said
    assert "怎么办：请去掉打开密码" in said


def test_the_copy_colours_the_faulty_cell_at_its_own_address_and_says_why(tmp_path: Path) -> None:
    names = ("gov-negative-amount", "handed-on-without-number", "numbers-as-text", "missing-heading")
    checked = self_checked(tmp_path, *(SAMPLES / "faulty" / f"{name}.xlsx" for name in names))
    places = (
        ("政府科技创新投入", "K9", RED),
        ("经费来源明细", "G5", AMBER),
        ("拨付明细", "K9", BLUE),
        ("拨付明细", "C3", RED),
    )
    for (document, book), (sheet, place, colour) in zip(checked, places, strict=True):
        cell = book[sheet][place]
        assert cell.fill.fgColor.rgb == colour, document["file_name"]
        finding = next(f for f in document["findings"] if f["cell"] in (place, "3:3"))
        commented = cell if finding["cell"] == place else book[sheet]["A3"]
        assert finding["message"] in commented.comment.text
        assert finding["action"] in commented.comment.text
        links = {row[3].hyperlink.location for row in book["问题清单"].iter_rows(min_row=3) if row[3].hyperlink}
        assert f"'{sheet}'!{place if finding['cell'] == place else 'A3'}" in links
    assert checked[0][1]["政府科技创新投入"]["K9"].value == -5


def test_contact_persons_stop_at_the_archive(sample_home: Path) -> None:
    for document in documents(sample_home).values():
        book = openpyxl.load_workbook(
            sample_home / "receipts" / document["receipt_no"] / "receipt.xlsx", read_only=True
        )
        texts = [str(v) for sheet in book for row in sheet.iter_rows(values_only=True) for v in row if v is not None]
        assert not [t for t in texts if "示例负责人" in t or "示例填表人" in t or "示例统计员" in t or "0573-" in t]
        book.close()


def test_a_long_sheet_is_copied_in_part_with_its_row_numbers_and_that_is_said(tmp_path: Path) -> None:
    rows = finance_rows() | {"finance_bureau__gov_payment": [payment_row(n, 金额=0.01) for n in range(1, 701)]}
    path = write_return(tmp_path / "长.xlsx", "finance_bureau", rows, edit=with_cell("拨付明细", "K650", "约100"))
    ((document, book),) = self_checked(tmp_path, path)
    sheet = book["拨付明细"]
    assert (sheet["K650"].value, sheet["K650"].fill.fgColor.rgb, sheet["K651"].value) == ("约100", RED, None)
    assert sheet.sheet_format.zeroHeight
    assert any("“拨付明细”共 704 行" in str(row[0]) for row in book["回执"].iter_rows(values_only=True))
    assert document["row_count"] == 710


def finding_facts(found: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    names = ("rule_id", "rule_class", "sheet", "cell", "found", "expected", "message", "why", "action", "finding_id")
    return sorted(tuple(f[name] for name in names) for f in found)


def test_the_self_check_gives_exactly_the_findings_of_the_run(sample_home: Path) -> None:
    files = sorted((SAMPLES / PERIOD).glob("*.xlsx"))
    checked = json.loads(run_sti("--home", sample_home, "check", *files, "--json").stdout)
    states = ledger.states(Home.at(sample_home).findings, PERIOD)
    for report in checked:
        found = [s.finding.as_dict() for s in states if s.scope == f"gate1:{report['provider']}"]
        assert finding_facts(report["findings"]) == finding_facts(found)
        assert found


def test_the_self_check_of_every_faulty_sample_gives_exactly_the_findings_of_the_run(tmp_path: Path) -> None:
    files = sorted((SAMPLES / "faulty").glob("*.xlsx"))
    checked = json.loads(run_sti("--home", tmp_path / "none", "check", *files, "--json").stdout)
    assert len(checked) == 28
    for report, file in zip(checked, files, strict=True):
        home = tmp_path / file.stem
        receipt = take_in(home, file)[file.name]
        found = [s.finding.as_dict() for s in ledger.states(Home.at(home).findings, PERIOD)]
        assert finding_facts(report["findings"]) == finding_facts(found) == finding_facts(receipt["findings"])


def test_the_same_file_again_leaves_its_receipt_untouched(tmp_path: Path) -> None:
    home = tmp_path / "home"
    file = SAMPLES / "faulty" / "voucher-twice.xlsx"
    receipt_no = take_in(home, file)["voucher-twice.xlsx"]["receipt_no"]
    folder = home / "receipts" / receipt_no
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    (home / "inbox" / "voucher-twice.xlsx").rename(home / "inbox" / "又一次.xlsx")
    take_in(home)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert len(list((home / "receipts").iterdir())) == 1


def test_a_hand_in_of_another_period_and_an_annual_one_are_judged_too_and_accepted_nowhere(tmp_path: Path) -> None:
    inbox = tmp_path / "in"
    inbox.mkdir()
    for name in ("2025H1/市科技局_2025H1.xlsx", "2025/市科技局_2025.xlsx", "faulty/no-unit.xlsx"):
        shutil.copy(SAMPLES / name, inbox)
    home = tmp_path / "home"
    assert run_sti("--home", home, "run", PERIOD, "--inbox", inbox).exit_code == 2
    found = documents(home)
    assert {d["file_name"]: (d["stage"], d["period"]) for d in found.values()} == {
        "市科技局_2025H1.xlsx": ("judged", "2025H1"), "市科技局_2025.xlsx": ("judged", "2025"), "no-unit.xlsx": ("judged", PERIOD),
    }  # fmt: skip
    assert found["市科技局_2025H1.xlsx"]["tables"]
    assert not list(home.glob("accepted/*/2025H1/rows.parquet"))


@pytest.mark.parametrize("where", ["arrival", "gate", "copy"])
def test_a_file_that_our_own_program_fails_on_is_kept_and_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a fault of ours")

    home = tmp_path / "home"
    module, name = {
        "arrival": (archive, "identify_file"),
        "gate": (delivery, "read_workbook"),
        "copy": (receipts, "read_sheets"),
    }[where]
    monkeypatch.setattr(module, name, broken)
    file = SAMPLES / "faulty" / "voucher-twice.xlsx"
    receipt = take_in(home, file)["voucher-twice.xlsx"]
    assert archive.archived(Home.at(home), receipt["file_sha256"]).read_bytes() == file.read_bytes()
    assert "a fault of ours" in Home.at(home).log.read_text(encoding="utf-8")
    book = openpyxl.load_workbook(home / "receipts" / receipt["receipt_no"] / "receipt.xlsx")
    if where == "copy":
        assert receipt["state"] == "returned"
        assert book.sheetnames == ["回执", "问题清单", "控制合计"]
    else:
        assert receipt["state"] == "internal_error"
        assert "不需要重报" in receipt["next_action"]
    monkeypatch.undo()
    assert take_in(home)["voucher-twice.xlsx"]["state"] == "returned"
    assert [r.period for r in archive.receipts(Home.at(home))] == [PERIOD]


def test_a_self_check_that_our_own_program_fails_on_has_a_receipt_that_says_so_and_keeps_no_other_file_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(path: Path, *more: Any, **named: Any) -> Any:
        if path.name == "no-unit.xlsx":
            raise RuntimeError("a fault of ours")
        return read(path, *more, **named)

    read = gate.read_workbook
    monkeypatch.setattr(gate, "read_workbook", broken)
    files = [SAMPLES / "faulty" / name for name in ("no-unit.xlsx", "voucher-twice.xlsx")]
    result = run_sti("--home", tmp_path / "home", "check", *files, "--receipt", tmp_path / "out")
    assert (result.exit_code, "no-unit.xlsx" in result.stderr, "voucher-twice" in result.stderr) == (3, True, False)
    found = [json.loads(path.read_text(encoding="utf-8")) for path in (tmp_path / "out").glob("*.json")]
    assert {d["file_name"]: d["state"] for d in found} == {
        "no-unit.xlsx": "internal_error",
        "voucher-twice.xlsx": "returned",
    }


def test_a_file_name_from_a_chinese_system_is_read_as_such(tmp_path: Path) -> None:
    inbox = tmp_path / "home" / "inbox"
    inbox.mkdir(parents=True)
    shutil.copy(SAMPLES / "faulty" / "no-unit.xlsx", os.fsencode(inbox) + b"/" + "教育.xlsx".encode("gb18030"))
    assert take_in(tmp_path / "home")["教育.xlsx"]["state"] == "returned"


def test_an_accepted_explanation_is_in_the_receipt_with_name_and_reason(sample_home: Path) -> None:
    queries = [f for f in documents(sample_home)["市教育局_2026H1.xlsx"]["findings"] if f["rule_class"] == "query"]
    assert {(f["state"], f["decided_by"], f["decision_reason"]) for f in queries} == {
        ("说明通过", "测试员", "测试用，一次认可")
    }
