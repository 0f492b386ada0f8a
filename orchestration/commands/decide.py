"""``sti explain``, ``decide``, ``waive``, ``revoke``, ``decide-missing``: what people say and decide about findings, by name and for a reason."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import click

from orchestration import printing
from orchestration.command import BLOCKED, WRONG_USE, Stop, guarded, period_of
from sources.contracts import CADENCE_LABELS, providers_of
from sources.reference import periods
from warehouse.lock import writing
from warehouse.paths import Home

FINDINGS = click.argument("ids", metavar="FINDING...", nargs=-1, required=True)
BY = click.option("--by", "by_name", required=True, help="您的姓名")
REASON = click.option("--reason", required=True, help="理由")
JSON = click.option("--json", "as_json_", is_flag=True, help="以 JSON 输出")


@click.command("explain")
@FINDINGS
@BY
@click.option("--text", required=True, help="说明：为什么是这个数")
@JSON
@guarded
def explain_command(home: Home, ids: tuple[str, ...], by_name: str, text: str, as_json_: bool) -> None:
    """说明核实性问题（报送单位没有填“核实说明”工作表时，由知情人写明）；编号可以只写前几位。"""
    from expectations.decisions import explain

    def move(period: str, wanted: list[str]) -> list[Any]:
        return explain(home.findings, period, by_name, text, wanted)

    _made(home, ids, move, "已说明，等待审定：sti decide", as_json_)


@click.command("decide")
@FINDINGS
@click.option("--accept", "verdict", flag_value="accept", help="说明通过")
@click.option("--return", "verdict", flag_value="return", help="退回，请报送单位重新说明或改正")
@BY
@REASON
@click.option("--seen", type=int, help="看台账时看到第几条（sti findings 末行写着）；其后数或说明变了的不审")
@JSON
@guarded
def decide_command(
    home: Home, ids: tuple[str, ...], verdict: str | None, by_name: str, reason: str, seen: int | None, as_json_: bool
) -> None:
    """审定核实性问题的说明：通过或退回；审核人不能是说明人。编号可以写几个，各只写前几位。"""
    from expectations.decisions import decide

    if verdict not in ("accept", "return"):
        raise Stop("请写明 --accept（说明通过）或 --return（退回）", WRONG_USE)

    def move(period: str, wanted: list[str]) -> list[Any]:
        return decide(home.findings, period, verdict, by_name, reason, wanted, seen=seen)  # type: ignore[arg-type]

    _made(home, ids, move, "已说明通过" if verdict == "accept" else "已退回，等待重新说明或改正", as_json_)


@click.command("waive")
@FINDINGS
@BY
@REASON
@click.option(
    "--until", required=True, metavar="YYYY-MM-DD", help="豁免到哪一天（北京时间，当天为止）；过后重新挡住发布"
)
@JSON
@guarded
def waive_command(home: Home, ids: tuple[str, ...], by_name: str, reason: str, until: str, as_json_: bool) -> None:
    """限期豁免问题，强制性的也可以；谁可以、最长多久、哪些不可以，写在 authority.yaml。"""
    from expectations.decisions import waive

    try:
        last = date.fromisoformat(until)
    except ValueError as error:
        raise Stop(f"--until {until} 不是日期；请写成 2026-12-31", WRONG_USE) from error

    def move(period: str, wanted: list[str]) -> list[Any]:
        return waive(home.findings, period, by_name, reason, last, wanted)

    _made(home, ids, move, f"已豁免到 {last}，当天为止", as_json_)


@click.command("revoke")
@FINDINGS
@BY
@REASON
@JSON
@guarded
def revoke_command(home: Home, ids: tuple[str, ...], by_name: str, reason: str, as_json_: bool) -> None:
    """提前撤销豁免，或缺报发布的决定；问题立即重新挡住发布。"""
    from expectations.decisions import revoke

    def move(period: str, wanted: list[str]) -> list[Any]:
        return revoke(home.findings, period, by_name, reason, wanted)

    _made(home, ids, move, "已撤销，重新挡住发布", as_json_)


@click.command("decide-missing")
@click.argument("provider_name", metavar="PROVIDER")
@click.argument("period")
@BY
@REASON
@JSON
@guarded
def decide_missing_command(
    home: Home, provider_name: str, period: str, by_name: str, reason: str, as_json_: bool
) -> None:
    """缺一家报表仍发布的决定（市委科技办）；报表一到自动失效，撤销用 sti revoke。"""
    from expectations import findings as ledger
    from expectations.decisions import agree_missing
    from orchestration.blocking import missing_submission, submission_scope
    from orchestration.quality import renew
    from orchestration.submissions import local_today

    kind = periods()[period_of(period)].kind
    owing = providers_of(kind)
    provider = next((p for p in owing if provider_name in (p.provider, p.label, *p.aliases)), None)
    if provider is None:
        names = "、".join(f"{p.provider}（{p.label}）" for p in owing)
        raise Stop(f"不认识的单位 {provider_name}；应报{CADENCE_LABELS[kind]}的有：{names}", WRONG_USE)
    ends_on = periods()[period].ends_on
    if ends_on >= local_today():
        raise Stop(f"{period} 到 {ends_on} 才结束，还谈不上缺报；报表到期没有来再决定", WRONG_USE)
    with writing(home):
        missing = missing_submission(home, provider, period)
        if not missing:
            raise Stop(
                f"{provider.label}已经报送 {period}，不缺报；报表有问题的，请它改正，或看 sti findings {period} --open",
                BLOCKED,
            )
        with _refusals():
            ledger.record(home.findings, period, submission_scope(provider.provider), missing)
            states = agree_missing(home.findings, period, by_name, reason, missing[0].finding_id)
        renew(home, period)
    _tell(home, period, states, [], f"已记录：{provider.label} {period} 缺报仍发布；报表一到自动失效", as_json_)


@contextmanager
def _refusals() -> Iterator[None]:
    """Turn a refused move, an unknown finding and a damaged ledger into the end of the command."""
    from expectations.authority import AuthorityError
    from expectations.decisions import DecisionError
    from expectations.findings import LedgerError
    from orchestration.ledger_view import UnknownFinding

    try:
        yield
    except (DecisionError, LedgerError) as error:
        raise Stop(f"没有登记：{error}", BLOCKED) from error
    except (UnknownFinding, AuthorityError) as error:
        raise Stop(str(error), WRONG_USE) from error


def _made(
    home: Home, ids: tuple[str, ...], move: Callable[[str, list[str]], list[Any]], done: str, as_json_: bool
) -> None:
    """Make a move on findings that the user named, write their receipts anew, and say what stands now."""
    from orchestration.ledger_view import find, write_receipts
    from orchestration.quality import renew
    from warehouse.layers import LayerError

    with writing(home), _refusals():
        period, found = find(home, ids)
        states = move(period, [state.finding.finding_id for state in found])
        try:
            receipts = write_receipts(home, period, states)
        except LayerError as error:
            receipts = []
            click.echo(f"决定已登记；回执没有重写：{error}", err=True)
        renew(home, period)
    _tell(home, period, states, receipts, done, as_json_)


def _tell(home: Home, period: str, states: list[Any], receipts: list[str], done: str, as_json_: bool) -> None:
    from orchestration.ledger_view import counted, lines, table_row

    ids = {state.finding.finding_id for state in states}
    every = lines(home, period)
    now = [line for line in every if line["finding_id"] in ids]
    if as_json_:
        click.echo(json.dumps({"findings": now, "receipts": receipts}, ensure_ascii=False, indent=1))
        return
    printing.table([table_row(line) for line in now[: printing.FINDINGS_SHOWN]], "")
    if more_count := counted(now[printing.FINDINGS_SHOWN :])[0]:
        click.echo(f"另有 {more_count} 条。")
    click.echo(f"{done}（{counted(now)[0]} 条）。")
    if receipts:
        click.echo(f"回执已重写：{'、'.join(receipts)}")
    _, open_count = counted(every)
    rest = f"还有 {open_count} 条挡住发布：sti findings {period} --open" if open_count else f"下一步：sti run {period}"
    click.echo(rest)
