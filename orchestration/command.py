"""What every command of ``sti`` shares: exit codes, an error that ends a command, and the guard that lets no traceback out."""

import sys
import traceback
from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from sources.reference import periods
from warehouse.lock import HomeBusy
from warehouse.paths import log_error
from warehouse.query import NothingPublished, QueryFailed

WRONG_USE, BLOCKED, BROKEN = 1, 2, 3


class Stop(Exception):
    """End the command with a message and an exit code."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


def guarded(command: Callable[..., Any]) -> Callable[..., Any]:
    """Turn every error into one line and an exit code; never a traceback to a user."""

    @wraps(command)
    @click.pass_context
    def safely(context: click.Context, *args: Any, **kwargs: Any) -> None:
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
            log_error(home, traceback.format_exc())
            click.echo(f"读写文件出错：{error.filename or ''} {error.strerror or error}", err=True)
            sys.exit(WRONG_USE)
        except Exception:
            log_error(home, traceback.format_exc())
            click.echo(f"内部错误，详情记在 {home.log}；请把它发给数据组。", err=True)
            sys.exit(BROKEN)

    return safely


class Group(click.Group):
    """A group whose usage errors exit with 1, as the interface says (click's own is 2)."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run the command and leave the process with its exit code."""
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


def half_year_of(period: str) -> str:
    """Return a half-year key of the calendar as given.

    Raises:
        Stop: no such period, or a whole year.
    """
    known = periods().get(period)
    if known is None:
        raise Stop(f"不认识的报告期 {period}；半年写 2026H1，年度写 2026", WRONG_USE)
    if known.kind != "half_year":
        raise Stop(f"{period} 是年度；年度研判还没有上线，现在只能运行半年度（例如 {period}H2）", WRONG_USE)
    return period
