"""``sti check``: a bureau's self-check, the same findings as the run."""

import json
import tempfile
from pathlib import Path

import click

from orchestration import printing
from orchestration.command import BLOCKED, Stop, guarded
from sources.finding import Finding
from warehouse.paths import Home
from warehouse.unit_names import unit_register


@click.command("check")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json_", is_flag=True, help="以 JSON 输出")
@guarded
def check_command(home: Home, files: tuple[Path, ...], as_json_: bool) -> None:
    """自查工作簿和大批量文件（CSV、Parquet）：与正式审核同样的问题清单，不存任何东西。"""
    from orchestration.gate import returns_of, self_check

    found: list[Finding] = []
    register = unit_register(home)
    reports = []
    for paths in returns_of(files):
        with tempfile.TemporaryDirectory() as folder:
            reading, outcome = self_check(paths, Path(folder), register)
        found += outcome.findings
        reports.append((reading, outcome.findings))
    if as_json_:
        click.echo(json.dumps([printing.check_json(*report) for report in reports], ensure_ascii=False, indent=1))
    else:
        for report in reports:
            printing.check(*report)
    if any(f.rule_class != "note" for f in found):
        raise Stop("", BLOCKED)
