"""``sti trace``: from a published figure to the cells that it comes from, what was removed and on what grounds."""

import json
from dataclasses import asdict

import click

from orchestration import printing
from orchestration.command import WRONG_USE, Stop, guarded, period_of
from sources.contracts import providers
from sources.reference import area_names, indicator_components, periods
from warehouse.paths import Home


@click.command("trace")
@click.option("--period", required=True, help="报告期，如 2026H1；年度如 2025")
@click.option("--area", default="", help="地区键，如 330402；全市 330400")
@click.option("--unit", default="", help="单位的统一社会信用代码（只有年度）；与 --area 二者用其一")
@click.option("--provider", default="", help="单位由两家填报时，要哪一家的，如 education_bureau、市教育局")
@click.option(
    "--indicator",
    required=True,
    help="指标标识，如 sti_total、other_net、gov_total；年度另有 rd_expenditure、rd_intensity、rd_to_sti、"
    "enterprise_rd_expenditure，单位的 sti_activity、rd_expenditure",
)
@click.option("--json", "as_json_", is_flag=True, help="以 JSON 输出（全部单元格和凭据行）")
@guarded
def trace_command(home: Home, period: str, area: str, unit: str, provider: str, indicator: str, as_json_: bool) -> None:
    """一个数从哪些单元格来：文件、工作表、单元格、所填；剔除了什么、凭什么。年度的比重列出分子、分母和各自的年度。"""
    from sources.reader_process import ReaderDied
    from warehouse.trace import MEMO_COLUMNS, CannotTrace, trace
    from warehouse.trace_annual import trace_annual

    is_year = periods()[period_of(period)].kind == "year"
    _check_use(period, area, unit, provider, is_year)
    try:
        if unit or (is_year and not indicator_components(indicator) and indicator not in MEMO_COLUMNS):
            annual = trace_annual(
                home, period, unit or area, indicator, is_unit=bool(unit), provider=_provider_id(provider)
            )
            found, show = asdict(annual), lambda: printing.annual_trace(annual)
        else:
            plain = trace(home, period, area, indicator)
            found, show = asdict(plain), lambda: printing.trace(plain)
    except CannotTrace as error:
        raise Stop(str(error), WRONG_USE) from error
    except ReaderDied as death:
        raise Stop(
            f"存档的报表读不完（{death}），没有追溯到单元格；发布的数没有变。请稍后重试，仍不行请联系管理员。",
            WRONG_USE,
        ) from death
    if as_json_:
        click.echo(json.dumps(found, ensure_ascii=False, indent=1, default=str))
    else:
        show()


def _check_use(period: str, area: str, unit: str, provider: str, is_year: bool) -> None:
    if bool(area) == bool(unit):
        raise Stop("请写明 --area 地区键（全市 330400），或 --unit 单位的统一社会信用代码，二者用其一", WRONG_USE)
    if unit and not is_year:
        raise Stop(f"单位的数只在年度研判里；{period} 请按地区追溯（--area），年度写 {period[:4]}", WRONG_USE)
    if area and area not in area_names():
        raise Stop(f"不认识的地区 {area}；写地区键，如 330402（南湖区），全市 330400", WRONG_USE)
    if provider and not unit:
        raise Stop("--provider 只与 --unit 一起使用", WRONG_USE)


def _provider_id(given: str) -> str:
    """Return a provider's id by its id or label; '' as it is."""
    for each in providers().values():
        if given in (each.provider, each.label):
            return each.provider
    if given:
        raise Stop(f"不认识的单位 {given}；写标识或名称，如 education_bureau、市教育局", WRONG_USE)
    return ""
