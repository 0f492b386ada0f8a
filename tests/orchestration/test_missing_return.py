"""A half-year without one bureau: published only by a named decision, and every figure that needs it says so."""

import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import openpyxl

from tests.conftest import ACCEPT, SAMPLES, run_sti

PERIOD = "2026H1"
HOSPITALS = "市卫生健康委"
NEEDS_HOSPITALS = {"hospital_sti", "other_gross", "other_eliminated", "other_net", "sti_total"}


def published(home: Path, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(home / "published" / "warehouse.duckdb"), read_only=True) as connection:
        return connection.execute(query).fetchall()


def values(home: Path) -> dict[tuple[str, str], tuple[Decimal | None, str | None]]:
    query = (
        f"select area_key, indicator_id, value_wan, value_note from mart_half_year_monitoring where period = '{PERIOD}'"
    )
    return {(area, indicator): (value, note) for area, indicator, value, note in published(home, query)}


def test_missing_is_published_only_by_decision_and_never_as_zero(sample_home: Path, tmp_path: Path) -> None:
    home, inbox = tmp_path / "home", tmp_path / "inbox"
    shutil.copytree(SAMPLES / PERIOD, inbox, ignore=shutil.ignore_patterns(f"{HOSPITALS}*"))
    run = ("--home", home, "run", PERIOD, *ACCEPT)
    refused = run_sti(*run, "--inbox", inbox)
    assert refused.exit_code == 2
    assert f"sti decide-missing health_commission {PERIOD}" in refused.stderr
    assert not (home / "published").exists()

    decision = ("decide-missing", HOSPITALS, PERIOD, "--by", "李明", "--reason", "系统故障，下月补报")
    assert run_sti("--home", home, *decision).exit_code == 0
    done = run_sti(*run)
    assert done.exit_code == 0, done.stderr
    assert "缺报" in done.stdout
    whole, found = values(sample_home), values(home)
    assert found.keys() == whole.keys()
    for (area, indicator), (value, note) in found.items():
        if indicator in NEEDS_HOSPITALS:
            assert (value, note) == (None, "not_received"), (area, indicator)
        else:
            assert value == whole[area, indicator][0], (area, indicator)
    # Nothing half removed: what hospitals duplicate cannot be seen, so nothing is in the ledger.
    assert published(home, "select count(*) from fct_elimination") == [(0,)]
    assert published(home, "select count(*) from fct_reconciliation") == [(0,)]
    assert published(home, "select distinct net_wan from fct_input where subject = 'university'") == [(None,)]
    states = published(
        home,
        f"select distinct provider_name, state from mart_submission_status where period = '{PERIOD}' and state <> '已准入'",
    )
    assert states == [(HOSPITALS, "同意缺报")]

    sheets = openpyxl.load_workbook(home / "reports" / PERIOD / f"附件1_{PERIOD}.xlsx")
    city = {row[1]: row[5] for row in sheets["全市"].iter_rows(values_only=True) if row[1]}
    assert {city[name] for name in city if name.startswith(("医疗卫生机构", "其他主体", "科技创新投入（汇总"))} == {
        "缺报"
    }
    assert any(str(row[0]).startswith(f"缺报：{HOSPITALS}。") for row in sheets["全市"].iter_rows(values_only=True))
    bridge = {row[1]: row for row in sheets["剔除重复"].iter_rows(min_row=5, max_row=8, values_only=True)}
    assert [bridge["合计"][2], *bridge["合计"][-3:]] == ["缺报", "未剔除", "未剔除", "未剔除"]
    assert bridge["医疗卫生机构"][2] == "缺报"

    page = tmp_path / "quality.html"
    assert run_sti("--home", home, "quality", PERIOD, "--out", page).exit_code == 0
    assert f"缺报（已有记名的决定）：{HOSPITALS}" in page.read_text(encoding="utf-8")

    # The return arrives: the decision lapses by itself and the whole half-year is as if it had come in time.
    shutil.copy(SAMPLES / PERIOD / f"{HOSPITALS}_{PERIOD}.xlsx", inbox)
    assert run_sti(*run, "--inbox", inbox).exit_code == 0
    assert {key: value for key, (value, _) in values(home).items()} == {k: v for k, (v, _) in whole.items()}


def test_a_half_year_that_nobody_sent_cannot_be_decided_into_being(tmp_path: Path) -> None:
    home = tmp_path / "home"
    for provider in ("市财政局", "市统计局", "市教育局", "市科技局", HOSPITALS):
        decision = ("decide-missing", provider, PERIOD, "--by", "李明", "--reason", "试试")
        assert run_sti("--home", home, *decision).exit_code == 0
    refused = run_sti("--home", home, "run", PERIOD, *ACCEPT)
    assert refused.exit_code == 2
    assert "一家的数据也没有准入" in refused.stderr
    assert not (home / "published").exists()
