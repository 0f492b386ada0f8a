"""``sti whatif`` and ``sti scheme``: what another scoring scheme would change, and the scheme in force as a file to start from."""

import json
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from orchestration import printing
from orchestration.command import BLOCKED, WRONG_USE, Stop, guarded
from orchestration.printing_annual import interval, marked
from sources.text import visible
from warehouse.paths import Home
from warehouse.query import connect
from warehouse.report.annual import SUBJECT_LABELS, robustness_text
from warehouse.report.rounding import rounded

if TYPE_CHECKING:
    from warehouse.scoring.whatif import Compared, Comparison, PublishedYear

MOVERS_SHOWN = 3
YEAR = click.option("--year", type=int, help="哪一年度，如 2025；不写为最近发布的年度")


def _published(home: Home, year: int | None) -> "PublishedYear":
    from warehouse.scoring.whatif import CannotCompare, read_year

    with connect(home) as connection:
        try:
            return read_year(connection, year)
        except CannotCompare as error:
            raise Stop(str(error), WRONG_USE) from error


@click.command("scheme")
@YEAR
@guarded
def scheme_command(home: Home, year: int | None) -> None:
    """把打分方案写成 YAML（写到屏幕；存成文件：sti scheme > 方案.yaml），改好后用 sti whatif 试算。"""
    import yaml

    published = _published(home, year)
    click.echo(
        f"# {published.year} 年度的打分方案 {published.scheme.head['scheme_id']}。改好后：sti whatif 本文件；什么都不会改动。"
    )
    click.echo("# 可以只留要改的几行，没有写的与现行方案一致；指标的权重写 null、维度写 null，即不计分。")
    click.echo(yaml.safe_dump(published.document, allow_unicode=True, sort_keys=False, width=120), nl=False)


@click.command("whatif")
@click.argument("scheme", type=click.Path(path_type=Path), metavar="SCHEME.yaml")
@YEAR
@click.option("--json", "as_json_", is_flag=True, help="以 JSON 输出")
@guarded
def whatif_command(home: Home, scheme: Path, year: int | None, as_json_: bool) -> None:
    """换一个打分方案会怎样：用已发布的数，把现行方案和 SCHEME.yaml 的方案并排算一遍；只试算，什么都不改。"""
    from warehouse.scoring.proposal import UnreadableProposal
    from warehouse.scoring.scheme import SchemeError
    from warehouse.scoring.whatif import CannotCompare, compare

    try:
        found = compare(_published(home, year), scheme)
    except (CannotCompare, UnreadableProposal) as error:
        raise Stop(visible(str(error)), WRONG_USE) from error
    except SchemeError as error:
        raise Stop(f"方案有误，没有试算：{visible(str(error))}", BLOCKED) from error
    if as_json_:
        click.echo(json.dumps(_as_dict(found), ensure_ascii=False, indent=1, default=str))
    else:
        _show(found)


def _as_dict(found: "Comparison") -> dict[str, Any]:
    head = found.published.scheme.head
    return {
        "year": found.published.year,
        "scheme_id": head["scheme_id"],
        "scheme_name": head["scheme_name"],
        "proposal_name": found.proposal_name,
        "is_provisional": True,
        "differences": [{"place": p, "in_force": old, "proposed": new} for p, old, new in found.differences],
        "robustness": found.robustness,
        "subjects": [
            {
                "subject_type": one.subject_type,
                "subject_key": one.subject_key,
                "subject_name": one.subject_name,
                "total_points": _text(one.total_points),
                "proposed_total_points": _text(one.proposed_total_points),
                "change_points": _text(one.change_points),
                "rank": one.rank,
                "proposed_rank": one.proposed_rank,
                "rank_change": one.rank_change,
                "rank_low": one.rank_low,
                "rank_high": one.rank_high,
                "proposed_rank_low": one.proposed_rank_low,
                "proposed_rank_high": one.proposed_rank_high,
                "movers": [
                    {"indicator_id": key, "indicator_name": name, "change_points": _text(change)}
                    for key, name, change in one.movers
                ],
            }
            for one in found.subjects
        ],
    }


def _text(points: Decimal | None) -> str | None:
    return None if points is None else f"{points:f}"


def _show(found: "Comparison") -> None:
    head = found.published.scheme.head
    click.echo(
        f"{found.published.year} 年度试算：现行方案 {head['scheme_id']}，提议方案“{visible(found.proposal_name)}”。"
    )
    click.echo("试算结果为暂定，不作考核依据；什么都没有改动，已发布的得分和位次照旧。")
    if not found.differences:
        click.echo("提议方案与现行方案相同。")
    for place, old, new in found.differences:
        blank = "不计分" if place.startswith("weights.") or "计分" in (old, new) else "未写"
        before, after = (blank if value in (None, "") else visible(str(value)) for value in (old, new))
        click.echo(f"  {place}：{before} → {after}")
    click.echo(f"提议方案的位次区间：{robustness_text(found.robustness)}")
    kinds = dict.fromkeys(one.subject_type for one in found.subjects)
    for kind in sorted(kinds, key=list(SUBJECT_LABELS).index):
        own = [one for one in found.subjects if one.subject_type == kind]
        if all(one.is_unmoved for one in own):
            click.echo(f"{SUBJECT_LABELS[kind]}：得分、位次和位次区间都不变。")
        else:
            click.echo(f"{SUBJECT_LABELS[kind]}（试算，暂定）")
            printing.table(_rows(own), "")


def _rows(subjects: Iterable["Compared"]) -> list[dict[str, Any]]:
    return [
        {
            "名称": one.subject_name,
            "综合得分": f"{marked(one.total_points) or '—'} → {marked(one.proposed_total_points) or '—'}",
            "得分变化": _signed(one.change_points),
            "位次": f"{_rank(one.rank)} → {_rank(one.proposed_rank)}",
            "位次变化": _moved(one.rank_change),
            "位次区间": f"{interval(one.rank_low, one.rank_high) or '—'} → {interval(one.proposed_rank_low, one.proposed_rank_high) or '—'}",
            "影响最大的指标": "；".join(
                f"{name} {_signed(change)}"
                for _, name, change in one.movers[:MOVERS_SHOWN]
                if _signed(change) != "0.00"
            ),
        }
        for one in sorted(subjects, key=lambda one: (one.proposed_rank is None, one.proposed_rank or 0))
    ]


def _rank(rank: int | None) -> str:
    return "不排位" if rank is None else str(rank)


def _signed(points: Decimal | None) -> str:
    if points is None:
        return ""
    shown = rounded(points, 2)
    return f"{shown:+f}" if shown else "0.00"


def _moved(places: int | None) -> str:
    if places is None:
        return ""
    return "不变" if places == 0 else f"升 {places}" if places > 0 else f"降 {-places}"
