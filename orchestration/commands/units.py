"""``sti units``, ``sti alias``, ``sti unalias``: the unit register, and the names that a person confirms or revokes."""

import json
from typing import Any

import click

from orchestration import printing
from orchestration.command import WRONG_USE, Stop, guarded
from warehouse.lock import writing
from warehouse.paths import Home
from warehouse.unit_names import AliasError, aliases, confirm_alias, published_units, revoke_alias


@click.command("units")
@click.option("--like", default="", help="只列名称里含这几个字的")
@click.option("--json", "as_json_", is_flag=True, help="以 JSON 输出")
@guarded
def units_command(home: Home, like: str, as_json_: bool) -> None:
    """单位名录：已发布的执行单位，和经人确认的别名。"""
    rows: list[dict[str, Any]] = [
        {"统一社会信用代码": code, "名称": name, "来源": "已发布", "确认人": "", "理由": "", "状态": "在用"}
        for code, name in published_units(home)
    ]
    rows += [
        {
            "统一社会信用代码": alias.code,
            "名称": alias.name,
            "来源": "别名",
            "确认人": alias.confirmed_by,
            "理由": alias.reason,
            "状态": f"{alias.revoked_by}撤销" if alias.revoked_by else "在用",
        }
        for alias in aliases(home)
    ]
    rows = [row for row in rows if like in row["名称"]]
    if as_json_:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=1))
    else:
        printing.table(rows, "名录里没有这样的单位。")


@click.command("alias")
@click.argument("name")
@click.argument("code")
@click.option("--by", "by_name", required=True, help="确认人姓名")
@click.option("--reason", required=True, help="凭什么认定是同一家")
@guarded
def alias_command(home: Home, name: str, code: str, by_name: str, reason: str) -> None:
    """确认一个名称就是某个代码的单位（系统只提示，由人确认；不会替报表补代码）。"""
    try:
        with writing(home):
            alias = confirm_alias(home, name, code, by_name, reason)
    except AliasError as error:
        raise Stop(str(error), WRONG_USE) from error
    click.echo(f"已登记：“{alias.name}”是 {alias.code}。报表里空着的代码仍须报送单位补填，或写更正单。")


@click.command("unalias")
@click.argument("name")
@click.option("--by", "by_name", required=True, help="撤销人姓名")
@click.option("--reason", required=True, help="撤销理由")
@guarded
def unalias_command(home: Home, name: str, by_name: str, reason: str) -> None:
    """撤销一个别名；登记留存。"""
    try:
        with writing(home):
            alias = revoke_alias(home, name, by_name, reason)
    except AliasError as error:
        raise Stop(str(error), WRONG_USE) from error
    click.echo(f"已撤销：“{alias.name}”不再当作 {alias.code}。")
