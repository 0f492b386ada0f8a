"""``sti status``: who owes what, by when, and where every return stands; live, whatever was published."""

import json
from pathlib import Path

import click

from orchestration import printing
from orchestration.command import guarded, period_of
from warehouse.paths import Home, write_atomically


@click.command("status")
@click.argument("period", required=False)
@click.option("--page", "page_file", type=click.Path(dir_okay=False, path_type=Path), help="另写成一张网页（离线可看）")
@click.option("--json", "as_json_", is_flag=True, help="以 JSON 输出")
@guarded
def status_command(home: Home, period: str | None, page_file: Path | None, as_json_: bool) -> None:
    """各单位报送情况：未到期、缺报（逾期）、同意缺报、已报未审、退回、待说明、待审定、已准入；期限、剩余工作日、迟报天数。"""
    from orchestration.running import settle
    from orchestration.status import board, board_json, current, page, summary, waiting_at_gate_2

    if period:
        period_of(period)
    found = current(home, period)
    if page_file:
        write_atomically(page_file, page(found).encode())
        click.echo(f"报送情况：{page_file}", err=True)
    for mark in settle(home):
        if period in (None, mark.period):
            click.echo(mark.text, err=True)
    if as_json_:
        click.echo(json.dumps(board_json(found), ensure_ascii=False, indent=1))
    else:
        printing.table(board(found), "")
        click.echo("\n".join([summary(found), *waiting_at_gate_2(home, found)]))
