"""What a failed check blocks, and what it does not; what may be published, and what may not, however it is asked for."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import dagster as dg
import pytest

from expectations import findings as ledger
from orchestration.definitions import defs
from orchestration.options import RunOptions
from tests.conftest import ACCEPT, SAMPLES, run_sti
from warehouse import layers, query
from warehouse.paths import Home

PERIOD = "2026H1"


def materialize(home: Path, *keys: str) -> dg.ExecuteInProcessResult:
    """Materialise some assets alone, as a click in the UI would."""
    selection = dg.AssetSelection.assets(*(dg.AssetKey(key.split("/")) for key in keys))
    everything = dg.Definitions(
        assets=defs.assets,
        asset_checks=defs.asset_checks,
        jobs=[dg.define_asset_job("some", selection=selection)],
        resources={"options": RunOptions(home=str(home))},
    )
    job = everything.resolve_job_def("some")
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    partition = PERIOD if job.partitions_def else None
    with dg.instance_for_test() as instance:
        return job.execute_in_process(
            partition_key=partition, instance=instance, raise_on_error=False, run_config=quiet
        )


def figures(home: Path) -> object:
    return query.run_query(Home.at(home), "select * exclude (release_id) from mart_half_year_monitoring order by all")


def test_one_bureaus_refusal_does_not_keep_the_others_out(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    shutil.copytree(SAMPLES / PERIOD, inbox)
    shutil.copy(SAMPLES / "faulty" / "gov-negative-amount.xlsx", inbox / "市财政局_2026H1.xlsx")
    home = tmp_path / "home"
    result = run_sti("--home", home, "run", PERIOD, "--inbox", inbox, *ACCEPT)
    assert result.exit_code == 2
    assert "gov-negative-amount" not in result.stderr
    assert "市财政局_2026H1.xlsx[政府科技创新投入]!K9" in result.stderr
    accepted = layers.accepted_periods(Home.at(home))
    assert accepted == {PERIOD: {"statistics_bureau", "education_bureau", "science_bureau", "health_commission"}}
    assert not list((home / "accepted").rglob("finance_bureau__*/2026H1/*"))
    assert not (home / "published" / "warehouse.duckdb").exists()
    board = json.loads(run_sti("--home", home, "status", PERIOD, "--json").stdout)
    assert {line["单位"]: line["状态"] for line in board} == {
        "市财政局": "退回", "市统计局": "已准入", "市教育局": "已准入", "市科技局": "已准入", "市卫生健康委": "已准入",
    }  # fmt: skip


def test_queries_block_until_a_named_person_accepts_them_and_mandatory_ones_are_never_accepted(tmp_path: Path) -> None:
    home = tmp_path / "home"
    ask = ("--home", home, "run", PERIOD, "--inbox", SAMPLES / PERIOD)
    blocked = run_sti(*ask, "--json")
    assert blocked.exit_code == 2
    found = json.loads(blocked.stdout)
    assert not found["published"]
    assert {f["rule_class"] for f in found["blocking"]} == {"query"}
    assert run_sti(*ask, "--accept-queries").exit_code == 1
    assert run_sti(*ask, "--accept-queries", "--by", "某人").exit_code == 1
    assert run_sti(*ask, *ACCEPT).exit_code == 0
    states = ledger.states(Home.at(home).findings, PERIOD)
    accepted = [s for s in states if s.finding.rule_class == "query"]
    assert accepted
    assert {(s.state, s.decision.by, s.decision.reason) for s in accepted if s.decision} == {
        ("说明通过", "测试员", "测试用，一次认可")
    }
    assert len({s.decision.decision_id for s in accepted if s.decision}) == 1
    assert run_sti("--home", home, "run", PERIOD).exit_code == 0


def test_a_missing_bureau_blocks_the_half_year_and_is_named(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    shutil.copytree(SAMPLES / PERIOD, inbox, ignore=shutil.ignore_patterns("市卫生健康委*"))
    result = run_sti("--home", tmp_path / "home", "run", PERIOD, "--inbox", inbox, *ACCEPT)
    assert result.exit_code == 2
    assert "市卫生健康委没有报送" in result.stderr
    assert not (tmp_path / "home" / "published" / "warehouse.duckdb").exists()


def test_a_file_that_nobody_can_assign_blocks_the_publication_but_not_the_acceptance(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    shutil.copytree(SAMPLES / PERIOD, inbox)
    (inbox / "更正.xlsx").write_bytes(b"broken")
    home = tmp_path / "home"
    result = run_sti("--home", home, "run", PERIOD, "--inbox", inbox, *ACCEPT)
    assert result.exit_code == 2
    assert "更正.xlsx" in result.stderr
    assert len(layers.accepted_periods(Home.at(home))[PERIOD]) == 5
    assert not (home / "published" / "warehouse.duckdb").exists()
    (inbox / "更正.xlsx").unlink()
    assert run_sti("--home", home, "run", PERIOD, "--inbox", inbox, *ACCEPT).exit_code == 0


def test_materialising_the_publication_alone_publishes_only_what_the_gates_passed(home_copy: Path) -> None:
    before = (home_copy / "published" / "warehouse.duckdb").read_bytes()
    assert materialize(home_copy, "published/warehouse").success
    (home_copy / "candidate" / "gate2.json").unlink()
    assert not materialize(home_copy, "published/warehouse").success
    shutil.rmtree(home_copy / "accepted" / "records" / PERIOD)
    assert not materialize(home_copy, "published/warehouse").success
    assert len((home_copy / "published" / "warehouse.duckdb").read_bytes()) == len(before)


def test_materialising_the_acceptance_alone_accepts_nothing_the_gate_has_not_passed(tmp_path: Path) -> None:
    home = tmp_path / "home"
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    shutil.copy(SAMPLES / "faulty" / "voucher-twice.xlsx", inbox)
    assert run_sti("--home", home, "run", PERIOD, "--inbox", inbox).exit_code == 2
    accepted = ("accepted/finance_bureau__gov_input", "accepted/finance_bureau__gov_payment")
    assert not materialize(home, *accepted).success
    (home / "gate" / PERIOD / "finance_bureau.json").unlink()
    assert not materialize(home, *accepted).success
    assert not list((home / "accepted").rglob("rows.parquet"))


def test_rows_put_into_accepted_by_hand_stop_the_build(home_copy: Path) -> None:
    path = Home.at(home_copy).rows("accepted", "finance_bureau__gov_payment", PERIOD)
    path.chmod(0o644)
    path.write_bytes(Home.at(home_copy).rows("accepted", "finance_bureau__gov_payment", "2025H1").read_bytes())
    result = materialize(home_copy, "marts/mart_half_year_monitoring")
    assert not result.success


def test_a_second_run_waits_its_turn(home_copy: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", f"from warehouse.lock import writing\nfrom warehouse.paths import Home\nimport time\n"
         f"with writing(Home.at({str(home_copy)!r})):\n    print('held', flush=True)\n    time.sleep(60)"],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        result = run_sti("--home", home_copy, "run", PERIOD)
        assert result.exit_code == 1
        assert f"pid {holder.pid}" in result.stderr
    finally:
        holder.kill()
        holder.wait()
    assert run_sti("--home", home_copy, "run", PERIOD).exit_code == 0


@pytest.mark.parametrize("after_seconds", [4.0, 7.0, 9.0])
def test_a_run_killed_at_any_moment_and_run_again_publishes_the_same(
    sample_home: Path, tmp_path: Path, after_seconds: float
) -> None:
    home = tmp_path / "home"
    command = [
        sys.executable,
        "-m",
        "orchestration",
        "--home",
        str(home),
        "run",
        PERIOD,
        "--inbox",
        str(SAMPLES / PERIOD),
        *ACCEPT,
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    time.sleep(after_seconds)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if (home / "published" / "warehouse.duckdb").exists():
        figures(home)
    assert run_sti("--home", home, "run", PERIOD, "--inbox", SAMPLES / PERIOD, *ACCEPT).exit_code == 0
    ours = query.run_query(
        Home.at(home),
        f"select area_key, indicator_id, value_wan from mart_half_year_monitoring where period = '{PERIOD}' order by all",
    )
    whole = query.run_query(
        Home.at(sample_home),
        f"select area_key, indicator_id, value_wan from mart_half_year_monitoring where period = '{PERIOD}' order by all",
    )
    assert ours.equals(whole)
    assert not [path for path in home.rglob(".*.tmp*") if "dagster" not in path.parts]


def test_a_half_year_that_was_refused_never_goes_out_with_the_next_one(tmp_path: Path) -> None:
    home, inbox = tmp_path / "home", tmp_path / "inbox"
    shutil.copytree(SAMPLES / "2025H1", inbox, ignore=shutil.ignore_patterns("市卫生健康委*"))
    assert run_sti("--home", home, "run", "2025H1", "--inbox", inbox, *ACCEPT).exit_code == 2
    result = run_sti("--home", home, "run", PERIOD, "--inbox", SAMPLES / PERIOD, *ACCEPT)
    assert result.exit_code == 2
    assert "2025H1 还缺市卫生健康委" in result.stderr
    assert not (home / "published" / "warehouse.duckdb").exists()


def test_a_newer_version_that_nobody_judged_shows_in_the_status(home_copy: Path) -> None:
    receive = run_sti("--home", home_copy, "run", "2025H2", "--inbox", SAMPLES / "faulty" / "voucher-twice.xlsx")
    assert receive.exit_code == 0, receive.stderr
    board = json.loads(run_sti("--home", home_copy, "status", PERIOD, "--json").stdout)
    assert {line["单位"]: line["状态"] for line in board}["市财政局"] == "已报未审"


def test_a_run_from_the_ui_leaves_no_hand_in_of_another_period_waiting_for_its_receipt(tmp_path: Path) -> None:
    inbox = tmp_path / "home" / "inbox"
    inbox.mkdir(parents=True)
    for name in ("2025H2/市卫生健康委_2025H2.xlsx", "2026H1/市卫生健康委_2026H1.xlsx"):
        shutil.copy(SAMPLES / name, inbox)
    failed = materialize(tmp_path / "home", "archive/inbox", "archive/finance_bureau")
    assert not failed.success
    receipts = [json.loads(path.read_text("utf-8")) for path in tmp_path.glob("home/receipts/*/receipt.json")]
    assert {(r["period"], r["stage"]) for r in receipts} == {("2025H2", "judged"), ("2026H1", "judged")}
    assert not (tmp_path / "home" / "accepted").exists()


def test_another_periods_damaged_ledger_is_a_refusal_that_says_which_and_what_to_do(home_copy: Path) -> None:
    ledger_file = home_copy / "findings" / "2025H1.jsonl"
    ledger_file.write_bytes(ledger_file.read_bytes().replace("核实".encode(), "核对".encode(), 1))
    before = (home_copy / "published" / "warehouse.duckdb").read_bytes()
    result = run_sti("--home", home_copy, "run", PERIOD, *ACCEPT)
    assert result.exit_code == 2
    (refusal,) = [line for line in result.stderr.splitlines() if line.startswith("拒绝：")]
    assert refusal.startswith("拒绝：问题台账 2025H1.jsonl 第 ") and "请从备份恢复" in refusal
    assert (home_copy / "published" / "warehouse.duckdb").read_bytes() == before
