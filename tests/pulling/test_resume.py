"""Broken off and taken up again: the wire, the process, the file at the source."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.pulling.conftest import Site
from tests.pulling.servers import BreakingWire
from tests.pulling.test_sources import put, said
from warehouse.archive import hand_ins
from warehouse.incoming import pulled

SIZE = 3_000_000


def parts(site: Site) -> list[Path]:
    return [path for path in site.home.incoming.rglob("*.part") if path.stat().st_size]


def through(site: Site, kind: str, wire: BreakingWire) -> dict[str, object]:
    """A source that is reached through the wire."""
    address = f"https://127.0.0.1:{wire.port}"
    changes = {
        "sftp": {"port": wire.port},
        "webdav": {"url": address},
        "https": {"urls": [f"{address}/{site.name}/a.xlsx"]},
    }
    return site.source(kind, timeout_seconds=2, **changes[kind])


@pytest.mark.parametrize("kind", ["sftp", "webdav", "https"])
@pytest.mark.parametrize("is_stalling", [False, True])
def test_a_wire_that_breaks_half_way_costs_only_what_was_missing(site: Site, kind: str, is_stalling: bool) -> None:
    content = os.urandom(SIZE)
    put(site.root("sftp" if kind == "sftp" else "webdav"), "a.xlsx", content)
    with BreakingWire(
        site.sftp.port if kind == "sftp" else site.webdav.port, [2_300_000], is_stalling=is_stalling
    ) as wire:
        source = through(site, kind, wire) | ({"timeout_seconds": 0.5} if is_stalling else {})
        report = site.pull(source)
    assert said(report, "failed", "waiting") == ""
    assert list(site.arrived().values()) == [content]
    assert wire.connection_count > 1
    if kind != "sftp":
        starts = [int(asked.split("=")[1].split("-")[0]) for _, _, asked in site.webdav.moods.log if asked]
        assert starts
        assert min(starts) > 0
    assert parts(site) == []


def test_a_server_that_is_gone_keeps_the_part_and_the_next_pull_goes_on(site: Site) -> None:
    content = os.urandom(SIZE)
    put(site.root("webdav"), "a.xlsx", content)
    with BreakingWire(site.webdav.port, [1_800_000, *[1] * 20]) as wire:
        source = through(site, "webdav", wire)
        assert "下次接着取" in said(site.pull(source), "failed")
        assert len(parts(site)) == 1
        assert site.arrived() == {}
        site.webdav.moods.log.clear()
        wire.cuts.clear()
        assert len(site.pull(source).arrived) == 1
    assert list(site.arrived().values()) == [content]
    assert [asked for method, _, asked in site.webdav.moods.log if method == "GET" and asked]


def test_a_part_that_does_not_fit_any_more_is_thrown_away(site: Site) -> None:
    content = os.urandom(SIZE)
    put(site.root("webdav"), "a.xlsx", content)
    with BreakingWire(site.webdav.port, [1_800_000, *[1] * 20]) as wire:
        source = through(site, "webdav", wire)
        site.pull(source)
        (part,) = parts(site)
        part.write_bytes(bytes(part.stat().st_size))
        wire.cuts.clear()
        assert "接不上" in said(site.pull(source), "waiting")
        assert site.arrived() == {}
        site.pull(source)
    assert list(site.arrived().values()) == [content]


def test_killed_half_way_and_run_again_gives_the_same(site: Site) -> None:
    content = os.urandom(SIZE)
    put(site.root("sftp"), "a.xlsx", content)
    with BreakingWire(site.sftp.port, [1_500_000], is_stalling=True) as wire:
        site.write(through(site, "sftp", wire) | {"timeout_seconds": 60})
        command = [sys.executable, "-m", "orchestration", "--home", str(site.home.root), "pull"]
        process = subprocess.Popen(command, env=os.environ | site.environ, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 20
        while not parts(site) and time.monotonic() < end:
            time.sleep(0.02)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert parts(site)
        assert site.arrived() == {}
        assert site.pull(through(site, "sftp", wire)).arrived
    assert list(site.arrived().values()) == [content]
    assert parts(site) == []


def test_killed_between_journal_and_inbox_the_move_is_made_up_for_and_nothing_lands_twice(site: Site) -> None:
    put(site.root("folder"), "a.xlsx", b"whole")
    site.pull(site.source("folder"))
    (record,) = pulled(site.home)
    landed = site.home.inbox / record.target
    # Just what a kill before the move leaves behind.
    os.replace(landed, site.home.incoming / record.source / f"{record.key}.part")
    assert site.pull(site.source("folder")).arrived == []
    assert landed.read_bytes() == b"whole"
    assert len(hand_ins(site.home.inbox)) == len(pulled(site.home)) == 1


def test_when_the_time_is_over_the_rest_is_left_for_the_next_pull(site: Site) -> None:
    put(site.root("folder"), "a.xlsx", os.urandom(SIZE))
    site.pull(site.source("folder"), wait=None)
    time.sleep(0.05)
    report = site.pull(site.source("folder"), wait=None, budget_seconds=0.001)
    assert report.is_out_of_time
    assert site.arrived() == {}
    assert len(site.pull(site.source("folder")).arrived) == 1


def test_two_pulls_do_not_meet(site: Site) -> None:
    from warehouse.incoming import PullBusy, pulling

    with pulling(site.home), pytest.raises(PullBusy):
        site.pull(site.source("folder"))
