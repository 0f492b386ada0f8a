"""What every command of ``sti`` shares: exit codes, an error that ends a command, and the guard that lets no traceback out."""

import os
import shutil
import sys
import traceback
from collections.abc import Callable
from functools import wraps
from typing import Any

import click
import duckdb

from expectations.ledger_file import LedgerError
from expectations.outside_figures import OutsideFigureError
from sources.calendar import CalendarError
from sources.reference import periods
from sources.text import shown_name
from warehouse.lock import HomeBusy
from warehouse.paths import Home, log_error
from warehouse.query import NothingPublished, QueryFailed

WRONG_USE, BLOCKED, BROKEN = 1, 2, 3
LEAST_FREE_BYTES = 16 * 1024 * 1024
"""With less than this left on the disk, whatever broke broke of that."""


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
        except (HomeBusy, NothingPublished, CalendarError, OutsideFigureError) as error:
            click.echo(str(error), err=True)
            sys.exit(WRONG_USE)
        except LedgerError as error:
            click.echo(str(error), err=True)
            sys.exit(BLOCKED)
        except QueryFailed as error:
            click.echo(f"查询有误：{error}", err=True)
            sys.exit(WRONG_USE)
        except (duckdb.CatalogException, duckdb.BinderException) as error:
            # Our own queries name tables and columns of this version; a user's query fails as QueryFailed.
            logged = log_error(home, traceback.format_exc())
            click.echo(
                f"已发布的数仓是别的版本的程序发布的，没有这个命令要用的表或列（{str(error).splitlines()[0]}）；"
                f"请重新运行 sti run 报告期，再用这个命令；{logged}",
                err=True,
            )
            sys.exit(WRONG_USE)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except BrokenPipeError:
            sys.exit(0)
        except OSError as error:
            logged = log_error(home, traceback.format_exc())
            place = f"{shown_name(os.fsdecode(error.filename))} " if isinstance(error.filename, str | bytes) else ""
            click.echo(f"读写文件出错：{place}{error.strerror or error}；{logged}", err=True)
            sys.exit(WRONG_USE)
        except Exception:
            logged = log_error(home, traceback.format_exc())
            broken = internal_error(home, f"内部错误，{logged}；请把它发给数据组。")
            click.echo(str(broken), err=True)
            sys.exit(broken.code)

    return safely


def internal_error(home: Home, message: str) -> Stop:
    """Return the end of a command that broke: wrong environment where the disk is full, whatever library it broke in; else ``message``."""
    place = next((folder for folder in (home.root, *home.root.parents) if folder.is_dir()), home.root)
    try:
        free = shutil.disk_usage(place).free
    except OSError:
        return Stop(message, BROKEN)
    if free < LEAST_FREE_BYTES:
        text = (
            f"{home.root} 所在的磁盘满了（只剩 {free // 1024} KiB）；请腾出空间后原样重试，已收到和已发布的都没有变。"
        )
        return Stop(text, WRONG_USE)
    return Stop(message, BROKEN)


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
        except OSError as error:
            # Before any command: the folder that the shell stands in is gone, say.
            click.echo(f"读写文件出错：{error.filename or '当前文件夹'} {error.strerror or error}", err=True)
            sys.exit(WRONG_USE)
        sys.exit(result if isinstance(result, int) else 0)


def period_of(period: str) -> str:
    """Return a key of the calendar, half-year or year, as given.

    Raises:
        Stop: no such period.
    """
    if period not in periods():
        raise Stop(f"不认识的报告期 {period}；半年写 2026H1，年度写 2026", WRONG_USE)
    return period
