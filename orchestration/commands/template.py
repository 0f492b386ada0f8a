"""``sti template``: the blank workbook of a provider and period."""

import json
from datetime import date
from pathlib import Path

import click

from orchestration.command import WRONG_USE, Stop, guarded, period_of
from sources.contracts import Provider, providers
from sources.reference import Period, area_names, periods
from sources.template.last import LastFigures, can_be_found_again
from sources.text import label_of
from sources.values import WAN_PER_UNIT
from warehouse import layers
from warehouse.paths import Home


@click.command("template")
@click.argument("provider_name", metavar="PROVIDER")
@click.argument("period_key", metavar="PERIOD")
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="写到哪个文件夹")
@click.option("--unit", type=click.Choice(list(WAN_PER_UNIT)), help="计量单位；缺省按契约（统计局千元，其余万元）")
@click.option("--rows", type=click.IntRange(1, 100_000), help="每张明细表预备多少行；缺省按契约")
@click.option("--aggregate-only", is_flag=True, help="单位数据不出局的，用分地区汇总表代替单位表（统计法）")
@click.option("--with-last", is_flag=True, help="带上期数：上年同期已准入的数，没有的用最近一期；企业明细不带")
@click.option("--due", type=click.DateTime(["%Y-%m-%d"]), help="报送时限，写在填报说明里，如 2026-07-15")
@click.option("--json", "as_json_", is_flag=True, help="以 JSON 输出")
@guarded
def template_command(
    home: Home,
    provider_name: str,
    period_key: str,
    out: Path,
    unit: str | None,
    rows: int | None,
    aggregate_only: bool,
    with_last: bool,
    due: date | None,
    as_json_: bool,
) -> None:
    """写空白工作簿：PROVIDER 是单位标识或名称（finance_bureau、市财政局），PERIOD 是 2026H2 或 2026。"""
    from expectations.for_template import template_checks
    from sources.template import build, file_name, save, template_version
    from sources.template.form import TemplateError, plan
    from sources.template.formulas import FormulaError

    provider, period = _provider(provider_name), _period(period_key)
    last = _last_figures(home, provider, period, aggregate_only) if with_last else {}
    try:
        form = plan(
            provider,
            period,
            unit=unit or "",
            blank_rows=rows,
            aggregate_only=aggregate_only,
            last_counts={table_id: len(figures.rows) for table_id, figures in last.items()},
        )
    except TemplateError as error:
        raise Stop(str(error), WRONG_USE) from error
    checks = template_checks(provider.tables, period.ends_on)
    try:
        book = build(form, checks, last=last, due=f"{due:%Y-%m-%d}" if due else "")
    except FormulaError as error:
        raise Stop(f"{error}；行号越大公式越长，请用 --rows 减少预备的行", WRONG_USE) from error
    path = out / file_name(form)
    if path.exists():
        raise Stop(f"{path} 已经有了，可能已填过数，不覆盖；请换一个文件夹，或先移走它", WRONG_USE)
    out.mkdir(parents=True, exist_ok=True)
    save(book, path)
    prepared = {sheet.table.sheet: sheet.last_row - sheet.first_row + 1 for sheet in form.sheets.values()}
    written = {
        "file": str(path),
        "provider": provider.provider,
        "period": period.key,
        "form_id": form.form_id,
        "template_version": template_version(form, checks),
        "unit": form.unit,
        "sheets": prepared,
        "last_period": next((figures.period_name for figures in last.values()), None),
    }
    if as_json_:
        click.echo(json.dumps(written, ensure_ascii=False, indent=1))
        return
    click.echo(f"{path}：{provider.label} {period.name}，表式 {form.form_id}，模板版本 {written['template_version']}")
    click.echo("  " + "；".join(f"“{sheet}” {count} 行" for sheet, count in prepared.items()))
    if last:
        click.echo(f"  上期数：{written['last_period']}")


def _provider(name: str) -> Provider:
    for provider in providers().values():
        if label_of(name) in {label_of(known) for known in (provider.provider, provider.label, *provider.aliases)}:
            return provider
    listed = "、".join(f"{p.label}（{p.provider}）" for p in providers().values())
    raise Stop(f"不认识的填报单位“{name}”；有：{listed}", WRONG_USE)


def _period(key: str) -> Period:
    return periods()[period_of(key)]


def _last_figures(home: Home, provider: Provider, period: Period, aggregate_only: bool) -> dict[str, LastFigures]:
    """Return the accepted figures of the same period last year, else of the latest period before, of the tables that may show them."""
    accepted = layers.accepted_periods(home)
    earlier = [p.key for p in periods().values() if p.kind == period.kind and p.ends_on < period.ends_on]
    candidates = [period.base_period, *reversed(earlier)]
    chosen = next((key for key in candidates if provider.provider in accepted.get(key, set())), None)
    if chosen is None:
        raise Stop(
            f"没有{provider.label}在 {period.key} 以前已准入的{'半年' if period.half else '年度'}数，不能用 --with-last",
            WRONG_USE,
        )
    layers.verify_accepted(home)
    found = {}
    for table in provider.tables.values():
        path = home.rows("accepted", table.table_id, chosen)
        if can_be_found_again(table) and bool(table.instead_of) == aggregate_only and path.exists():
            rows = [{name: _shown(value) for name, value in row.items()} for row in layers.read_rows(path).to_pylist()]
            found[table.table_id] = LastFigures(periods()[chosen].name, rows)
    return {table_id: figures for table_id, figures in found.items() if figures.rows}


def _shown(value: object) -> object:
    """Return a stored value as a form shows it: areas by name, 是 and 否."""
    if isinstance(value, bool):
        return "是" if value else "否"
    return area_names().get(value, value) if isinstance(value, str) else value
