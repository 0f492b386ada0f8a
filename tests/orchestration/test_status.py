"""The status board: every state, late or not, live and as published, in the UI and as a page."""

import json
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import dagster as dg
import pytest

from expectations import findings as ledger
from expectations.decisions import decide, explain
from orchestration import status
from orchestration.definitions import HALF_YEAR_JOB, defs
from orchestration.submissions import STATES, Submission, submissions
from orchestration.timeliness import WATCH_JOB, is_behind, unpublished
from sources.calendar import CALENDAR_FILE, Move, calendar, load_calendar
from sources.contracts import tables
from tests.conftest import SAMPLES, run_sti
from tests.orchestration.by_hand import judge, receive
from warehouse import archive
from warehouse.paths import Home, append_line
from warehouse.query import rows_of, run_query
from warehouse.report.status_page import MARKS

PERIOD = "2026H1"


def on(day: str, clock: str = "12:00") -> datetime:
    return datetime.fromisoformat(f"{day}T{clock}+08:00")


def of(home: Home, now: datetime, provider: str = "finance_bureau", period: str = PERIOD) -> Submission:
    return next(each for each in submissions(home, [period], now) if each.provider.provider == provider)


def received_on(home: Home, now: datetime) -> None:
    """Let the archive's receipts say that the files came at a time."""
    lines = [r.__dict__ | {"received_at": now.astimezone(UTC).isoformat()} for r in archive.receipts(home)]
    home.receipts.unlink()
    for line in lines:
        append_line(home.receipts, line)


def test_what_was_not_sent_is_not_due_until_the_last_day_has_passed_and_overdue_from_then_on(tmp_path: Path) -> None:
    home = Home(tmp_path)
    seen = {day: of(home, on(day)) for day in ("2026-06-30", "2026-07-17", "2026-07-31", "2026-08-01", "2026-08-04")}
    assert [(each.state, each.remaining) for each in seen.values()] == [
        ("未到期", "2026-07-01 开报"),
        ("未到期", "还有 10 个工作日（14 天）"),
        ("未到期", "今天截止"),
        ("缺报", "逾期 1 天"),
        ("缺报", "逾期 4 天"),
    ]
    # Midnight in Jiaxing, not in London.
    assert of(home, on("2026-07-31", "23:59")).state == "未到期"
    assert of(home, on("2026-08-01", "00:00")).state == "缺报"


def test_a_return_goes_through_every_state_and_each_is_told_from_the_others(tmp_path: Path) -> None:
    home, now = Home(tmp_path), datetime.now(UTC)
    receive(home, SAMPLES / "faulty" / "gov-negative-amount.xlsx", PERIOD)
    assert of(home, now).state == "已报未审"
    judge(home, "finance_bureau", PERIOD)
    returned = of(home, now)
    assert (returned.state, returned.version_count, returned.mandatory_count) == ("退回", 1, 1)
    by_table = {owed.table.table_id: owed.mandatory_count for owed in returned.tables}
    assert by_table == {"finance_bureau__gov_input": 1, "finance_bureau__gov_payment": 0}
    receive(home, SAMPLES / PERIOD / "市财政局_2026H1.xlsx", PERIOD)
    assert of(home, now).state == "已报未审"
    open_ones = judge(home, "finance_bureau", PERIOD)
    assert (of(home, now).state, of(home, now).version_count) == ("待说明" if open_ones else "已准入", 2)
    if open_ones:
        ledger.accept_queries(home.findings, PERIOD, "审核人", "属实", open_ones)
        judge(home, "finance_bureau", PERIOD)
    admitted = of(home, now)
    assert (admitted.state, admitted.mandatory_count, admitted.days_left) == ("已准入", 0, None)


def test_a_query_without_an_accepted_explanation_waits_and_a_refused_new_version_shows_over_an_admitted_one(
    tmp_path: Path,
) -> None:
    home, now = Home(tmp_path), datetime.now(UTC)
    receive(home, SAMPLES / PERIOD / "市教育局_2026H1.xlsx", PERIOD)
    open_ones = judge(home, "education_bureau", PERIOD)
    waiting = of(home, now, "education_bureau")
    assert (waiting.state, waiting.mandatory_count, waiting.query_count) == ("待说明", 0, len(open_ones))
    # All explained: the reviewer's turn, nobody is behind. One returned: the bureau's again.
    ids = [finding.finding_id for finding in open_ones]
    explain(home.findings, PERIOD, "孙丽", "协议没有编号", ids)
    review = of(home, now, "education_bureau")
    assert (review.state, review.query_count, review.days_left, is_behind(review)) == ("待审定", len(ids), None, False)
    decide(home.findings, PERIOD, "return", "李明", "请写明是什么经费", ids[:1])
    assert of(home, now, "education_bureau").state == "待说明"


def test_late_counts_from_the_first_version_and_a_return_in_time_is_never_late(tmp_path: Path) -> None:
    home = Home(tmp_path)
    receive(home, SAMPLES / "faulty" / "gov-negative-amount.xlsx", PERIOD)
    judge(home, "finance_bureau", PERIOD)
    received_on(home, on("2026-07-31", "23:30"))
    assert of(home, on("2026-08-10")).late_days_count == 0
    assert of(home, on("2026-08-10")).remaining == "期限已过 10 天"
    assert is_behind(of(home, on("2026-08-10"))) and not is_behind(of(home, on("2026-07-31")))
    received_on(home, on("2026-08-03", "00:10"))
    assert (of(home, on("2026-08-10")).late_days_count, of(home, on("2026-12-01")).late_days_count) == (3, 3)


def test_history_before_the_document_is_nobodys_fault(tmp_path: Path) -> None:
    found = of(Home(tmp_path), on("2026-08-10"), period="2024H1")
    assert (found.state, found.late_days_count, found.remaining, is_behind(found)) == ("缺报", 0, "历史，不催报", False)


def test_a_moved_deadline_shows_on_the_board_with_its_reason(tmp_path: Path) -> None:
    move = Move(
        period=PERIOD, due_on="2026-08-05", decided_on="2026-07-20", by="市委科技办", reason="<b>升级</b>"
    )  # fmt: skip
    rules = calendar().model_copy(update={"moved": (move,)})
    found = submissions(Home(tmp_path), [PERIOD], on("2026-08-03"), rules)
    assert {(each.state, status.due_text(each)) for each in found} == {("未到期", "2026-08-05（已改期）")}
    text = status.page(found, on("2026-08-03"))
    assert "2026-07-20 市委科技办：期限改为 2026-08-05，&lt;b&gt;升级&lt;/b&gt;" in text
    assert status.board_json(found)[0]["改期"] == [
        {"期限": "2026-08-05", "决定": "2026-07-20", "决定人": "市委科技办", "理由": "<b>升级</b>"}
    ]


def test_the_published_table_has_a_row_for_every_table_that_is_owed_and_every_column_says_what_it_is(
    sample_home: Path,
) -> None:
    home = Home(sample_home)
    rows = rows_of(run_query(home, "select period, table_id, state, version from mart_submission_status"))
    assert len({(period, table_id) for period, table_id, *_ in rows}) == len(rows)
    half_year = {table_id for table_id in tables("half_year") if table_id != "statistics_bureau__enterprise_rd_area"}
    assert {table_id for period, table_id, *_ in rows if period == PERIOD} == half_year
    assert {state for period, _, state, _ in rows if period == PERIOD} == {"已准入"}
    assert {(s, v) for period, _, s, v in rows if period == "2025"} == {("缺报", 0)}
    assert "sti_office__commitment" in {table_id for period, table_id, *_ in rows if period == "2025"}
    assert ("2025H2", "education_bureau__unit", "已准入", 2) in rows
    comments = rows_of(
        run_query(
            home,
            "select comment from duckdb_columns() where table_name = 'mart_submission_status' "
            "union all select comment from duckdb_tables() where table_name = 'mart_submission_status'",
        )
    )
    assert len(comments) == len(status.COLUMNS) + 1
    assert all(re.search("[\u4e00-\u9fff]", str(comment)) for (comment,) in comments)


def test_a_bureau_that_sends_only_sums_owes_only_the_table_of_sums(sample_home: Path) -> None:
    query = "select distinct table_id from mart_submission_status where provider = 'statistics_bureau' and period = '2026H1'"
    sent = {path.parent.parent.name for path in (sample_home / "raw").glob("statistics_bureau__*/2026H1/rows.parquet")}
    assert {table_id for (table_id,) in rows_of(run_query(Home(sample_home), query))} == sent


def test_status_reads_live_though_the_published_table_is_of_its_publication(home_copy: Path) -> None:
    receive(Home(home_copy), SAMPLES / "faulty" / "gov-negative-amount.xlsx", PERIOD)
    judge(Home(home_copy), "finance_bureau", PERIOD)
    live = json.loads(run_sti("--home", home_copy, "status", PERIOD, "--json").stdout)
    assert {line["单位"]: line["状态"] for line in live}["市财政局"] == "退回"
    query = "select distinct state from mart_submission_status where period = '2026H1'"
    assert rows_of(run_query(Home(home_copy), query)) == [("已准入",)]


class Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [tag] if tag in ("script", "link", "img", "iframe") else []
        self.found += [str(value) for name, value in attrs if name in ("src", "href")]


def test_the_page_needs_no_network_and_tells_states_apart_without_colour(tmp_path: Path) -> None:
    file = tmp_path / "out" / "board.html"
    result = run_sti("--home", tmp_path / "home", "status", "--page", file)
    assert result.exit_code == 0, result.stderr
    text = file.read_text(encoding="utf-8")
    parser = Links()
    parser.feed(text)
    assert parser.found == []
    assert not re.search(r"url\(|@import|https?://", text)
    assert "✕ 缺报" in text and "○ 未到期" in text
    assert "谁还欠什么" in text and "市委科技办" in text


def test_a_return_that_goes_missing_by_decision_has_its_own_state_on_board_and_page(tmp_path: Path) -> None:
    home, file = tmp_path / "home", tmp_path / "board.html"
    decision = ("decide-missing", "市卫生健康委", "2026H1", "--by", "李明", "--reason", "系统故障")
    assert run_sti("--home", home, *decision).exit_code == 0
    board = run_sti("--home", home, "status", "2026H1", "--page", file)
    assert board.exit_code == 0, board.stderr
    found = json.loads(run_sti("--home", home, "status", "2026H1", "--json").stdout)
    assert [line["单位"] for line in found if line["状态"] == "同意缺报"] == ["市卫生健康委"]
    assert file.read_text(encoding="utf-8").count("∅ 同意缺报") == 2
    assert set(MARKS) == set(STATES)


def test_an_unknown_period_is_said_and_nothing_is_written(tmp_path: Path) -> None:
    result = run_sti("--home", tmp_path, "status", "2026H3", "--page", tmp_path / "p.html")
    assert (result.exit_code, (tmp_path / "p.html").exists()) == (1, False)
    assert "2026H3" in result.stderr


@pytest.fixture(scope="module")
def watched(sample_home: Path, tmp_path_factory: pytest.TempPathFactory) -> dg.ExecuteInProcessResult:
    job = defs.resolve_job_def(WATCH_JOB)
    with dg.DagsterInstance.local_temp(str(tmp_path_factory.mktemp("dagster"))) as instance:
        config = {"resources": {"options": {"config": {"home": str(sample_home)}}}}
        return job.execute_in_process(instance=instance, run_config=config)


def test_the_ui_tells_of_each_provider_and_period_whether_it_came_in_time(
    watched: dg.ExecuteInProcessResult, sample_home: Path
) -> None:
    found = status.current(Home(sample_home))
    observed = {
        (e.asset_key.path[-1], e.partition): e.asset_observation_data.asset_observation.metadata["状态"].value
        for e in watched.all_events
        if e.is_asset_observation
    }
    assert observed["finance_bureau", "2026H1"] == "已准入"
    assert observed == {(each.provider.provider, each.period): each.state for each in found}
    checks = {e.asset_key.path[-1]: e for e in watched.get_asset_check_evaluations()}
    # The annual return of 2025 was never sent, whatever the half-years say.
    assert not checks["finance_bureau"].passed
    assert checks["finance_bureau"].severity == dg.AssetCheckSeverity.WARN
    behind = [each.period for each in found if each.provider.provider == "finance_bureau" and is_behind(each)]
    assert checks["finance_bureau"].metadata["没有按时"].value == "、".join(behind)
    assert behind[0] == "2025"
    assert checks["warehouse"].passed is not bool(unpublished(Home(sample_home), found))
    (board,) = watched.get_asset_materialization_events()
    shown = board.materialization.metadata["报送情况"].value
    assert "#### 2026H1 2026年上半年：已准入 5" in shown


def test_watching_is_no_part_of_a_half_years_run() -> None:
    graph = defs.resolve_job_def(HALF_YEAR_JOB).asset_layer.asset_graph
    assert {key.name for key in graph.asset_check_keys} & {"on_time", "published_on_time"} == set()
    assert "submission_board" not in {
        key.path[-1] for key in defs.resolve_job_def(HALF_YEAR_JOB).asset_layer.executable_asset_keys
    }


def test_a_half_year_that_nobody_published_is_told_some_working_days_after_its_deadline(tmp_path: Path) -> None:
    home = Home(tmp_path)
    rules = load_calendar(CALENDAR_FILE)
    last = rules.working_days.shifted(rules.deadline(PERIOD).due_on, rules.publication_working_days_after)
    assert unpublished(home, submissions(home, [PERIOD], on(last.isoformat()))) == []
    after = submissions(home, [PERIOD], on(rules.working_days.shifted(last, 1).isoformat()))
    assert unpublished(home, after) == [PERIOD]
