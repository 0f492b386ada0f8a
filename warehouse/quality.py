"""Where the quality pages lie: one folder per run, ``quality/<period>/<UTC time>-<run>/``, with the page and what it was made from.

Kept with the run, never rewritten by a later one; the newest follows the decisions that are made after it, and says as of when. Of each
period the newest `KEPT_RUN_COUNT` runs are kept; older folders are taken away whole when a new run begins. What a page says of an older run
than those is still in the finding ledger, which loses nothing.
"""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sources.reference import periods
from warehouse.paths import Home, write_atomically

KEPT_RUN_COUNT = 50
PAGE, DOCUMENT = "quality.html", "quality.json"


def runs(home: Home, period: str) -> list[Path]:
    """Return the folders of a period's runs, oldest first."""
    return sorted(path for path in (home.quality / period).glob("*-*") if path.is_dir())


def run_folder(home: Home, period: str, run_id: str) -> Path:
    """Return the folder of a run, made on its first call; what is beyond the number of runs kept goes."""
    known = runs(home, period)
    short = run_id.split("-")[0]
    mine = [path for path in known if path.name.endswith(f"-{short}")]
    if mine:
        return mine[-1]
    for old in known[: max(0, len(known) - KEPT_RUN_COUNT + 1)]:
        shutil.rmtree(old, ignore_errors=True)
    folder = home.quality / period / f"{datetime.now(UTC).strftime('%Y%m%dT%H%M%SZ')}-{short}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def document(folder: Path) -> dict[str, Any] | None:
    """Return what a run's page was made from; None where there is none or it is damaged."""
    try:
        loaded: dict[str, Any] = json.loads((folder / DOCUMENT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return loaded


def write(folder: Path, content: dict[str, Any], page: str) -> Path:
    """Write a run's document and its page; return the page."""
    write_atomically(folder / DOCUMENT, json.dumps(content, ensure_ascii=False).encode("utf-8", "replace"))
    write_atomically(folder / PAGE, page.encode("utf-8", "replace"))
    return folder / PAGE


def newest(home: Home, period: str) -> tuple[Path | None, dict[str, Any] | None]:
    """Return the folder of a period's newest run that has a page, and what the page was made from; None for what there is not."""
    folders = [folder for folder in runs(home, period) if (folder / PAGE).exists()]
    return (folders[-1], document(folders[-1])) if folders else (None, None)


def newest_page(home: Home, period: str) -> Path | None:
    """Return the page of a period's newest run that has one."""
    pages = [folder / PAGE for folder in runs(home, period) if (folder / PAGE).exists()]
    return pages[-1] if pages else None


def history(
    home: Home, period: str, run_count: int, until: Path
) -> tuple[list[dict[str, Any]], dict[str, dict[str, Any]]]:
    """Return the documents of a period's newest runs up to one (oldest first, that one left out), and of each other period its newest.

    A year has years beside it and a half-year half-years: other tables and rules make no history of each other.
    """
    before = [folder for folder in runs(home, period) if folder.name < until.name][-run_count:]
    kind = periods()[period].kind
    others = {
        path.name: runs(home, path.name)[-1:]
        for path in home.quality.glob("*")
        if path.name != period and path.name in periods() and periods()[path.name].kind == kind
    }
    return (
        [found for folder in before if (found := document(folder))],
        {key: found for key, newest in sorted(others.items()) for folder in newest if (found := document(folder))},
    )
