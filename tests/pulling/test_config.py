"""``sources.yaml``: what is refused, and how it is said."""

from pathlib import Path

import pytest
import yaml

from sources.pulling.config import SourcesError, load_sources

SECRET = "hunter2-不能出现"
FOLDER = {"name": "a", "provider": "finance_bureau", "protocol": "folder", "path": "/srv/in"}
SFTP = {
    "name": "a", "provider": "finance_bureau", "protocol": "sftp", "host": "h", "path": "/in", "username": "u",
    "password_env": "STI_P", "known_hosts": "/etc/ssh/ssh_known_hosts",
}  # fmt: skip
WEBDAV = {"name": "a", "provider": "finance_bureau", "protocol": "webdav", "url": "https://h/dav"}


def refused(tmp_path: Path, *sources: object, text: str = "") -> str:
    path = tmp_path / "sources.yaml"
    path.write_text(text or yaml.safe_dump({"sources": list(sources)}, allow_unicode=True), encoding="utf-8")
    with pytest.raises(SourcesError) as error:
        load_sources(path)
    assert str(path) in str(error.value)
    assert SECRET not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    ("entry", "instead"),
    [
        (SFTP | {"password": SECRET}, "password_env"),
        (SFTP | {"Password": SECRET}, "password_env"),
        (SFTP | {"key_file": SECRET}, "key_file_env"),
        (SFTP | {"passphrase": SECRET}, "passphrase_env"),
        (WEBDAV | {"token": SECRET}, "password_env"),
        (FOLDER | {"protocol": "s3", "bucket": "b", "access_key_env": "A", "secret_key": SECRET}, "secret_key_env"),
        (SFTP | {"password_env": SECRET}, "环境变量的名称"),
        (WEBDAV | {"url": f"https://u:{SECRET}@h/dav"}, "password_env"),
        (WEBDAV | {"url": f"https://h/dav?sig={SECRET}"}, "?"),
    ],
)
def test_a_credential_in_the_file_is_refused_and_not_repeated(tmp_path: Path, entry: dict, instead: str) -> None:
    assert instead in refused(tmp_path, entry)


@pytest.mark.parametrize(
    ("entry", "field", "reason"),
    [
        ({k: v for k, v in SFTP.items() if k != "known_hosts"}, "（整个来源）", "不认识的服务器不连接"),
        (SFTP | {"fingerprints": ["MD5:aa"]}, "fingerprints", "SHA256"),
        (SFTP | {"path": "in"}, "path", "以 / 开头"),
        (SFTP | {"host": "sftp://h"}, "host", "只写主机名"),
        (WEBDAV | {"url": "http://h/dav"}, "url", "https://"),
        (WEBDAV | {"verify": False}, "verify", "不认识的项"),
        (FOLDER | {"provider": "财政局"}, "provider", "没有这个填报单位"),
        (FOLDER | {"path": "in"}, "path", "绝对路径"),
        (FOLDER | {"settle_seconds": 0}, "settle_seconds", "太小"),
        (FOLDER | {"attempt_count": "三"}, "attempt_count", "整数"),
        (FOLDER | {"ready": "now"}, "ready", "可选的值"),
        (FOLDER | {"protocol": "ftp"}, "（整个来源）", "protocol"),
        (WEBDAV | {"protocol": "https", "urls": []}, "urls", "不能是空的"),
        (7, "（整个来源）", "映射"),
    ],
)
def test_a_mistake_is_named_by_source_field_and_reason(tmp_path: Path, entry: object, field: str, reason: str) -> None:
    message = refused(tmp_path, FOLDER | {"name": "other"}, entry)
    assert "第 2 个来源" in message
    assert f"字段 {field}" in message
    assert reason in message


@pytest.mark.parametrize("text", ["sources: [", "", "a: 1", "sources: 5"])
def test_what_is_no_list_of_sources_is_refused(tmp_path: Path, text: str) -> None:
    assert refused(tmp_path, text=text or "\n")


def test_two_sources_of_one_name_are_refused(tmp_path: Path) -> None:
    assert "两个来源都叫 a" in refused(tmp_path, FOLDER, FOLDER)


def test_a_missing_file_says_where_to_begin(tmp_path: Path) -> None:
    with pytest.raises(SourcesError, match=r"sources.example.yaml"):
        load_sources(tmp_path / "sources.yaml")


def test_the_example_that_ships_shows_every_protocol_and_loads() -> None:
    path = Path(__file__).parents[2] / "sources" / "sources.example.yaml"
    assert {s.protocol for s in load_sources(path)} == {"folder", "sftp", "webdav", "s3", "https"}
