"""``sti``: the command line. Exit codes: 0 done; 1 wrong use or broken environment; 2 refused or blocked by findings; 3 internal error.

Heavy imports (Dagster, Great Expectations) happen inside the commands that need them.
"""

import atexit
import gc
import json
import os
import sys
from pathlib import Path

import click

from orchestration import printing
from orchestration.command import BLOCKED, WRONG_USE, Group, Stop, guarded, internal_error, period_of
from orchestration.commands.alerts import alerts_command
from orchestration.commands.check import check_command
from orchestration.commands.correct import correct_command, corrections_command, withdraw_command
from orchestration.commands.decide import (
    decide_command,
    decide_missing_command,
    explain_command,
    revoke_command,
    waive_command,
)
from orchestration.commands.findings import findings_command
from orchestration.commands.pull import pull_command
from orchestration.commands.quality import quality_command
from orchestration.commands.receipt import receipt_command
from orchestration.commands.rules import rules_command
from orchestration.commands.score import score_command
from orchestration.commands.status import status_command
from orchestration.commands.targets import targets_command
from orchestration.commands.template import template_command
from orchestration.commands.trace import trace_command
from orchestration.commands.units import alias_command, unalias_command, units_command
from orchestration.commands.whatif import scheme_command, whatif_command
from warehouse.archive import hand_ins
from warehouse.lock import writing
from warehouse.paths import Home, log_error
from warehouse.query import as_csv, as_json, run_query, write_parquet


def entry(arguments: list[str] | None = None) -> None:
    """Run ``sti`` as a process: what was registered for the end is done, and then the process is simply gone.

    Python's own way out would first walk and free everything that the heavy libraries made, for two seconds and to no purpose.
    """
    # The collector would otherwise walk the heavy libraries' objects hundreds of times while they load and workbooks are read: a fifth of a run.
    gc.set_threshold(200_000, 50, 100)
    code: int | str | None = 0
    try:
        main(arguments)
    except SystemExit as stop:
        code = stop.code
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else 0 if code is None else WRONG_USE)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--home", "home_path", default=None, help="数据目录；缺省为 $STI_HOME，再缺省为 .local")
@click.pass_context
def main(context: click.Context, home_path: str | None) -> None:
    """科技创新投入数据仓库：收表、审核、建模、发布、查询。"""
    context.obj = Home.at(home_path)


@main.command("run")
@click.argument("wanted", metavar="PERIOD...", nargs=-1, required=True)
@click.option(
    "--inbox", type=click.Path(exists=True, path_type=Path), help="收件文件夹（任意层级），或一份工作簿；不给则只用档案"
)
@click.option(
    "--accept-queries", is_flag=True, help="一次认可全部未处理的核实性问题（不含强制性）；须写明 --by 和 --reason"
)
@click.option("--by", "by_name", default="", help="认可人姓名")
@click.option("--reason", default="", help="认可理由")
@click.option("--json", "as_json_", is_flag=True, help="以 JSON 输出")
@guarded
def run_command(
    home: Home,
    wanted: tuple[str, ...],
    inbox: Path | None,
    accept_queries: bool,
    by_name: str,
    reason: str,
    as_json_: bool,
) -> None:
    """跑完一个（或几个）报告期：收件、审核、建模、发布、附件1；年度（如 2025）为附件2 年度研判。"""
    chosen = [period_of(period) for period in wanted]
    if accept_queries and not (by_name.strip() and reason.strip()):
        raise Stop("--accept-queries 须同时写明 --by 姓名 和 --reason 理由", WRONG_USE)
    if not accept_queries and (by_name or reason):
        raise Stop("--by 和 --reason 只与 --accept-queries 一起使用", WRONG_USE)
    if inbox and not hand_ins(inbox):
        raise Stop(f"{inbox} 里没有工作簿（.xlsx），请核对收件文件夹", WRONG_USE)
    from expectations.outside_figures import outside_figures
    from orchestration.receipts import judged_in_the_end
    from orchestration.run import RunBroke, run_period
    from orchestration.running import settle

    # Before anything is received: what only the data group can mend costs no bureau a receipt that speaks of a fault.
    outside_figures(home.root)
    with writing(home), judged_in_the_end(home):
        for mark in settle(home):
            click.echo(mark.text, err=True)
        for period in chosen:
            click.echo(f"{period} 开始", err=True)
            try:
                outcome = run_period(
                    home,
                    period,
                    inbox=inbox.resolve() if inbox else None,
                    accept_by=by_name.strip() if accept_queries else "",
                    accept_reason=reason.strip(),
                )
            except RunBroke as error:
                logged = log_error(home, str(error))
                raise internal_error(home, f"内部错误，{logged}；已发布的数仓没有变，可以原样重试。") from error
            if not outcome.is_published:
                if as_json_:
                    click.echo(json.dumps(printing.outcome_json(home, outcome), ensure_ascii=False, indent=1))
                else:
                    printing.blocked(outcome)
                    printing.quality_page(home, period)
                raise Stop("", BLOCKED)
            if as_json_:
                click.echo(json.dumps(printing.outcome_json(home, outcome), ensure_ascii=False, indent=1))
            else:
                printing.published(home, outcome, show_table=period == chosen[-1])
                printing.quality_page(home, period)


@main.command("sql")
@click.argument("query", required=False)
@click.option(
    "--format", "form", type=click.Choice(["table", "csv", "json", "parquet"]), default="table", show_default=True
)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="写到哪个文件（csv、json、parquet）")
@click.option("--json", "as_json_", is_flag=True, help="同 --format json")
@guarded
def sql_command(home: Home, query: str | None, form: str, out: Path | None, as_json_: bool) -> None:
    """在已发布的数仓上做只读查询；不给查询语句则进入交互。"""
    if query is None:
        printing.prompt(home)
        return
    table = run_query(home, query)
    form = "json" if as_json_ else form
    if out is None and form == "parquet":
        raise Stop("parquet 须用 --out 指定文件", WRONG_USE)
    if form == "table":
        if out:
            raise Stop("--out 与 --format csv、json 或 parquet 一起使用", WRONG_USE)
        printing.arrow_table(table)
        return
    text = as_csv(table) if form == "csv" else as_json(table)
    if out is None:
        click.echo(text.rstrip("\n"))
        return
    if form == "parquet":
        write_parquet(table, out)
    else:
        out.write_text(text.rstrip("\n") + "\n", encoding="utf-8-sig" if form == "csv" else "utf-8")
    click.echo(f"{out}：{table.num_rows} 行", err=True)


@main.command("demo")
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="写到哪个文件夹")
@click.option("--scale", type=float, default=0.05, show_default=True, help="1 为真实规模（7000 家企业）")
@click.option("--seed", type=int, default=14, show_default=True)
@guarded
def demo_command(home: Home, out: Path, scale: float, seed: int) -> None:
    """写一座虚构城市的工作簿（单位、人员、代码均为虚构）。"""
    from sources.demo_city import write_demo_city

    if not 0 < scale <= 20:
        raise Stop("--scale 须大于 0、不超过 20", WRONG_USE)
    paths = write_demo_city(out, scale=scale, seed=seed)
    click.echo(f"已写 {len(paths)} 个工作簿到 {out}")


@main.command("doctor")
@click.option("--json", "as_json_", is_flag=True, help="以 JSON 输出")
@guarded
def doctor_command(home: Home, as_json_: bool) -> None:
    """体检：环境、版本、档案校验、磁盘、写锁。"""
    from orchestration.doctor import examine

    rows = examine(home)
    if as_json_:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=1))
    else:
        printing.table(rows, "")
    if any(row["结果"] == "异常" for row in rows):
        raise Stop("", WRONG_USE)


main.add_command(check_command)
main.add_command(correct_command)
main.add_command(corrections_command)
main.add_command(withdraw_command)
main.add_command(units_command)
main.add_command(alias_command)
main.add_command(unalias_command)
main.add_command(pull_command)
main.add_command(template_command)
main.add_command(receipt_command)
main.add_command(findings_command)
main.add_command(explain_command)
main.add_command(decide_command)
main.add_command(waive_command)
main.add_command(revoke_command)
main.add_command(decide_missing_command)
main.add_command(status_command)
main.add_command(quality_command)
main.add_command(alerts_command)
main.add_command(rules_command)
main.add_command(score_command)
main.add_command(scheme_command)
main.add_command(whatif_command)
main.add_command(trace_command)
main.add_command(targets_command)
