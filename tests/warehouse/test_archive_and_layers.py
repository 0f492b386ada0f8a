"""What is received is kept byte by byte; what is accepted is what the gate saw, and nothing else."""

import json
import sys
from pathlib import Path

import pytest

from sources.contracts import tables
from sources.workbook import read_workbook, sha256_of
from tests.slots import current_reading
from tests.workbooks import education_rows, finance_rows, payment_row, write_return
from warehouse import archive, layers
from warehouse.paths import Home, append_line, copy_atomically, read_lines, write_atomically

PERIOD = "2026H1"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home.at(tmp_path / "home")


def finance(path: Path, amount: float = 10, reported_on: str = "2026年7月10日", unit: str = "万元") -> Path:
    rows = finance_rows() | {"finance_bureau__gov_payment": [payment_row(1, 金额=amount)]}
    return write_return(path, "finance_bureau", rows, reported_on=reported_on, unit=unit)


def amount_of(home: Home) -> str:
    reading = current_reading(home, "finance_bureau", PERIOD)
    return str(reading.tables["finance_bureau__gov_payment"].rows["amount_wan"][0].as_py())


def gated(home: Home) -> None:
    reading = current_reading(home, "finance_bureau", PERIOD)
    layers.write_raw(home, reading)
    layers.write_gate_record(home, "finance_bureau", PERIOD, {"findings": []})


def test_bytes_are_kept_read_only_under_their_hash_with_one_receipt_line(home: Home, tmp_path: Path) -> None:
    path = finance(tmp_path / "a.xlsx")
    receipt = archive.receive(home, path, PERIOD)
    kept = archive.archived(home, receipt.file_sha256)
    assert kept.read_bytes() == path.read_bytes()
    assert kept.stat().st_mode & 0o777 == 0o444
    assert (receipt.receipt_no, receipt.provider, receipt.period) == (
        "2026H1-finance_bureau-001",
        "finance_bureau",
        "2026H1",
    )
    path.rename(tmp_path / "另一个名字.xlsx")
    assert archive.receive(home, tmp_path / "另一个名字.xlsx", PERIOD) == receipt
    assert len(home.receipts.read_text(encoding="utf-8").splitlines()) == 1


def test_the_later_reported_on_wins_and_else_the_later_arrival(home: Home, tmp_path: Path) -> None:
    archive.receive(home, finance(tmp_path / "b.xlsx", 20, "2026年7月12日"), PERIOD)
    archive.receive(home, finance(tmp_path / "a.xlsx", 10, "2026年7月10日"), PERIOD)
    assert amount_of(home) == "20.000000"
    archive.receive(home, finance(tmp_path / "c.xlsx", 30, "2026年7月12日"), PERIOD)
    assert amount_of(home) == "30.000000"
    assert [r.receipt_no[-3:] for r in archive.versions(home, "finance_bureau", PERIOD)] == ["001", "002", "003"]


def test_an_unreadable_hand_in_is_kept_and_gets_a_receipt(home: Home, tmp_path: Path) -> None:
    (tmp_path / "坏.xlsx").write_bytes(b"not a workbook")
    receipt = archive.receive(home, tmp_path / "坏.xlsx", PERIOD)
    assert archive.archived(home, receipt.file_sha256).read_bytes() == b"not a workbook"
    assert receipt.period == ""
    assert receipt.refusal
    assert [f.rule_id for f in archive.refusal_findings(home, receipt, PERIOD)] == ["RD-032"]


def test_an_inbox_of_any_depth_is_walked_and_strangers_are_left_alone(tmp_path: Path) -> None:
    for name in ("a/b/c.xlsx", "d.XLSX", "old.xls", "~$d.xlsx", ".hidden.xlsx", "README.md", "e.csv"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(b"x")
    (tmp_path / "in" / "loop").symlink_to(tmp_path / "in")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "f.xlsx").write_bytes(b"x")
    (tmp_path / "in" / "linked").symlink_to(tmp_path / "elsewhere")
    names = [path.name for path in archive.hand_ins(tmp_path / "in")]
    assert sorted(names) == ["c.xlsx", "d.XLSX", "e.csv", "old.xls"]
    assert [(f.rule_id, f.file_name) for f in archive.not_received(tmp_path / "in")] == [("RD-046", "linked")]


def test_rows_carry_their_manifest_and_read_back(home: Home, tmp_path: Path) -> None:
    archive.receive(home, finance(tmp_path / "a.xlsx", 12.5, unit="元"), PERIOD)
    gated(home)
    path = home.rows("raw", "finance_bureau__gov_payment", PERIOD)
    manifest = layers.manifest_of(path)
    assert (manifest.unit, manifest.cell_columns["amount_wan"], manifest.row_count) == ("元", "K", 1)
    assert manifest.control_totals_wan == {"amount_wan": "0.001250"}
    assert str(layers.read_rows(path)["amount_wan"][0].as_py()) == "0.001250"


def test_the_same_workbook_gives_the_same_bytes(tmp_path: Path) -> None:
    path = finance(tmp_path / "a.xlsx")
    hashes = []
    for name in ("one", "two"):
        home = Home.at(tmp_path / name)
        archive.receive(home, path, PERIOD)
        gated(home)
        hashes.append(sha256_of(home.rows("raw", "finance_bureau__gov_payment", PERIOD)))
    assert hashes[0] == hashes[1]


def test_nothing_is_accepted_that_the_gate_has_not_seen(home: Home, tmp_path: Path) -> None:
    archive.receive(home, finance(tmp_path / "a.xlsx", 10), PERIOD)
    reading = current_reading(home, "finance_bureau", PERIOD)
    layers.write_raw(home, reading)
    with pytest.raises(layers.LayerError, match="第一道关卡"):
        layers.accept(home, "finance_bureau", PERIOD)
    gated(home)
    layers.accept(home, "finance_bureau", PERIOD)
    archive.receive(home, finance(tmp_path / "b.xlsx", 99), PERIOD)
    reading = current_reading(home, "finance_bureau", PERIOD)
    layers.write_raw(home, reading)
    with pytest.raises(layers.LayerError, match="第一道关卡"):
        layers.accept(home, "finance_bureau", PERIOD)
    assert (
        str(layers.read_rows(home.rows("accepted", "finance_bureau__gov_payment", PERIOD))["amount_wan"][0].as_py())
        == "10.000000"
    )


def test_a_file_put_into_accepted_by_hand_is_refused(home: Home, tmp_path: Path) -> None:
    archive.receive(home, finance(tmp_path / "a.xlsx"), PERIOD)
    gated(home)
    layers.accept(home, "finance_bureau", PERIOD)
    assert set(layers.verify_accepted(home)) == {
        "finance_bureau__gov_input/2026H1",
        "finance_bureau__gov_payment/2026H1",
    }
    source = home.rows("accepted", "finance_bureau__gov_payment", PERIOD)
    write_atomically(home.rows("accepted", "finance_bureau__gov_payment", "2025H1"), source.read_bytes())
    with pytest.raises(layers.LayerError, match="2025H1"):
        layers.verify_accepted(home)


def test_a_return_cut_off_between_two_tables_is_refused_until_it_is_whole(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.receive(home, finance(tmp_path / "a.xlsx", 10), PERIOD)
    gated(home)
    layers.accept(home, "finance_bureau", PERIOD)
    archive.receive(home, finance(tmp_path / "b.xlsx", 20, "2026年8月1日"), PERIOD)
    gated(home)
    written: list[Path] = []

    def killed_after_one(path: Path, target: Path, *, mode: int = 0o644) -> None:
        if written:
            raise KeyboardInterrupt
        if target.is_relative_to(home.root / "accepted"):
            written.append(target)
        copy_atomically(path, target, mode=mode)

    monkeypatch.setattr(layers, "copy_atomically", killed_after_one)
    with pytest.raises(KeyboardInterrupt):
        layers.accept(home, "finance_bureau", PERIOD)
    monkeypatch.undo()
    with pytest.raises(layers.LayerError):
        layers.verify_accepted(home)
    layers.accept(home, "finance_bureau", PERIOD)
    assert len(layers.verify_accepted(home)) == 2


def test_a_table_that_a_newer_version_no_longer_has_leaves_every_layer(home: Home, tmp_path: Path) -> None:
    rows = {
        "statistics_bureau__enterprise_rd_area": [
            {
                "地区": "南湖区", "规上类别": "工业", "企业数": 3, "研究开发费用合计": 10, "委托境内研究机构": 0, "委托境内高等学校": 0,
                "来自政府部门的资金": 0, "与高校重复额": 0, "与科研机构重复额": 0, "与医疗卫生机构重复额": 0,
            }
        ]
    }  # fmt: skip
    archive.receive(home, Path(__file__).parent.parent / "samples" / "2026H1" / "市统计局_2026H1.xlsx", PERIOD)
    archive.receive(
        home, write_return(tmp_path / "s.xlsx", "statistics_bureau", rows, reported_on="2026年9月1日"), PERIOD
    )
    for when in range(2):
        reading = current_reading(home, "statistics_bureau", PERIOD)
        if when == 0:
            receipt = archive.versions(home, "statistics_bureau", PERIOD)[0]
            reading = read_workbook(archive.archived(home, receipt.file_sha256), PERIOD)
        layers.write_raw(home, reading)
        layers.write_gate_record(home, "statistics_bureau", PERIOD, {})
        layers.accept(home, "statistics_bureau", PERIOD)
    assert list(layers.verify_accepted(home)) == ["statistics_bureau__enterprise_rd_area/2026H1"]


def test_a_torn_line_is_passed_over_and_does_not_swallow_the_next(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    append_line(path, {"n": 1})
    with path.open("a") as file:
        file.write('{"n": 2, "torn')
    append_line(path, {"n": 3})
    assert [line["n"] for line in read_lines(path)] == [1, 3]


def test_damage_to_the_archive_is_found(home: Home, tmp_path: Path) -> None:
    receipt = archive.receive(home, finance(tmp_path / "a.xlsx"), PERIOD)
    assert archive.damaged(home) == []
    kept = archive.archived(home, receipt.file_sha256)
    kept.chmod(0o644)
    kept.write_bytes(b"changed")
    assert archive.damaged(home) == [receipt.file_sha256]


def test_schemas_of_tables_nobody_sent_are_there(home: Home) -> None:
    layers.ensure_schemas(home)
    assert {path.parent.name for path in (home.root / "accepted").glob("*/schema.parquet")} == set(tables())


def test_receipts_survive_as_plain_json(home: Home, tmp_path: Path) -> None:
    archive.receive(home, write_return(tmp_path / "e.xlsx", "education_bureau", education_rows()), PERIOD)
    line = json.loads(home.receipts.read_text(encoding="utf-8"))
    assert (line["provider"], line["file_name"]) == ("education_bureau", "e.xlsx")


def test_a_version_without_a_date_counts_as_reported_when_it_arrived(home: Home, tmp_path: Path) -> None:
    archive.receive(home, finance(tmp_path / "a.xlsx", 10, "2026年7月10日"), PERIOD)
    archive.receive(home, finance(tmp_path / "b.xlsx", 20, "2026.7.25"), PERIOD)
    assert amount_of(home) == "20.000000"


def test_a_damaged_archive_is_never_read_and_the_same_hand_in_restores_it(home: Home, tmp_path: Path) -> None:
    path = finance(tmp_path / "a.xlsx", 10)
    receipt = archive.receive(home, path, PERIOD)
    kept = archive.archived(home, receipt.file_sha256)
    kept.chmod(0o644)
    finance(kept, 99)
    with pytest.raises(layers.LayerError, match=r"a\.xlsx"):
        current_reading(home, "finance_bureau", PERIOD)
    archive.receive(home, path, PERIOD)
    assert amount_of(home) == "10.000000"
    assert archive.damaged(home) == []


def test_what_another_process_does_to_the_receipts_is_seen_at_once(home: Home, tmp_path: Path) -> None:
    first = archive.receive(home, finance(tmp_path / "a.xlsx", 10), PERIOD)
    line = home.receipts.read_text("utf-8")
    other = line.replace(first.file_sha256, "0" * 64).replace("-001", "-002")
    home.receipts.write_text(line + other, "utf-8")
    assert [r.receipt_no for r in archive.versions(home, "finance_bureau", PERIOD)] == [
        "2026H1-finance_bureau-001",
        "2026H1-finance_bureau-002",
    ]
    assert archive.receive(home, finance(tmp_path / "b.xlsx", 20), PERIOD).receipt_no == "2026H1-finance_bureau-003"
    home.receipts.write_text(line, "utf-8")
    assert archive.receipts(home) == [first]
    home.receipts.unlink()
    assert archive.receipts(home) == []


def test_a_hand_in_among_many_does_not_read_all_the_receipts_again(home: Home, tmp_path: Path) -> None:
    opened: list[str] = []
    listening = True
    sys.addaudithook(lambda event, found: opened.append(f"{found[0]}") if listening and event == "open" else None)
    paths = [tmp_path / f"{number}.xlsx" for number in range(60)]
    for number, path in enumerate(paths):
        path.write_bytes(b"junk %d" % number)
        archive.receive(home, path, PERIOD)
    listening = False
    # Once to be written; read only at the beginning.
    assert opened.count(str(home.receipts)) <= len(paths) + 3
    assert [r.receipt_no for r in archive.receipts(home)] == [f"unassigned-unknown-{n:03d}" for n in range(1, 61)]
