"""``sti``: the command line. Exit codes: 0 done; 1 wrong use or broken environment; 2 refused or blocked by findings; 3 internal error.

Heavy imports (Dagster, Great Expectations) happen inside the commands that need them.
"""

import atexit
import gc
import json
import os
import sys
import tempfile
import traceback
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import Any

import click

from orchestration import printing
from sources.finding import Finding
from sources.reference import periods
from warehouse.archive import hand_ins
from warehouse.lock import HomeBusy, writing
from warehouse.paths import Home
from warehouse.query import NothingPublished, QueryFailed, as_csv, as_json, run_query, write_parquet

WRONG_USE, BLOCKED, BROKEN = 1, 2, 3


class Stop(Exception):
    """End the command with a message and an exit code."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


def _guarded(command: Callable[..., Any]) -> Callable[..., Any]:
    """Turn every error into one line and an exit code; never a traceback to a user."""

    @wraps(command)
    @click.pass_context
    def guarded(context: click.Context, *args: Any, **kwargs: Any) -> None:
        home = context.find_root().obj
        try:
            command(home, *args, **kwargs)
        except Stop as stop:
            if str(stop):
                click.echo(str(stop), err=True)
            sys.exit(stop.code)
        except (HomeBusy, NothingPublished) as error:
            click.echo(str(error), err=True)
            sys.exit(WRONG_USE)
        except QueryFailed as error:
            click.echo(f"查询有误：{error}", err=True)
            sys.exit(WRONG_USE)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except BrokenPipeError:
            sys.exit(0)
        except OSError as error:
            _log(home, traceback.format_exc())
            click.echo(f"读写文件出错：{error.filename or ''} {error.strerror or error}", err=True)
            sys.exit(WRONG_USE)
        except Exception:
            _log(home, traceback.format_exc())
            click.echo(f"内部错误，详情记在 {home.log}；请把它发给数据组。", err=True)
            sys.exit(BROKEN)

    return guarded


def _log(home: Home, text: str) -> None:
    home.log.parent.mkdir(parents=True, exist_ok=True)
    with home.log.open("a", encoding="utf-8") as file:
        file.write(f"{datetime.now(UTC).isoformat(timespec='seconds')}\n{text}\n")


class _Group(click.Group):
    """A group whose usage errors exit with 1, as the interface says (click's own is 2)."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        try:
            result = super().main(*args, **{**kwargs, "standalone_mode": False})
        except click.exceptions.Exit as stop:
            sys.exit(stop.exit_code)
        except click.Abort:
            sys.exit(WRONG_USE)
        except click.ClickException as error:
            error.show()
            sys.exit(WRONG_USE)
        sys.exit(result if isinstance(result, int) else 0)


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


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--home", "home_path", default=None, help="数据目录；缺省为 $STI_HOME，再缺省为 .local")
@click.pass_context
def main(context: click.Context, home_path: str | None) -> None:
    """科技创新投入数据仓库：收表、审核、建模、发布、查询。"""
    context.obj = Home.at(home_path)


def _half_year(period: str) -> str:
    known = periods().get(period)
    if known is None:
        raise Stop(f"不认识的报告期 {period}；半年写 2026H1，年度写 2026", WRONG_USE)
    if known.kind != "half_year":
        raise Stop(f"{period} 是年度；年度研判还没有上线，现在只能运行半年度（例如 {period}H2）", WRONG_USE)
    return period


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
@_guarded
def run_command(
    home: Home,
    wanted: tuple[str, ...],
    inbox: Path | None,
    accept_queries: bool,
    by_name: str,
    reason: str,
    as_json_: bool,
) -> None:
    """跑完一个（或几个）半年度：收件、审核、建模、发布、附件1。"""
    chosen = [_half_year(period) for period in wanted]
    if accept_queries and not (by_name.strip() and reason.strip()):
        raise Stop("--accept-queries 须同时写明 --by 姓名 和 --reason 理由", WRONG_USE)
    if not accept_queries and (by_name or reason):
        raise Stop("--by 和 --reason 只与 --accept-queries 一起使用", WRONG_USE)
    if inbox and not hand_ins(inbox):
        raise Stop(f"{inbox} 里没有工作簿（.xlsx），请核对收件文件夹", WRONG_USE)
    from orchestration.run import RunBroke, run_half_year

    with writing(home):
        for period in chosen:
            click.echo(f"{period} 开始", err=True)
            try:
                outcome = run_half_year(
                    home,
                    period,
                    inbox=inbox.resolve() if inbox else None,
                    accept_by=by_name.strip() if accept_queries else "",
                    accept_reason=reason.strip(),
                )
            except RunBroke as error:
                _log(home, str(error))
                raise Stop(f"内部错误，详情记在 {home.log}；已发布的数仓没有变，可以原样重试。", BROKEN) from error
            if not outcome.is_published:
                if as_json_:
                    click.echo(json.dumps(printing.outcome_json(home, outcome), ensure_ascii=False, indent=1))
                else:
                    printing.blocked(outcome)
                raise Stop("", BLOCKED)
            if as_json_:
                click.echo(json.dumps(printing.outcome_json(home, outcome), ensure_ascii=False, indent=1))
            else:
                printing.published(home, outcome, show_table=period == chosen[-1])


@main.command("check")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json_", is_flag=True, help="以 JSON 输出")
@_guarded
def check_command(home: Home, files: tuple[Path, ...], as_json_: bool) -> None:
    """自查工作簿：与正式审核同样的问题清单，不存任何东西。"""
    from orchestration.gate import self_check

    found: list[Finding] = []
    reports = []
    for path in files:
        with tempfile.TemporaryDirectory() as folder:
            reading, outcome = self_check(path, Path(folder))
        found += outcome.findings
        reports.append((reading, outcome.findings))
    if as_json_:
        click.echo(json.dumps([printing.check_json(*report) for report in reports], ensure_ascii=False, indent=1))
    else:
        for report in reports:
            printing.check(*report)
    if any(f.rule_class != "note" for f in found):
        raise Stop("", BLOCKED)


@main.command("status")
@click.argument("period", required=False)
@click.option("--json", "as_json_", is_flag=True, help="以 JSON 输出")
@_guarded
def status_command(home: Home, period: str | None, as_json_: bool) -> None:
    """各单位报送情况：缺报、已报、退回、待说明、已准入。"""
    from orchestration.status import board

    rows = board(home, _half_year(period) if period else None)
    if as_json_:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=1))
    else:
        printing.table(rows, "还没有收到任何报表；用 sti run PERIOD --inbox 文件夹 收件")


@main.command("sql")
@click.argument("query", required=False)
@click.option(
    "--format", "form", type=click.Choice(["table", "csv", "json", "parquet"]), default="table", show_default=True
)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="写到哪个文件（csv、json、parquet）")
@click.option("--json", "as_json_", is_flag=True, help="同 --format json")
@_guarded
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


@main.command("trace")
@click.option("--period", required=True, help="报告期，如 2026H1")
@click.option("--area", required=True, help="地区键，如 330402；全市 330400")
@click.option("--indicator", required=True, help="指标标识，如 sti_total、other_net、gov_total")
@click.option("--json", "as_json_", is_flag=True, help="以 JSON 输出（全部单元格和凭据行）")
@_guarded
def trace_command(home: Home, period: str, area: str, indicator: str, as_json_: bool) -> None:
    """一个数从哪些单元格来：文件、工作表、单元格、所填；剔除了什么、凭什么。"""
    from warehouse.trace import CannotTrace, trace

    try:
        found = trace(home, _half_year(period), area, indicator)
    except CannotTrace as error:
        raise Stop(str(error), WRONG_USE) from error
    if as_json_:
        click.echo(json.dumps(asdict(found), ensure_ascii=False, indent=1, default=str))
    else:
        printing.trace(found)


@main.command("demo")
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="写到哪个文件夹")
@click.option("--scale", type=float, default=0.05, show_default=True, help="1 为真实规模（7000 家企业）")
@click.option("--seed", type=int, default=14, show_default=True)
@_guarded
def demo_command(home: Home, out: Path, scale: float, seed: int) -> None:
    """写一座虚构城市的工作簿（单位、人员、代码均为虚构）。"""
    from sources.demo_city import write_demo_city

    if not 0 < scale <= 20:
        raise Stop("--scale 须大于 0、不超过 20", WRONG_USE)
    paths = write_demo_city(out, scale=scale, seed=seed)
    click.echo(f"已写 {len(paths)} 个工作簿到 {out}")


@main.command("doctor")
@click.option("--json", "as_json_", is_flag=True, help="以 JSON 输出")
@_guarded
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
