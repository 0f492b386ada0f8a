"""``sti quality``: where the quality page of a half-year's newest run lies, or a copy of it."""

import json
from pathlib import Path

import click

from orchestration.command import WRONG_USE, Stop, guarded, period_of
from warehouse.paths import Home, copy_atomically
from warehouse.quality import newest_page


@click.command("quality")
@click.argument("period")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="另存一份到这个文件（.html）")
@click.option("--json", "as_json_", is_flag=True, help="以 JSON 输出")
@guarded
def quality_command(home: Home, period: str, out: Path | None, as_json_: bool) -> None:
    """质量审核页：每道关卡、每个单位、每张表的每一项审核，查了多少行、哪里不符、历次结果；一个文件，不联网也能看。"""
    page = newest_page(home, period_of(period))
    if page is None:
        raise Stop(f"{period} 还没有质量审核页；先运行 sti run {period} --inbox 收件文件夹", WRONG_USE)
    if out:
        copy_atomically(page, out)
    where = out or page
    click.echo(json.dumps({"period": period, "page": str(where)}, ensure_ascii=False) if as_json_ else str(where))
