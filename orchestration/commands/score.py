"""``sti score``: how one subject's score of the annual evaluation (附件2) came about, figure by figure."""

import json

import click

from orchestration import printing
from orchestration.command import WRONG_USE, Stop, guarded
from orchestration.printing_annual import explained_rows, standing
from sources.reference import periods
from warehouse.paths import Home
from warehouse.report.annual import robustness_line, scheme_line


@click.command("score")
@click.argument("year", metavar="YEAR")
@click.argument("subject", metavar="SUBJECT")
@click.option("--json", "as_json_", is_flag=True, help="以 JSON 输出")
@guarded
def score_command(home: Home, year: str, subject: str, as_json_: bool) -> None:
    """年度研判的一个得分怎样来的：SUBJECT 是地区键、统一社会信用代码或名称，如 330402、南湖区。"""
    if year not in periods() or periods()[year].kind != "year":
        raise Stop(f"{year} 不是年度；年度写 2025", WRONG_USE)
    rows = explained_rows(home, year, subject)
    if not rows:
        raise Stop(f"{year} 年度研判里没有 {subject}；请先运行 sti run {year}，名称与报表一致", WRONG_USE)
    codes = list(dict.fromkeys(row["代码"] for row in rows))
    if len(codes) > 1:
        raise Stop(f"{year} 年度研判里叫 {subject} 的有 {len(codes)} 个，请写代码：{'、'.join(codes)}", WRONG_USE)
    scheme = scheme_line(home, year)
    ranked = standing(home, year, subject)
    if as_json_:
        shown = {"scheme": scheme, "ranking": ranked, "figures": rows}
        click.echo(json.dumps(shown, ensure_ascii=False, indent=1, default=str))
        return
    click.echo(scheme)
    printing.table(ranked, "")
    if ranked:
        click.echo(robustness_line(home, year))
    printing.table([{name: value for name, value in row.items() if name != "代码"} for row in rows], "")
