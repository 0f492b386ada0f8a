"""What arrives starts its half-year, once; by whose channel it came is part of the evidence."""

import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import openpyxl
import pytest
from click.testing import Result

from orchestration.definitions import HALF_YEAR_JOB, YEAR_JOB, defs
from orchestration.options import RunOptions
from tests.conftest import SAMPLES
from tests.pulling.conftest import QUICK, Site

PERIOD = "2026H1"
FINANCE = "市财政局_2026H1.xlsx"
SENSOR = next(iter(defs.sensors or []))


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test() as instance:
        yield instance


class Ticks:
    """The sensor, tick after tick, as the daemon evaluates it."""

    def __init__(self, home: Path, instance: dg.DagsterInstance) -> None:
        self.home = home
        self.instance = instance
        self.cursor: str | None = None

    def tick(self) -> tuple[list[str | None], str]:
        """The half-years to be run, and otherwise why none is."""
        with dg.build_sensor_context(
            instance=self.instance,
            cursor=self.cursor,
            definitions=defs,
            resources={"options": RunOptions(home=str(self.home))},
        ) as context:
            data = SENSOR.evaluate_tick(context)  # type: ignore[union-attr]
        self.cursor = data.cursor
        self.run_keys = [request.run_key for request in data.run_requests]
        return [request.partition_key for request in data.run_requests], data.skip_message or ""


def corrected(name: str, target: Path) -> Path:
    """A sample workbook, reported anew a day later."""
    book = openpyxl.load_workbook(SAMPLES / PERIOD / name)
    book.properties.title = "更正"
    target.parent.mkdir(parents=True, exist_ok=True)
    book.save(target)
    return target


def test_the_sensor_is_off_until_somebody_turns_it_on_and_starts_the_whole_job_of_a_period() -> None:
    assert SENSOR.default_status is dg.DefaultSensorStatus.STOPPED  # type: ignore[union-attr]
    assert {target.job_name for target in SENSOR.targets} == {HALF_YEAR_JOB, YEAR_JOB}
    assert "默认关闭" in (SENSOR.description or "")


def test_a_workbook_in_the_inbox_starts_its_half_year_once(
    home_copy: Path, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    inbox = home_copy / "inbox"
    for period in ("2025H2", PERIOD):
        shutil.copytree(SAMPLES / period, inbox / period)
    ticks = Ticks(home_copy, instance)
    assert "刚看到" in ticks.tick()[1]
    # Everything in the sample home is judged already.
    assert ticks.tick() == ([], "没有新的来件；没有 sources.yaml，只看收件箱")
    path = corrected(FINANCE, inbox / "新到.xlsx")
    assert ticks.tick()[0] == []
    with path.open("ab") as file:
        file.write(b"\0")
    assert ticks.tick()[0] == []
    corrected(FINANCE, path)
    assert "1 份刚看到" in ticks.tick()[1]
    assert ticks.tick()[0] == [PERIOD]
    (first,) = ticks.run_keys
    assert f"{PERIOD} 的这批来件已发起过运行" in ticks.tick()[1]
    corrected("市教育局_2026H1.xlsx", inbox / "又一份.xlsx")
    ticks.tick()
    assert ticks.tick()[0] == [PERIOD]
    assert ticks.run_keys != [first]


def test_a_run_that_was_started_by_hand_is_not_started_again(
    tmp_path: Path, instance: dg.DagsterInstance, sti: Callable[..., Result]
) -> None:
    home = tmp_path / "home"
    (home / "inbox").mkdir(parents=True)
    shutil.copy(SAMPLES / PERIOD / FINANCE, home / "inbox")
    ticks = Ticks(home, instance)
    ticks.tick()
    assert ticks.tick()[0] == [PERIOD]
    assert sti("--home", home, "run", PERIOD).exit_code == 2
    again = Ticks(home, instance)
    again.tick()
    assert again.tick() == ([], "没有新的来件；没有 sources.yaml，只看收件箱")


def test_what_cannot_be_assigned_starts_nothing_and_is_said(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    home = tmp_path / "home"
    (home / "inbox").mkdir(parents=True)
    openpyxl.Workbook().save(home / "inbox" / "什么.xlsx")
    ticks = Ticks(home, instance)
    ticks.tick()
    periods, why = ticks.tick()
    assert periods == []
    assert "1 份认不出填报单位或报告期" in why


def test_the_sensor_pulls_and_starts_what_it_pulled(site: Site, instance: dg.DagsterInstance) -> None:
    shutil.copy(SAMPLES / PERIOD / FINANCE, site.root("folder"))
    site.write(site.source("folder"), site.source("sftp", name="down", port=1, key_file_env="STI_NOT_SET"))
    ticks = Ticks(site.home.root, instance)
    assert "1 处没有取成" in ticks.tick()[1]
    # A file at the source counts once it has not changed for a while.
    time.sleep(float(QUICK["settle_seconds"]))
    periods, _ = ticks.tick()
    assert periods == [PERIOD]
    assert list(site.arrived()) == [f"finance_bureau/by_folder/{FINANCE}"]
    site.home.sources_file.write_text("sources: [", encoding="utf-8")
    cursor = json.loads(ticks.cursor or "{}")
    ticks.cursor = json.dumps(cursor | {"pulled_at": 0})
    assert "不是合格的 YAML" in ticks.tick()[1]


def test_a_return_from_another_bureaus_channel_waits_for_an_explanation(site: Site, sti: Callable[..., Result]) -> None:
    for name in (FINANCE, "市教育局_2026H1.xlsx"):
        shutil.copy(SAMPLES / PERIOD / name, site.root("folder"))
    assert len(site.pull(site.source("folder", provider="education_bureau")).arrived) == 2
    result = sti("--home", site.home.root, "run", PERIOD, "--json")
    assert result.exit_code == 2
    (finding,) = [f for f in json.loads(result.stdout)["blocking"] if f["rule_id"] == "RD-090"]
    assert (finding["rule_class"], finding["provider"]) == ("query", "finance_bureau")
    assert "来源与填报单位不符：从市教育局的渠道" in finding["message"]
    assert finding["file_name"] == FINANCE
    # The same bytes by the bureau's own channel settle it.
    site.pull(site.source("folder", name="own"))
    again = sti("--home", site.home.root, "run", PERIOD, "--json")
    assert "RD-090" not in again.stdout
