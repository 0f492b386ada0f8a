"""``sti whatif``: a proposed scheme beside the one in force, on the published sample year; nothing anywhere is changed."""

import json
import shutil
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from click.testing import Result

from tests.orchestration.expected import published

Sti = Callable[..., Result]


def state(home: Path) -> dict[str, tuple[int, int]]:
    """Every file of a home with its size and time of change."""
    return {
        str(path.relative_to(home)): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in home.rglob("*")
        if path.is_file() and "dagster" not in path.parts
    }


def write(folder: Path, text: str) -> Path:
    path = folder / "提议.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def tried(sti: Sti, home: Path, path: Path, *options: str) -> dict[str, Any]:
    result = sti("--home", home, "whatif", path, "--json", *options)
    assert result.exit_code == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found


@pytest.fixture(scope="module")
def in_force(annual_home: Path, sti: Sti) -> str:
    """The scheme in force, as ``sti scheme`` writes it."""
    result = sti("--home", annual_home, "scheme")
    assert result.exit_code == 0, result.stderr
    return result.stdout


def test_the_scheme_in_force_tried_against_itself_gives_every_published_point_rank_and_interval(
    annual_home: Path, sti: Sti, in_force: str, tmp_path: Path
) -> None:
    before = state(annual_home)
    found = tried(sti, annual_home, write(tmp_path, in_force))
    assert found["differences"] == []
    rows = published(
        annual_home,
        "select subject_type, subject_key, total_points, rank, rank_low, rank_high from mart_annual_ranking where year = 2025",
    )
    assert {(s["subject_type"], s["subject_key"]) for s in found["subjects"]} == {row[:2] for row in rows}
    for kind, key, total, rank, low, high in rows:
        (one,) = [s for s in found["subjects"] if (s["subject_type"], s["subject_key"]) == (kind, key)]
        assert Decimal(one["total_points"]) == Decimal(one["proposed_total_points"]) == total
        assert (one["rank"], one["proposed_rank"], one["rank_low"], one["proposed_rank_low"]) == (rank, rank, low, low)
        assert (one["rank_high"], one["proposed_rank_high"], one["movers"]) == (high, high, [])
    assert state(annual_home) == before


def test_a_weight_doubled_moves_the_composites_by_what_the_published_points_say(
    annual_home: Path, sti: Sti, tmp_path: Path
) -> None:
    found = tried(sti, annual_home, write(tmp_path, "weights: {area: {gov_total: 2}}\n"), "--year", "2025")
    assert found["differences"] == [{"place": "weights.area.gov_total", "in_force": 1, "proposed": 2}]
    points = dict(
        published(
            annual_home,
            "select distinct subject_key, indicator_score_points from mart_annual_evaluation "
            "where year = 2025 and subject_type = 'area' and indicator_id = 'gov_total'",
        )
    )
    areas = [one for one in found["subjects"] if one["subject_type"] == "area"]
    assert len(areas) == 9
    for one in areas:
        total = Decimal(one["total_points"])
        # Seven indicators' worth of weight before, eight with the second gov_total.
        wanted = (total * 7 + points[one["subject_key"]]) / 8
        assert abs(Decimal(one["proposed_total_points"]) - wanted) < Decimal("1e-13")
        assert abs(sum(Decimal(m["change_points"]) for m in one["movers"]) - Decimal(one["change_points"])) < Decimal(
            "1e-14"
        )
        assert one["movers"][0]["indicator_id"] == "gov_total"
        assert one["rank_change"] == one["rank"] - one["proposed_rank"]
    assert sorted(one["proposed_rank"] for one in areas) == list(range(1, 10))
    others = [one for one in found["subjects"] if one["subject_type"] != "area"]
    assert others and all(Decimal(one["change_points"]) == 0 for one in others)


def test_defaults_dimensions_policies_and_the_simulation_can_be_proposed_too(
    annual_home: Path, sti: Sti, tmp_path: Path
) -> None:
    text = """
name: 五档几何
mean_method: geometric
formula: five_grade
weights: {area: {gov_platform: null, gov_talent: 0}}
dimensions:
  area:
    gov_total: {growth: null, level: {formula: linear, benchmark_method: fixed, unacceptable: 0, satisfactory: 200000}}
policies: {one_subject: {treatment: fixed_points, points: 80}}
robustness: {draw_count: 500, weight_spread: 0, benchmark_spread: 0}
"""
    found = tried(sti, annual_home, write(tmp_path, text))
    assert found["proposal_name"] == "五档几何"
    places = {d["place"]: (d["in_force"], d["proposed"]) for d in found["differences"]}
    assert places["mean_method"] == ("arithmetic", "geometric")
    assert places["weights.area.gov_platform"] == (0.25, None)
    assert places["dimensions.area.gov_total.growth"] == ("计分", None)
    assert places["dimensions.area.gov_total.level.satisfactory"] == (None, 200000)
    assert places["policies.one_subject.points"] == (None, 80)
    for one in found["subjects"]:
        assert one["proposed_rank_low"] == one["proposed_rank_high"] == one["proposed_rank"]


def test_people_are_shown_before_and_after_the_change_and_that_it_is_only_a_trial(
    annual_home: Path, sti: Sti, tmp_path: Path
) -> None:
    shown = sti("--home", annual_home, "whatif", write(tmp_path, "formula: exponential\n")).stdout
    assert "formula：linear → exponential" in shown
    assert "不作考核依据" in shown and "什么都没有改动" in shown
    for heading in (
        "综合得分",
        "位次变化",
        "位次区间",
        "影响最大的指标",
        "地区（试算，暂定）",
        "医疗卫生机构（试算，暂定）",
    ):
        assert heading in shown
    assert "南湖区" in shown
    only_areas = sti("--home", annual_home, "whatif", write(tmp_path, "weights: {area: {gov_total: 2}}\n")).stdout
    assert "高校：得分、位次和位次区间都不变。" in only_areas


REFUSED = {
    "an unknown key": ("weigths: {area: {gov_total: 2}}", 2, ["weigths", "weights"]),
    "an unknown kind of subject": ("weights: {areas: {gov_total: 2}}", 2, ["areas", "area"]),
    "a kind that is not ranked": ("weights: {city: {gov_total: 2}}", 2, ["city", "hospital"]),
    "an unknown indicator": ("weights: {area: {gov_totl: 2}}", 2, ["gov_totl", "gov_total"]),
    "a dimension without figures": ("dimensions: {area: {rd_expenditure: {share: {}}}}", 2, ["share", "level"]),
    "an unknown situation": ("policies: {no_value: {treatment: drop}}", 2, ["no_value", "value_missing"]),
    "a negative weight": ("weights: {area: {gov_total: -1}}", 2, ["gov_total", "不得为负"]),
    "no weight at all": ("weights: {hospital: {sti_activity: 0, rd_expenditure: 0}}", 2, ["hospital", "全为 0"]),
    "all dimensions gone": ("dimensions: {hospital: {sti_activity: {level: null, growth: null}}}", 2, ["sti_activity", "null"]),
    "a formula that there is not": ("formula: cubic", 2, ["formula", "linear"]),
    "fixed benchmarks that are one": (
        "dimensions: {area: {gov_total: {level: {benchmark_method: fixed, unacceptable: 5, satisfactory: 5}}}}", 2, ["gov_total", "各不相同"],
    ),
    "benchmarks a thousand distances away": (
        "dimensions: {area: {gov_total: {level: {formula: exponential, benchmark_method: fixed, unacceptable: 0, satisfactory: 0.001}}}}",
        2, ["标准值"],
    ),
    "a number that would take for ever": ("weights: {area: {gov_total: 1e999999999}}", 2, ["不是数"]),
    "a division by zero": ("weights: {area: {gov_total: 1/0}}", 2, ["不是数"]),
    "yes for a number": ("weights: {area: {gov_total: yes}}", 2, ["gov_total", "须是数"]),
    "colours for a terminal": ('"\\e[31mformula": linear', 2, ["<001b>"]),
    "a list for a mapping": ("weights: [1, 2]", 2, ["weights", "键"]),
    "half a scale of spread": ("robustness: {benchmark_spread: 0.5}", 2, ["benchmark_spread"]),
    "broken YAML": ("weights:\n  area: {gov_total: 2\nformula: linear", 1, ["第 3 行"]),
    "a key twice": ("formula: linear\nformula: exponential", 1, ["第 2 行", "两次"]),
    "an anchor bomb": ("weights: &a {area: {gov_total: 2}}\ndimensions: *a", 1, ["引用"]),
    "a nest without end": ("[" * 20_000, 1, ["太深"]),
    "nothing": ("", 1, ["键"]),
    "a control character": ("formula: \x00", 1, ["YAML"]),
    "too much": ("# " + "x" * 70_000, 1, ["64 KB"]),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_wrong_proposal_is_refused_by_file_key_and_what_is_allowed(
    name: str, annual_home: Path, sti: Sti, tmp_path: Path
) -> None:
    text, code, said = REFUSED[name]
    result = sti("--home", annual_home, "whatif", write(tmp_path, text))
    assert result.exit_code == code, result.stderr
    assert result.stdout == ""
    for each in ("提议.yaml", *said):
        assert each in result.stderr, result.stderr
    assert "\x1b" not in result.stderr
    assert len(result.stderr) < 1500


def test_what_cannot_be_compared_is_said_with_the_next_step(annual_home: Path, sti: Sti, tmp_path: Path) -> None:
    right = write(tmp_path, "formula: exponential")
    nothing = sti("--home", tmp_path / "empty", "whatif", right)
    assert (nothing.exit_code, "sti run" in nothing.stderr) == (1, True)
    absent = sti("--home", annual_home, "whatif", tmp_path / "没有.yaml")
    assert (absent.exit_code, "没有.yaml" in absent.stderr, "sti scheme" in absent.stderr) == (1, True, True)
    other = sti("--home", annual_home, "whatif", right, "--year", "2019")
    assert (other.exit_code, "2024、2025" in other.stderr) == (1, True)
    assert sti("--home", annual_home, "scheme", "--year", "2019").exit_code == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("update mart_annual_ranking set total_points = total_points + 1e-9 where subject_key = '330402'", "南湖区"),
        ("update scoring_weight set weight = '3' where indicator_id = 'gov_total'", "得分"),
        ("drop table scoring_weight", "旧版程序"),
    ],
)
def test_published_points_that_this_program_does_not_arrive_at_are_compared_with_nothing(
    change: str, said: str, annual_home: Path, sti: Sti, tmp_path: Path
) -> None:
    warehouse = tmp_path / "home" / "published" / "warehouse.duckdb"
    warehouse.parent.mkdir(parents=True)
    shutil.copyfile(annual_home / "published" / "warehouse.duckdb", warehouse)
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute(change)
    result = sti("--home", tmp_path / "home", "whatif", write(tmp_path, "formula: exponential"))
    assert (result.exit_code, result.stdout) == (1, "")
    assert said in result.stderr and "请" in result.stderr and "sti run" in result.stderr


def test_the_example_in_the_documents_works(annual_home: Path, sti: Sti, tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "analysts.md").read_text(encoding="utf-8")
    example = page.split("```yaml\n")[1].split("```")[0]
    assert tried(sti, annual_home, write(tmp_path, example))["differences"]
    assert yaml.safe_load(example)
