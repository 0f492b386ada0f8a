"""``sti targets``: how far the targets and rules of the plan have come."""

import json

import click

from orchestration import printing
from orchestration.command import WRONG_USE, Stop, guarded, period_of
from orchestration.printing_targets import progress_rows, targets_json, unit_rows
from sources.reference import CITY, area_names
from warehouse.paths import Home


@click.command("targets")
@click.argument("period", required=False)
@click.option("--area", default=CITY, help="地区键或名称，如 330402、南湖区；“全部”为各地区都列；缺省只列全市")
@click.option(
    "--units", "with_units", is_flag=True, help="再列要求逐个单位达到的目标：每个科研机构企业和社会经费的占比"
)
@click.option("--json", "as_json_", is_flag=True, help="以 JSON 输出全部地区和单位")
@guarded
def targets_command(home: Home, period: str | None, area: str, with_units: bool, as_json_: bool) -> None:
    """实施方案的目标和规则到了哪一步：现值、差距、需要的年均增长、预计、状态。不给报告期则取最近的年度。"""
    from warehouse.report.targets import latest_target_period, target_rows, target_units

    chosen = period_of(period) if period else latest_target_period(home)
    rows = target_rows(home, chosen) if chosen else []
    if not chosen or not rows:
        raise Stop(
            f"已发布的数仓里没有 {chosen or '任何报告期'} 的目标进度；请先运行 sti run {chosen or '2025'}", WRONG_USE
        )
    if as_json_:
        click.echo(json.dumps(targets_json(home, chosen), ensure_ascii=False, indent=1, default=str))
        return
    if area != "全部":
        keys = {area} | {key for key, name in area_names().items() if name == area}
        rows = [row for row in rows if row.area_key in keys]
        if not rows:
            raise Stop(f"{chosen} 没有 {area} 的目标；地区写 330402 或 南湖区，全部地区写 全部", WRONG_USE)
    click.echo(f"目标进度（{chosen}，嘉政发〔2025〕14号 正文）；状态的定义见 docs/targets.md")
    printing.table(progress_rows(rows), "")
    if with_units:
        printing.table(unit_rows(target_units(home, chosen)), "没有逐个单位的目标")
