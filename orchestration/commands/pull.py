"""``sti pull``: fetch what the providers have put out, into the inbox. Never writes or deletes at a source."""

import json
import os
import time
from dataclasses import asdict
from typing import Any

import click

from orchestration import printing
from orchestration.command import BLOCKED, WRONG_USE, Stop, guarded, log_error
from sources.contracts import providers
from warehouse.incoming import PullBusy
from warehouse.paths import Home
from warehouse.pull import Line, PullReport

LABELS = {"pulled": "已取", "ready": "可取", "waiting": "未就绪", "refused": "拒收", "failed": "失败", "note": "说明"}


@click.command("pull")
@click.option("--provider", help="只取一个填报单位的来源，如 finance_bureau")
@click.option("--source", "source_name", help="只取一个来源（sources.yaml 里的 name）")
@click.option("--dry-run", is_flag=True, help="只看会取什么，不取，也不写任何东西")
@click.option("--json", "as_json_", is_flag=True, help="以 JSON 输出")
@guarded
def pull_command(home: Home, provider: str | None, source_name: str | None, dry_run: bool, as_json_: bool) -> None:
    """按 $STI_HOME/sources.yaml 从各单位的文件夹、SFTP、WebDAV、S3、HTTPS 取件到收件箱。

    0 全部取完（没有新的也是 0）；1 有来源连不上或设置有误（其余照取）；2 有文件被拒收。
    """
    from sources.pulling.config import SourcesError, load_sources
    from warehouse.pull import preview, pull

    if provider and provider not in providers():
        raise Stop(f"没有填报单位 {provider}；可写 {'、'.join(providers())}", WRONG_USE)
    try:
        every = load_sources(home.sources_file)
    except SourcesError as error:
        raise Stop(str(error), WRONG_USE) from error
    chosen = [s for s in every if provider in (None, s.provider) and source_name in (None, s.name)]
    if not chosen:
        raise Stop(
            f"{home.sources_file} 里没有这样的来源；有 {'、'.join(s.name for s in every) or '（空）'}", WRONG_USE
        )
    try:
        report = preview(home, chosen, os.environ) if dry_run else pull(home, chosen, os.environ, wait=_wait)
    except PullBusy as error:
        raise Stop(str(error), WRONG_USE) from error
    logged = ""
    for line in report.of("failed"):
        logged = log_error(home, f"{line.source} {line.place}\n{line.detail}")
    if as_json_:
        click.echo(json.dumps(_as_json(report), ensure_ascii=False, indent=1))
    else:
        printing.table([_row(line) for line in report.lines], "没有新的来件")
    if report.of("failed"):
        raise Stop(f"{len(report.of('failed'))} 处没有取成，其余照取；{logged}", WRONG_USE)
    if report.of("refused"):
        raise Stop(f"{len(report.of('refused'))} 个文件拒收", BLOCKED)


def _wait(seconds: float) -> None:
    click.echo(f"有文件刚看到，{seconds:.1f} 秒后再看一次……", err=True)
    time.sleep(seconds)


def _row(line: Line) -> dict[str, Any]:
    return {
        "结果": LABELS[line.state],
        "单位": providers()[line.provider].label,
        "来源": line.source,
        "文件": line.place,
        "说明": line.message,
    }


def _as_json(report: PullReport) -> dict[str, Any]:
    lines = [{k: v for k, v in asdict(line).items() if k != "detail"} for line in report.lines]
    return {"arrived": [asdict(each) for each in report.arrived], "lines": lines}
