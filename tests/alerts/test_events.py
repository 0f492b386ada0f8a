"""What is told and when: each thing once, its end once, whatever is repeated or restarted, and nothing of any unit in it."""

import json
import random
import re
from collections import Counter
from datetime import timedelta
from pathlib import Path

import dagster as dg
import openpyxl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestration.alerts import journal
from orchestration.alerts.events import LastRun, happening
from orchestration.alerts.rounds import last_runs
from orchestration.alerts.wording import FACTS, KINDS, message
from sources.calendar import CALENDAR_FILE, calendar
from tests.alerts.conftest import Desk, on
from tests.conftest import SAMPLES, run_sti
from tests.orchestration.by_hand import judge, receive
from tests.orchestration.test_status import received_on
from warehouse.paths import Home, read_lines
from warehouse.publish import published_at

PERIOD = "2026H1"
NOBODY = {"name": "nobody", "kind": "wecom", "url_env": "STI_TEST_NOBODY"}
BUREAUS = ("finance_bureau", "statistics_bureau", "education_bureau", "science_bureau", "health_commission")


def short(written: list[tuple[str, str, str]]) -> Counter[tuple[str, str, str]]:
    return Counter((event, key.split(":")[0], stage) for event, key, stage in written)


def test_a_half_year_from_its_opening_to_the_last_late_bureau(desk: Desk) -> None:
    config = desk.write(NOBODY)
    assert desk.observe(config, on("2026-06-15")) == []
    assert short(desk.observe(config, on("2026-07-01"))) == {("raised", "opened", ""): 1}
    assert desk.observe(config, on("2026-07-16")) == []
    assert short(desk.observe(config, on("2026-07-17"))) == {("raised", "reminder", "10"): 5}
    assert short(desk.observe(config, on("2026-07-28"))) == {("raised", "reminder", "3"): 5}
    receive(desk.home, SAMPLES / PERIOD / "市财政局_2026H1.xlsx", PERIOD)
    received_on(desk.home, on("2026-07-29"))
    assert desk.observe(config, on("2026-07-29")) == [
        ("resolved", f"reminder:{PERIOD}:finance_bureau", "3"),
        ("raised", f"received:{PERIOD}:finance_bureau:{PERIOD}-finance_bureau-001", ""),
    ]
    assert short(desk.observe(config, on("2026-07-30"))) == {("raised", "reminder", "1"): 4}
    # A reminder that ends because its time is up ends without a word: the overdue alert speaks.
    assert short(desk.observe(config, on("2026-08-01"))) == {("raised", "overdue", "0"): 4}
    assert short(desk.observe(config, on("2026-08-05"))) == {("raised", "overdue", "3"): 4}
    # Nobody looked for weeks: one alert, not one for each day that was missed.
    assert short(desk.observe(config, on("2026-09-30"))) == {("raised", "overdue", "10"): 4}


def test_days_that_nobody_looked_lead_to_one_reminder_and_not_to_three(desk: Desk) -> None:
    config = desk.write(NOBODY)
    desk.observe(config, on("2026-07-02"))
    assert short(desk.observe(config, on("2026-07-30"))) == {("raised", "reminder", "1"): 5}


def test_returned_then_sent_again_then_admitted_is_told_step_by_step(desk: Desk) -> None:
    config = desk.write(NOBODY)
    desk.observe(config, on("2026-07-02"))
    now = on("2026-07-10")
    receive(desk.home, SAMPLES / "faulty" / "gov-negative-amount.xlsx", PERIOD)
    desk.observe(config, now)
    judge(desk.home, "finance_bureau", PERIOD)
    key = f"returned:{PERIOD}:finance_bureau"
    assert desk.observe(config, now) == [("raised", key, f"{PERIOD}-finance_bureau-001")]
    receive(desk.home, SAMPLES / "faulty" / "gov-area-twice.xlsx", PERIOD)
    judge(desk.home, "finance_bureau", PERIOD)
    again = desk.observe(config, now)
    assert ("raised", key, f"{PERIOD}-finance_bureau-002") in again and short(again).total() == 2
    receive(desk.home, SAMPLES / PERIOD / "市财政局_2026H1.xlsx", PERIOD)
    judge(desk.home, "finance_bureau", PERIOD)
    after = desk.observe(config, now)
    assert [w for w in after if w[0] == "resolved"] == [("resolved", key, f"{PERIOD}-finance_bureau-002")]
    assert desk.observe(config, now) == []


def test_a_run_that_fails_is_told_until_one_of_that_period_succeeds(desk: Desk) -> None:
    config = desk.write(NOBODY)
    desk.observe(config, on("2026-07-02"))
    desk.runs = {PERIOD: LastRun("aaaa-1", False)}
    assert desk.observe(config, on("2026-07-02")) == [("raised", f"run_failed:{PERIOD}", "aaaa-1")]
    assert desk.observe(config, on("2026-07-02")) == []
    desk.runs = {PERIOD: LastRun("bbbb-2", True)}
    assert desk.observe(config, on("2026-07-02")) == [("resolved", f"run_failed:{PERIOD}", "aaaa-1")]


def test_what_happened_before_the_first_look_is_told_to_nobody_but_what_stands_open_is(desk: Desk) -> None:
    config = desk.write(NOBODY)
    receive(desk.home, SAMPLES / PERIOD / "市财政局_2026H1.xlsx", PERIOD)
    assert short(desk.observe(config, on("2026-08-10"))) == {("raised", "overdue", "5"): 4}


def test_who_begins_to_look_late_is_told_of_the_period_that_is_due_now_and_not_of_each_one_before(desk: Desk) -> None:
    config, rules = desk.write(NOBODY), calendar()
    desk.rules = rules.model_copy(update={"first_owed": {"half_year": "2025H2", "year": "2026"}})
    assert {line[1].split(":")[1] for line in desk.observe(config, on("2026-08-10"))} == {PERIOD}
    # Somebody who looked all the while was told of each.
    receive(desk.home, SAMPLES / "2025H2" / "市财政局_2025H2.xlsx", "2025H2")
    assert [w[:2] for w in desk.observe(config, on("2026-08-11")) if w[0] == "resolved"] == []
    desk.home.alerts_journal.unlink()
    desk.observe(config, on("2026-01-02"))
    assert short(desk.observe(config, on("2026-03-20")))["raised", "overdue", "10"] == 4


def test_a_blocked_run_is_over_when_its_period_went_out_with_another_and_nothing_blocks_it(
    desk: Desk, sample_home: Path
) -> None:
    home = Home(sample_home)
    ended = published_at(home)
    for at, count in ((ended + 1, 1), (ended - 1, 0)):
        runs = {PERIOD: LastRun("aaaa-1", False, is_blocked=True, ended_at=at)}
        found = happening(home, [], runs, desk.rules)
        assert len([event for event in found if event.kind == "run_blocked"]) == count


def test_a_deadline_that_moves_ends_the_overdue_alert(desk: Desk) -> None:
    config = desk.write(NOBODY)
    desk.observe(config, on("2026-07-31"))
    desk.observe(config, on("2026-08-01"))
    move = {"period": PERIOD, "due_on": "2026-08-31", "decided_on": "2026-08-01", "by": "市委科技办", "reason": "台风"}
    rules = desk.rules.model_dump() | {"moved": [move]}
    desk.rules = type(desk.rules).model_validate(rules)
    assert short(desk.observe(config, on("2026-08-02"))) == {("resolved", "overdue", "0"): 5}


def test_publication_is_told_once_per_content(desk: Desk) -> None:
    config = desk.write(NOBODY)
    desk.observe(config, on("2026-08-02"))
    desk.home.published.parent.mkdir(parents=True)
    desk.home.published.touch()
    record = desk.home.published.parent / "inputs.json"
    for sha, expected in (("a", 1), ("a", 0), ("b", 1)):
        record.write_text(json.dumps({"inputs": {f"finance_bureau__gov_input/{PERIOD}": sha}}))
        assert short(desk.observe(config, on("2026-08-02"))).total() == expected


def test_runs_are_read_from_dagsters_own_store(sample_home: Path) -> None:
    runs = last_runs(Home(sample_home))
    assert runs[PERIOD].is_success and set(runs) == {"2024H1", "2024H2", "2025H1", "2025H2", "2026H1"}
    assert last_runs(Home(sample_home / "none")) == {}


def test_a_run_that_the_checks_stopped_is_told_from_one_that_broke(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    assert run_sti("--home", home.root, "run", PERIOD).exit_code == 2
    stopped = last_runs(home)[PERIOD]
    assert (stopped.is_success, stopped.is_blocked) == (False, True)

    @dg.op
    def breaks() -> None:
        raise ValueError

    @dg.job
    def broken() -> None:
        breaks()

    with dg.DagsterInstance.ephemeral() as instance:
        tags = {"dagster/partition": PERIOD}
        broken.execute_in_process(instance=instance, tags=tags, raise_on_error=False)
        assert not last_runs(home, instance)[PERIOD].is_blocked


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    days=st.lists(st.integers(0, 120), min_size=1, max_size=12),
    fails=st.lists(st.booleans(), min_size=12, max_size=12),
)
def test_in_whatever_order_it_looks_nothing_is_raised_twice_and_nothing_ends_that_did_not_begin(
    tmp_path_factory, days: list[int], fails: list[bool]
) -> None:
    desk = Desk(Home(tmp_path_factory.mktemp("desk")))
    config = desk.write(NOBODY)
    for day, is_failed in zip(sorted(days), fails, strict=False):
        desk.runs = {PERIOD: LastRun("aaaa", not is_failed)}
        now = on("2026-06-20") + timedelta(days=day)
        desk.observe(config, now)
        assert desk.observe(config, now) == []
    lines = [line for line in read_lines(desk.home.alerts_journal) if line["event"] in ("raised", "resolved")]
    assert max(Counter(line["alert_id"] for line in lines).values(), default=1) == 1
    standing: set[str] = set()
    for line in lines:
        if line["event"] == "resolved":
            standing.remove(line["key"])
        elif line["has_end"]:
            standing.add(line["key"])
    assert standing == set(journal.account(desk.home).standing)


def test_a_journal_torn_by_a_kill_raises_again_what_was_not_whole(desk: Desk) -> None:
    config = desk.write(NOBODY)
    desk.observe(config, on("2026-06-15"))
    desk.observe(config, on("2026-07-01"))
    content = desk.home.alerts_journal.read_bytes()
    desk.home.alerts_journal.write_bytes(content[: -random.Random(14).randrange(5, 200)])
    assert short(desk.observe(config, on("2026-07-01"))) == {("raised", "opened", ""): 1}


def test_no_units_name_code_figure_nor_file_is_in_any_alert(desk: Desk) -> None:
    config = desk.write(NOBODY)
    desk.observe(config, on("2026-07-02"))
    files = {
        "education_bureau": SAMPLES / PERIOD / "市教育局_2026H1.xlsx",
        "finance_bureau": SAMPLES / "faulty" / "gov-negative-amount.xlsx",
        "statistics_bureau": SAMPLES / "faulty" / "enterprise-code-twice.xlsx",
    }
    told: set[str] = set()
    for provider, file in files.items():
        receive(desk.home, file, PERIOD)
        judge(desk.home, provider, PERIOD)
        for cells in (row for sheet in openpyxl.load_workbook(file) for row in sheet.iter_rows(values_only=True)):
            told |= {str(cell) for cell in cells if cell is not None and len(str(cell)) >= 5}
    desk.runs = {PERIOD: LastRun("aaaa-1", False, is_blocked=True)}
    desk.observe(config, on("2026-08-15"))
    lines = [line for line in read_lines(desk.home.alerts_journal) if "facts" in line]
    assert {line["kind"] for line in lines} >= {"overdue", "received", "returned", "awaiting", "run_blocked"}
    assert {name for line in lines for name in line["facts"]} <= set(FACTS)
    # Without the alerts' own numbers: any five digits may stand in them by chance.
    texts = re.sub("[0-9a-f]{16}", "", "\n".join(message(line, is_repeat=True).text for line in lines))
    known = {"市教育局", "市财政局", "市统计局", "2026年上半年", "政府科技创新投入", "科技创新投入", "市本级"}
    assert not {each for each in told - known if each in texts and not re.fullmatch(r"2026年?.{0,6}", each)}
    assert not re.search(r"[0-9A-Z]{18}|xlsx", texts)


def test_wording_names_only_known_facts_and_every_example_of_a_channel_loads() -> None:
    for kind in KINDS.values():
        assert set(re.findall(r"\{(\w+)\}", kind.title + kind.action)) <= set(FACTS)
    assert CALENDAR_FILE.exists()
