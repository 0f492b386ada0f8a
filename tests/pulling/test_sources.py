"""Pulling from real servers: what comes, what is refused, and that nothing at a source is ever touched."""

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from click.testing import Result

from sources.pulling.config import load_sources
from sources.pulling.remote import Remote
from tests.pulling.conftest import KINDS, Site
from tests.pulling.servers import PASSWORD, READER, picture_of
from warehouse.archive import hand_ins, is_hand_in
from warehouse.incoming import pulled
from warehouse.pull import PullReport

NAME = "半年报 终稿/市财政局 #1%20?_2026H1.xlsx"


def said(report: PullReport, *states: str) -> str:
    return "\n".join(f"{line.source} {line.place} {line.message}" for line in report.of(*states))  # type: ignore[arg-type]


def put(root: Path, name: str, content: bytes) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_bureau_put_out_arrives_byte_for_byte_and_the_source_is_as_it_was(site: Site, kind: str) -> None:
    root = site.root(kind)
    content = os.urandom(300_000)
    put(root, NAME, content)
    put(root, "空.xlsx", b"")
    put(root, "说明.pdf", b"no hand-in")
    put(root, "~$打开的表.xlsx", b"lock")
    put(root, ".snapshot/旧.xlsx", b"old")
    before = picture_of(root)
    report = site.pull(site.source(kind))
    assert said(report, "failed", "refused") == ""
    assert site.arrived() == {
        f"finance_bureau/by_{kind}/{NAME}": content,
        f"finance_bureau/by_{kind}/空.xlsx": b"",
    }
    assert picture_of(root) == before
    assert {method for method, _, _ in site.webdav.moods.log} <= {"PROPFIND", "GET", "HEAD", "OPTIONS"}
    (record,) = [p for p in pulled(site.home) if p.relative == NAME]
    assert (record.provider, record.sha256) == ("finance_bureau", hashlib.sha256(content).hexdigest())


def test_files_at_given_https_addresses_arrive(site: Site) -> None:
    put(site.root("webdav"), NAME, b"x" * 2_000_000)
    url = f"{site.webdav.url}/{site.name}/{quote(NAME)}"
    report = site.pull(site.source("https", urls=[url, f"{site.webdav.url}/{site.name}/没有.xlsx"]))
    assert site.arrived() == {f"finance_bureau/by_https/{NAME.split('/')[1]}": b"x" * 2_000_000}
    assert "没有这个路径或文件" in said(report, "failed")


def test_nobody_can_write_through_the_wrapper() -> None:
    assert {name for name in dir(Remote) if not name.startswith("_")} == {"drop", "list_files", "look", "reading"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_version_comes_once_and_a_changed_one_is_kept_beside_it(site: Site, kind: str) -> None:
    path = put(site.root(kind), "a.xlsx", b"first")
    assert len(site.pull(site.source(kind)).arrived) == 1
    assert site.pull(site.source(kind)).lines == []
    path.write_bytes(b"second!")
    assert len(site.pull(site.source(kind)).arrived) == 1
    os.utime(path, (1_700_000_000, 1_700_000_000))
    assert site.pull(site.source(kind)).arrived == []
    kept = [path.read_bytes() for path in hand_ins(site.home.inbox)]
    assert kept == [b"first", b"second!"]


def test_a_file_that_still_changes_is_not_read(site: Site) -> None:
    path = put(site.root("folder"), "a.xlsx", b"half")
    source = site.source("folder", settle_seconds=0.2)
    for content in (b"half and", b"half and half"):
        assert "怕还没有传完" in said(site.pull(source, wait=None), "waiting")
        time.sleep(0.25)
        path.write_bytes(content)
    assert site.pull(source, wait=None).arrived == []
    time.sleep(0.25)
    assert len(site.pull(source, wait=None).arrived) == 1
    assert list(site.arrived().values()) == [b"half and half"]


def test_with_markers_a_file_comes_only_when_its_marker_is_there_new_enough_and_true(site: Site) -> None:
    root = site.root("sftp")
    path, marker = put(root, "a.xlsx", b"whole"), root / "a.xlsx.ok"
    source = site.source("sftp", ready="ok_marker")
    assert "还没有 a.xlsx.ok" in said(site.pull(source), "waiting")
    marker.write_bytes(b"")
    os.utime(marker, (1_700_000_000, 1_700_000_000))
    assert "标记比文件旧" in said(site.pull(source), "waiting")
    marker.write_text(f"{'0' * 64}  a.xlsx\n")
    assert "SHA-256 不符" in said(site.pull(source), "waiting")
    assert site.arrived() == {}
    marker.write_text(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  a.xlsx\n")
    assert len(site.pull(source).arrived) == 1


def test_a_server_that_nobody_vouched_for_is_not_connected_to(site: Site) -> None:
    put(site.root("sftp"), "a.xlsx", b"a")
    log = site.sftp.root.parent / "sshd.log"
    before = log.read_text().count("Accepted publickey")
    wrong = site.source("sftp", fingerprints=["SHA256:" + "A" * 43])
    report = site.pull(wrong)
    assert site.sftp.fingerprint in said(report, "failed")
    assert "fingerprints" in said(report, "failed")
    assert log.read_text().count("Accepted publickey") == before
    known = site.source("sftp", fingerprints=[], known_hosts=str(site.sftp.known_hosts))
    assert len(site.pull(known).arrived) == 1


@pytest.mark.parametrize("kind", ["webdav", "https"])
def test_a_certificate_that_nobody_signed_is_refused_before_the_password_is_sent(site: Site, kind: str) -> None:
    urls = {"urls": [f"{site.webdav.url}/{site.name}/a.xlsx"]} if kind == "https" else {}
    report = site.pull(site.source(kind, ca_file=None, **urls))
    assert "证书校验不通过" in said(report, "failed")
    assert site.webdav.moods.log == []


@pytest.mark.parametrize("kind", ["webdav", "https"])
def test_a_refused_login_is_not_tried_again(site: Site, kind: str) -> None:
    urls = {"urls": [f"{site.webdav.url}/{site.name}/a.xlsx"]} if kind == "https" else {}
    report = site.pull(site.source(kind, username="nobody", **urls))
    assert "口令或密钥" in said(report, "failed")
    # fsspec asks for the head, then for the whole.
    assert len(site.webdav.moods.log) == {"webdav": 1, "https": 2}[kind]
    assert "口令或密钥" in said(site.pull(site.source("sftp", username="nobody")), "failed")


def test_a_missing_folder_is_not_tried_again(site: Site) -> None:
    report = site.pull(site.source("webdav", path="没有"), site.source("sftp", path="/没有"))
    assert said(report, "failed").count("没有这个路径或文件") == 2
    assert len(site.webdav.moods.log) == 1


@pytest.mark.parametrize("kind", ["webdav", "https"])
def test_a_server_that_is_busy_for_a_moment_is_asked_again(site: Site, kind: str) -> None:
    put(site.root("webdav"), "a.xlsx", b"a")
    urls = {"urls": [f"{site.webdav.url}/{site.name}/a.xlsx"]} if kind == "https" else {}
    source = site.source(kind, **urls)
    site.webdav.moods.refuse = 3
    assert len(site.pull(source).arrived) == 1


def test_one_source_down_does_not_stop_the_others(
    site: Site, sti: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in site.environ.items():
        monkeypatch.setenv(name, value)
    put(site.root("folder"), "a.xlsx", b"a")
    site.write(
        site.source("sftp", name="down", port=1),
        site.source("webdav", name="no_password", password_env="STI_NOT_SET"),
        site.source("folder", name="own", path=str(site.home.root)),
        site.source("folder"),
    )
    result = sti("--home", site.home.root, "pull", "--json")
    assert result.exit_code == 1
    assert "Traceback" not in result.output
    lines = {line["source"]: line for line in json.loads(result.stdout)["lines"]}
    assert "试了 4 次" in lines["down"]["message"]
    assert "STI_NOT_SET" in lines["no_password"]["message"]
    assert "自己的数据目录" in lines["own"]["message"]
    assert lines["by_folder"]["state"] == "pulled"
    assert PASSWORD not in result.output + site.home.log.read_text()
    assert READER not in site.home.pulled.read_text()


def test_on_the_terminal_a_broken_server_is_a_line_and_no_traceback(site: Site) -> None:
    urls = [f"https://127.0.0.1:{site.sftp.port}/a.xlsx"]
    site.write(
        site.source("sftp", name="no_ssh", port=site.webdav.port, attempt_count=2),
        site.source("https", name="no_web", urls=urls, attempt_count=2),
    )
    command = [sys.executable, "-m", "orchestration", "--home", str(site.home.root), "pull"]
    ended = subprocess.run(command, env=os.environ | site.environ, capture_output=True, text=True)
    assert ended.returncode == 1
    assert ended.stderr.splitlines() == [f"2 处没有取成，其余照取；详情记在 {site.home.log}"]
    assert ended.stdout.count("试了 2 次") == 2


def test_the_command_says_what_it_did_and_exits_as_documented(site: Site, sti: Callable[..., Result]) -> None:
    ask = ("--home", site.home.root, "pull")
    assert sti(*ask).exit_code == 1
    put(site.root("folder"), "a.xlsx", b"a")
    site.write(site.source("folder"))
    before = picture_of(site.home.root)
    looked = sti(*ask, "--dry-run")
    assert (looked.exit_code, "a.xlsx" in looked.stdout) == (0, True)
    assert picture_of(site.home.root) == before
    assert sti(*ask, "--provider", "education_bureau").exit_code == 1
    assert sti(*ask, "--provider", "finance_bureau").exit_code == 0
    assert "没有新的来件" in sti(*ask).stdout
    put(site.root("folder"), "b.xlsx", b"too large")
    site.write(site.source("folder", largest_bytes=5))
    result = sti(*ask)
    assert result.exit_code == 2
    assert "b.xlsx" in result.stdout
    assert list(site.arrived().values()) == [b"a"]


@pytest.mark.parametrize("kind", ["folder", "sftp"])
def test_hostile_names_stay_outside_and_are_named(site: Site, kind: str, tmp_path: Path) -> None:
    root = site.root(kind)
    for name in ("行一\n行二.xlsx", "上\\..\\up.xlsx", "倒‮xslx.xlsx", "长" * 75 + ".xlsx"):
        put(root, name, b"hostile")
    put(root, "A.xlsx", b"upper")
    put(root, "a.xlsx", b"lower")
    put(root, "1/2/3/deep.xlsx", b"deep")
    (root / "loop").symlink_to(root)
    (root / "passwd.xlsx").symlink_to("/etc/passwd")
    outside = {p for p in tmp_path.rglob("*") if site.home.root not in p.parents}
    report = site.pull(site.source(kind, deepest_level=2))
    assert len(report.of("refused")) == 4
    assert all("\n" not in line.place + line.message and "‮" not in line.place for line in report.lines)
    notes = said(report, "note")
    assert all(word in notes for word in ("1/2/3：深于 2 层", "loop：是链接", "passwd.xlsx：是链接"))
    assert sorted(site.arrived().values()) == [b"lower", b"upper"]
    places = [str(path.relative_to(site.home.inbox)).casefold() for path in hand_ins(site.home.inbox)]
    assert len(set(places)) == 2
    assert {p for p in tmp_path.rglob("*") if site.home.root not in p.parents} - outside <= {site.home.root}


def test_a_pull_takes_no_more_files_than_it_may_and_the_rest_the_next_time(site: Site) -> None:
    for number in range(3):
        put(site.root("folder"), f"{number}.xlsx", bytes([number]))
    source = site.source("folder", most_file_count=2)
    report = site.pull(source)
    assert len(report.arrived) == 2
    assert "其余 1 个下次再取" in said(report, "note")
    site.pull(source)
    assert len(site.arrived()) == 3


def test_what_is_on_its_way_is_no_hand_in(site: Site) -> None:
    put(site.home.incoming / "by_sftp", "half.xlsx", b"half")
    assert hand_ins(site.home.inbox) == []


def test_a_listing_that_lies_about_a_place_is_refused(site: Site) -> None:
    (source,) = load_sources(site.write(site.source("folder")))
    remote = Remote(source, {}, 5, is_hand_in)

    class Lying:
        def where(self, path: str) -> Path:
            return Path(path)

        def ls(self, path: str, detail: bool) -> list[dict[str, object]]:
            places = ("/etc/x.xlsx", f"{path}/../../x.xlsx", f"{path}//x.xlsx")
            return [{"name": place, "type": "file", "size": 1} for place in places]

    remote._filesystem = Lying()
    listing = remote.list_files()
    assert (listing.files, len(listing.refused)) == ([], 3)
