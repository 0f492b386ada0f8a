"""``sti correct``, ``sti corrections``, ``sti withdraw``: correction slips (更正单), the only way to change a received value."""

import json
from pathlib import Path
from typing import Any

import click

from orchestration import printing
from orchestration.command import BLOCKED, WRONG_USE, Stop, guarded
from sources.contracts import providers
from warehouse.correction_slip import Registered, SlipError, load_slip, register, registered, withdraw
from warehouse.lock import writing
from warehouse.paths import Home


def _as_dict(found: Registered) -> dict[str, Any]:
    return {
        "slip_no": found.slip_no,
        "registered_at": found.registered_at,
        "withdrawn_by": found.withdrawn_by,
        "withdrawn_reason": found.withdrawn_reason,
        **found.slip.model_dump(mode="json"),
    }


def _rows(found: list[Registered]) -> list[dict[str, Any]]:
    return [
        {
            "更正单": r.slip_no,
            "单位": providers()[r.slip.provider].label,
            "报告期": r.slip.period,
            "更正": f"{entry.place}：{entry.expected or '空白'} → {entry.value or '空白'}",
            "理由": entry.reason or r.slip.reason,
            "申请": r.slip.requester,
            "批准": r.slip.approver,
            "状态": "在用" if r.is_active else f"{r.withdrawn_by}撤销：{r.withdrawn_reason}",
        }
        for r in found
        for entry in r.slip.corrections
    ]


@click.command("correct")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json_", is_flag=True, help="以 JSON 输出")
@guarded
def correct_command(home: Home, file: Path, as_json_: bool) -> None:
    """登记一份更正单（YAML）：原值须与现在报的相同；下次运行时套用。"""
    from warehouse.corrections import misfits_of

    try:
        slip, content = load_slip(file)
        with writing(home):
            misfits = misfits_of(home, Registered("（未登记）", slip, ""))
            if misfits:
                lines = "\n".join(finding.message for finding in misfits)
                raise Stop(f"{file.name} 没有登记：\n{lines}\n请按现在报的值改写更正单后再登记。", BLOCKED)
            found = register(home, slip, content)
    except SlipError as error:
        raise Stop(str(error), WRONG_USE) from error
    if as_json_:
        click.echo(json.dumps(_as_dict(found), ensure_ascii=False, indent=1))
        return
    printing.table(_rows([found]), "")
    click.echo(f"已登记。下一步：sti run {slip.period}，更正后的数重新审核、建模、发布。")


@click.command("corrections")
@click.argument("period", required=False)
@click.option("--json", "as_json_", is_flag=True, help="以 JSON 输出")
@guarded
def corrections_command(home: Home, period: str | None, as_json_: bool) -> None:
    """列出登记过的更正单，撤销的也在内。"""
    try:
        found = [r for r in registered(home) if period in (None, r.slip.period)]
    except SlipError as error:
        raise Stop(str(error), WRONG_USE) from error
    if as_json_:
        click.echo(json.dumps([_as_dict(r) for r in found], ensure_ascii=False, indent=1))
    else:
        printing.table(_rows(found), "没有登记过更正单。")


@click.command("withdraw")
@click.argument("slip_no")
@click.option("--by", "by_name", required=True, help="撤销人姓名")
@click.option("--reason", required=True, help="撤销理由")
@guarded
def withdraw_command(home: Home, slip_no: str, by_name: str, reason: str) -> None:
    """撤销一份更正单：下次运行不再套用；登记留存。"""
    try:
        with writing(home):
            found = withdraw(home, slip_no, by_name, reason)
    except SlipError as error:
        raise Stop(str(error), WRONG_USE) from error
    click.echo(f"更正单 {slip_no} 已撤销。下一步：sti run {found.slip.period}")
