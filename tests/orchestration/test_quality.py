"""The quality page of a run: what each check looked at and found, for people; offline, hostile texts harmless, no unit's figures in it."""

import json
import re
import shutil
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import dagster as dg
import openpyxl
import pytest

from expectations import findings as ledger
from expectations.rules import load_suite
from orchestration import quality
from orchestration.hand_ins import Judged, judge_slot, receive_all
from orchestration.run import prepare
from sources import contracts
from sources.finding import Finding
from tests.conftest import PERIODS, SAMPLES, run_sti
from tests.workbooks import finance_rows, payment_row, write_return
from warehouse import archive, layers
from warehouse import quality as store
from warehouse.paths import Home
from warehouse.publish import gate_2_record

PERIOD = "2026H1"
HOSTILE = '</td><script>alert(1)</script>\u202egnp.exe"><img src=x onerror=alert(2)>{{7*7}}'


class Seen(HTMLParser):
    """What a browser would see: the tags, everything that could fetch something, and the text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.links: list[str] = []
        self.handlers: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.links += [value or "" for name, value in attrs if name in ("src", "href", "action", "srcset")]
        self.handlers += [name for name, _ in attrs if name.startswith("on")]

    def handle_data(self, data: str) -> None:
        self.text += data


def judge(home: Home, provider: str, run_id: str, *, accept_by: str = "") -> Path:
    """Judge one return as a run does, and write the run's page."""
    scope = f"gate1:{provider}"

    def settle(found: list[Finding]) -> list[Finding]:
        ledger.record(home.findings, PERIOD, scope, found)
        if accept_by:
            queries = [f for f in found if f.rule_class == "query"]
            ledger.accept_queries(home.findings, PERIOD, accept_by, "已核实", queries)
        return ledger.blocking(home.findings, PERIOD, scope)

    judged = judge_slot(home, provider, PERIOD, settle)
    assert isinstance(judged, Judged)
    page = quality.write_gate_1(home, PERIOD, run_id, judged)
    assert page is not None
    return page


def page_of(tmp_path: Path, file: Path, provider: str) -> Path:
    home = Home.at(tmp_path / "home")
    receive_all(home, file, PERIOD)
    return judge(home, provider, "aaaaaaaa-1")


def with_heading(file: Path, sheet: str, text: str) -> Path:
    book = openpyxl.load_workbook(file)
    row = next(cell.row for line in book[sheet].iter_rows() for cell in line if cell.value == "金额")
    book[sheet].cell(row, book[sheet].max_column + 1, text)
    book.save(file)
    return file


def test_a_whole_run_is_on_one_page_that_needs_nothing_else(sample_home: Path, tmp_path: Path) -> None:
    told = run_sti("--home", sample_home, "quality", PERIOD).stdout.strip()
    page = Path(told).read_text("utf-8")
    seen = Seen(page)
    assert "两道关卡全部通过" in seen.text
    assert all(provider.label in seen.text for provider in contracts.providers_of("half_year"))
    assert "第二道关卡" in seen.text
    assert [link for link in seen.links if not link.startswith("#")] == []
    assert seen.handlers == []
    assert not seen.tags.keys() & {"script", "link", "img", "iframe", "object", "form"}
    assert not re.search(r"url\(|@import|https?:", page)
    suites = [load_suite(table_id) for table_id in contracts.tables("half_year")]
    judged = {table["table_id"] for table in tables_of(Path(told))}
    for rule in (rule for suite in suites if suite.name in judged for rule in suite.rules):
        assert rule.id in seen.text
        assert rule.label in seen.text
        assert rule.why in seen.text
    assert run_sti("--home", sample_home, "quality", PERIOD, "--out", tmp_path / "copy.html").exit_code == 0
    assert (tmp_path / "copy.html").read_bytes() == Path(told).read_bytes()
    assert {path.name for path in (sample_home / "quality").iterdir()} == set(PERIODS)
    assert re.search("各期不符：.*2024H1 [0-9]+，.*2026H1 [0-9]+", seen.text)


def test_no_page_of_the_sample_city_names_an_enterprise(sample_home: Path) -> None:
    codes: set[str] = set()
    for file in SAMPLES.glob("20*/市统计局_*.xlsx"):
        for sheet in openpyxl.load_workbook(file, read_only=True):
            typed = {str(value) for row in sheet.iter_rows(values_only=True) for value in row}
            codes |= {text for text in typed if re.fullmatch("91[0-9A-Z]{16}", text)}
    pages = list(sample_home.glob("quality/*/*/quality.*"))
    assert len(codes) > 100
    assert len(pages) == 2 * len(PERIODS)
    for page in pages:
        text = page.read_text("utf-8")
        assert [code for code in codes if code in text] == []


def tables_of(page: Path) -> list[dict]:
    document = json.loads((page.parent / "quality.json").read_text("utf-8"))
    return [table for part in document["sections"].values() for table in part["tables"]]


def test_the_gates_checks_in_the_ui_name_the_page(sample_home: Path) -> None:
    prepare(Home.at(sample_home))
    asked = [
        dg.AssetCheckKey(dg.AssetKey(["raw", "finance_bureau__gov_input"]), "gate_1"),
        dg.AssetCheckKey(dg.AssetKey(["facts", "fct_input"]), "gate_2"),
    ]
    with dg.DagsterInstance.get() as instance:
        found = instance.event_log_storage.get_latest_asset_check_execution_by_key(asked)
    pages = {
        record.event.dagster_event.asset_check_evaluation_data.metadata["质量审核页"].value for record in found.values()
    }  # type: ignore[union-attr]
    newest = store.newest_page(Home.at(sample_home), PERIOD)
    assert len(found) == 2
    assert pages == {str(newest)}


def test_without_a_run_there_is_no_page_and_that_is_said(tmp_path: Path) -> None:
    result = run_sti("--home", tmp_path, "quality", PERIOD)
    assert result.exit_code == 1
    assert "sti run 2026H1" in result.stderr


def test_what_a_clerk_typed_can_neither_run_nor_turn_text_round(tmp_path: Path) -> None:
    rows = finance_rows() | {"finance_bureau__gov_payment": [payment_row(1, 金额=-(10**9))]}
    file = with_heading(write_return(tmp_path / "a<b>&\u202e.xlsx", "finance_bureau", rows), "拨付明细", HOSTILE)
    page = page_of(tmp_path, file, "finance_bureau")
    text = page.read_text("utf-8")
    seen = Seen(text)
    assert not seen.tags.keys() & {"script", "img", "b"}
    assert seen.handlers == []
    assert "\u202e" not in text
    assert "<script>alert(1)</script><202e>gnp.exe" in seen.text
    assert "{{7*7}}" in seen.text
    assert "a<b>&<202e>.xlsx" in seen.text


def test_a_failing_cell_is_named_with_what_to_do_and_the_page_says_that_nothing_passed(tmp_path: Path) -> None:
    page = page_of(tmp_path, SAMPLES / "faulty" / "gov-negative-amount.xlsx", "finance_bureau")
    seen = Seen(page.read_text("utf-8"))
    assert "没有通过" in seen.text
    assert "强制性问题 1 处" in seen.text
    assert "gov-negative-amount.xlsx[政府科技创新投入]!K9" in seen.text
    assert "请填写自年初起的累计净额" in seen.text
    assert "还没有审核：市统计局、市教育局、市科技局、市卫生健康委、第二道关卡" in seen.text
    (failed,) = [c for table in tables_of(page) for c in table["checks"] if c["result"] == "failed"]
    assert (failed["rule_id"], failed["evaluated_count"], failed["failed_count"]) == ("GEN-002", 10, 1)


def test_of_unit_level_data_there_are_only_counts(tmp_path: Path) -> None:
    file = SAMPLES / "faulty" / "enterprise-code-twice.xlsx"
    page = page_of(tmp_path, file, "statistics_bureau")
    everything = page.read_text("utf-8") + (page.parent / "quality.json").read_text("utf-8")
    book = openpyxl.load_workbook(file, read_only=True)
    typed = {str(value) for sheet in book for row in sheet.iter_rows(values_only=True) for value in row if value}
    codes = {text for text in typed if re.fullmatch(r"[0-9A-Z]{18}", text)}
    assert len(codes) > 10
    assert [code for code in codes if code in everything] == []
    (failed,) = [c for table in tables_of(page) for c in table["checks"] if c["result"] == "failed"]
    assert (failed["rule_id"], failed["failed_count"], failed["cells"]) == ("GEN-001", 1, [])
    assert "只列数量" in everything


def test_a_later_run_shows_what_an_earlier_one_found_and_leaves_its_page_alone(tmp_path: Path) -> None:
    home = Home.at(tmp_path / "home")
    receive_all(home, SAMPLES / "faulty" / "gov-negative-amount.xlsx", PERIOD)
    first = judge(home, "finance_bureau", "aaaaaaaa-1")
    before = first.read_bytes()
    shutil.copytree(first.parent, first.parent.with_name("20250101T000000Z-00000000"))
    receive_all(home, SAMPLES / PERIOD / "市财政局_2026H1.xlsx", PERIOD)
    later = judge(home, "finance_bureau", "bbbbbbbb-1")
    assert first.read_bytes() == before
    text = later.read_text("utf-8")
    assert "没有通过" not in text
    row = next(part for part in text.split("<tr>") if "附项：国企平台不得为负" in part)
    assert re.findall(r'<rect class="(\w+)"', row) == ["failed", "failed", "met", "met"]
    assert re.search(r"<title>.*：不符 1 处</title>", row)
    assert store.newest_page(home, PERIOD) == later


def test_an_accepted_explanation_is_shown_as_such_and_no_longer_open(tmp_path: Path) -> None:
    home = Home.at(tmp_path / "home")
    receive_all(home, SAMPLES / PERIOD / "市科技局_2026H1.xlsx", PERIOD)
    open_page = judge(home, "science_bureau", "aaaaaaaa-1")
    assert "等待核实" in Seen(open_page.read_text("utf-8")).text
    page = judge(home, "science_bureau", "bbbbbbbb-1", accept_by="李四")
    text = Seen(page.read_text("utf-8")).text
    assert "等待核实" not in text
    assert "说明通过" in text
    ended = Counter(check["result"] for table in tables_of(page) for check in table["checks"])
    assert (ended["open_query"], ended["accepted"]) == (0, 1)


def test_of_each_period_only_so_many_runs_are_kept_and_the_oldest_go_whole(tmp_path: Path) -> None:
    home = Home.at(tmp_path)
    for number in range(store.KEPT_RUN_COUNT):
        old = home.quality / PERIOD / f"20200101T{number:06d}Z-{number:08x}"
        old.mkdir(parents=True)
        (old / store.PAGE).write_text("old")
    folder = store.run_folder(home, PERIOD, "cccccccc-1")
    assert folder == store.run_folder(home, PERIOD, "cccccccc-1")
    kept = store.runs(home, PERIOD)
    assert len(kept) == store.KEPT_RUN_COUNT
    assert kept[0].name.startswith("20200101T000001Z")
    assert kept[-1] == folder


def test_a_page_that_cannot_be_written_does_not_end_the_run(tmp_path: Path) -> None:
    home = Home.at(tmp_path / "home")
    receive_all(home, SAMPLES / "faulty" / "gov-negative-amount.xlsx", PERIOD)
    home.quality.write_text("in the way")
    with pytest.raises(AssertionError):
        judge(home, "finance_bureau", "aaaaaaaa-1")
    assert "quality" in home.log.read_text("utf-8")


def test_a_check_against_earlier_data_names_the_hand_in_that_it_compared_with(sample_home: Path) -> None:
    home = Home(sample_home)
    record = layers.gate_record(home, "finance_bureau", PERIOD)
    assert record is not None
    before = archive.versions(home, "finance_bureau", "2025H1")[-1]
    named = {"period": "2025H1", "receipt_no": before.receipt_no, "file_sha256": before.file_sha256}
    (suite,) = [s for s in record["suites"] if s["suite"] == "finance_bureau__gov_input"]
    compared = {check["check_id"]: check["compared_with"] for check in suite["checks"]}
    assert (compared["FIN-005"], compared["FIN-001"]) == (named, None)
    assert compared["CMP-007"]["period"] == "2025H2"
    page = store.newest_page(home, PERIOD)
    assert page is not None
    text = Seen(page.read_text("utf-8")).text
    assert f"比的是：2025H1，受理号 {before.receipt_no}，SHA-256 {before.file_sha256[:16]}…" in text
    inputs = (gate_2_record(home) or {})["hand_ins"]
    assert {one["receipt_no"] for one in inputs["2025H1"]["finance_bureau"].values()} == {before.receipt_no}
    assert f"{before.receipt_no}（{before.file_sha256[:16]}…）" in text.partition("第二道关卡（")[2]


def test_a_year_has_its_page_with_the_years_beside_it_and_no_half_year(annual_home: Path) -> None:
    told = run_sti("--home", annual_home, "quality", "2025")
    assert told.exit_code == 0, told.stderr
    seen = Seen(Path(told.stdout.strip()).read_text("utf-8"))
    assert re.search("各期不符：2024 [0-9]+，2025 [0-9]+", seen.text)
    assert "2025H2" not in seen.text
    assert all(provider.label in seen.text for provider in contracts.providers_of("year"))


def test_a_decision_is_on_the_page_at_once(tmp_path: Path) -> None:
    page = page_of(tmp_path, SAMPLES / PERIOD / "市教育局_2026H1.xlsx", "education_bureau")
    home = Home.at(tmp_path / "home")
    ids = [f.finding_id for f in ledger.blocking(home.findings, PERIOD)]
    assert "核实性问题 2 处待说明" in page.read_text("utf-8")
    assert run_sti("--home", home.root, "explain", *ids, "--by", "孙丽", "--text", "协议没有编号").exit_code == 0
    assert "审定说明" in page.read_text("utf-8")
    decided = run_sti("--home", home.root, "decide", *ids, "--accept", "--by", "李明", "--reason", "已看协议")
    assert decided.exit_code == 0, decided.stderr
    text = page.read_text("utf-8")
    assert "待说明" not in text.partition("怎么看")[0]
    assert {c["result"] for table in tables_of(page) for c in table["checks"] if c["class"] == "query"} >= {"accepted"}
    assert store.newest_page(home, PERIOD) == page
