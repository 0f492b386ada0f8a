"""Pulling from an S3-compatible store: moto's own server over TLS, which checks signatures and permissions."""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.test import Client

from sources.pulling.config import SourcesError, load_sources
from tests.pulling.conftest import QUICK
from tests.pulling.servers import LOOPBACK, BreakingWire, tls_server
from tests.pulling.test_sources import said
from warehouse.archive import hand_ins
from warehouse.paths import Home
from warehouse.pull import PullReport, pull

BUCKET, REGION = "returns", "us-east-1"
NAME = "半年报 终稿/市财政局 #1_2026H1.xlsx"
READING = {"Effect": "Allow", "Action": ["s3:ListBucket", "s3:GetObject"], "Resource": "*"}
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}


@dataclass(frozen=True)
class Store:
    """The server: its log of method, path and range; a client that may do everything; the keys of a reader who may only read."""

    port: int
    ca_file: Path
    log: list[tuple[str, str, str]]
    owner: Any
    reader: dict[str, str]
    application: Any

    @contextmanager
    def open_to_all(self) -> Iterator[None]:
        """Check nobody for a while: moto computes signatures over decoded paths, and so knows no name beyond ASCII."""
        _check_after(self.application, "inf")
        try:
            yield
        finally:
            _check_after(self.application, "0")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    application = DomainDispatcherApplication(create_backend_app)
    log: list[tuple[str, str, str]] = []

    def logging(environ: dict[str, Any], start_response: Any) -> Any:
        log.append((environ["REQUEST_METHOD"], environ["PATH_INFO"], environ.get("HTTP_RANGE", "")))
        return application(environ, start_response)

    with tls_server(tmp_path_factory.mktemp("s3"), logging) as (port, ca_file):

        def client(service: str, key: str, secret: str) -> Any:
            return boto3.client(
                service,
                endpoint_url=f"https://{LOOPBACK}:{port}",
                region_name=REGION,
                aws_access_key_id=key,
                aws_secret_access_key=secret,
                verify=str(ca_file),
            )

        iam = client("iam", "anybody", "anybody")
        keys = {}
        for name, statement in (("owner", EVERYTHING), ("reader", READING)):
            iam.create_user(UserName=name)
            keys[name] = iam.create_access_key(UserName=name)["AccessKey"]
            policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
            iam.put_user_policy(UserName=name, PolicyName=name, PolicyDocument=policy)
        # From here on moto lets in only whom it knows, and to what he may do.
        _check_after(application, "0")
        owner = client("s3", keys["owner"]["AccessKeyId"], keys["owner"]["SecretAccessKey"])
        owner.create_bucket(Bucket=BUCKET)
        reader = {
            "STI_TEST_S3_KEY": keys["reader"]["AccessKeyId"],
            "STI_TEST_S3_SECRET": keys["reader"]["SecretAccessKey"],
        }
        yield Store(port, ca_file, log, owner, reader, application)


def _check_after(application: Any, request_count: str) -> None:
    answer = Client(application).post(f"http://{LOOPBACK}/moto-api/reset-auth", data=request_count.encode())
    assert answer.status_code == 200


@dataclass
class Shelf:
    """One test's own prefix in the bucket, and the home it pulls into."""

    store: Store
    home: Home
    prefix: str

    def put(self, name: str, content: bytes) -> None:
        self.store.owner.put_object(Bucket=BUCKET, Key=f"{self.prefix}/{name}", Body=content)

    def source(self, **changes: Any) -> dict[str, Any]:
        own = {
            "name": "by_s3",
            "provider": "finance_bureau",
            "protocol": "s3",
            "endpoint_url": f"https://{LOOPBACK}:{self.store.port}",
            "region": REGION,
            "bucket": BUCKET,
            "path": self.prefix,
            "access_key_env": "STI_TEST_S3_KEY",
            "secret_key_env": "STI_TEST_S3_SECRET",
            "ca_file": str(self.store.ca_file),
        }
        return QUICK | own | changes

    def write(self, source: dict[str, Any]) -> Path:
        self.home.root.mkdir(exist_ok=True)
        self.home.sources_file.write_text(json.dumps({"sources": [source]}, ensure_ascii=False), "utf-8")
        return self.home.sources_file

    def pull(self, source: dict[str, Any], environ: dict[str, str] | None = None) -> PullReport:
        """Pull, with a fresh log of what the server was asked."""
        self.store.log.clear()
        return pull(
            self.home,
            load_sources(self.write(source)),
            self.store.reader if environ is None else environ,
            wait=time.sleep,
        )

    def arrived(self) -> dict[str, bytes]:
        return {
            path.relative_to(self.home.inbox).as_posix().split("/", 2)[2]: path.read_bytes()
            for path in hand_ins(self.home.inbox)
        }

    def picture(self) -> list[tuple[str, str, object]]:
        """What the bucket holds: names, hashes, times; and uploads that were begun."""
        listed = self.store.owner.list_object_versions(Bucket=BUCKET)
        begun = self.store.owner.list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])
        found = [(v["Key"], v["ETag"], v["LastModified"]) for v in listed.get("Versions", [])]
        return found + [(u["Key"], u["UploadId"], None) for u in begun]


@pytest.fixture
def shelf(store: Store, tmp_path: Path, request: pytest.FixtureRequest) -> Shelf:
    return Shelf(store, Home(tmp_path / "home"), f"out/t{abs(hash(request.node.nodeid))}")


def test_what_lies_in_a_bucket_arrives_byte_for_byte_whatever_it_is_called(shelf: Shelf) -> None:
    content = os.urandom(2_500_000)
    with shelf.store.open_to_all():
        shelf.put(NAME, content)
        shelf.put("空.xlsx", b"")
        shelf.put("说明.pdf", b"no hand-in")
        report = shelf.pull(shelf.source())
    assert said(report, "failed", "refused") == ""
    assert shelf.arrived() == {f"by_s3/{NAME}": content, "by_s3/空.xlsx": b""}


def test_a_reader_who_may_only_list_and_get_suffices_and_nothing_else_is_asked(shelf: Shelf) -> None:
    shelf.put("a.xlsx", os.urandom(1_500_000))
    before = shelf.picture()
    report = shelf.pull(shelf.source())
    asked = list(shelf.store.log)
    assert len(report.arrived) == 1
    assert {method for method, _, _ in asked} <= {"GET", "HEAD"}
    assert shelf.picture() == before
    assert shelf.pull(shelf.source()).lines == []
    assert not [path for method, path, _ in shelf.store.log if path.endswith(".xlsx") and method == "GET"]


def test_a_wire_that_breaks_half_way_costs_only_what_was_missing(shelf: Shelf) -> None:
    content = os.urandom(3_000_000)
    shelf.put("a.xlsx", content)
    with BreakingWire(shelf.store.port, [2_300_000]) as wire:
        endpoint = f"https://{LOOPBACK}:{wire.port}"
        report = shelf.pull(shelf.source(endpoint_url=endpoint, timeout_seconds=2))
    assert said(report, "failed", "waiting") == ""
    assert list(shelf.arrived().values()) == [content]
    assert wire.connection_count > 1
    starts = [int(asked.removeprefix("bytes=").split("-")[0]) for _, _, asked in shelf.store.log if asked]
    # What had arrived before the break is not asked for again.
    assert starts.count(0) == 1


def test_an_upload_that_is_not_finished_is_not_seen(shelf: Shelf) -> None:
    key = f"{shelf.prefix}/a.xlsx"
    begun = shelf.store.owner.create_multipart_upload(Bucket=BUCKET, Key=key)["UploadId"]
    part = shelf.store.owner.upload_part(Bucket=BUCKET, Key=key, UploadId=begun, PartNumber=1, Body=b"half" * 1000)
    shelf.put("b.xlsx", b"whole, no marker yet")
    source = shelf.source(ready="ok_marker")
    assert "还没有 b.xlsx.ok" in said(shelf.pull(source), "waiting")
    assert shelf.arrived() == {}
    shelf.put("b.xlsx.ok", b"")
    assert len(shelf.pull(source).arrived) == 1
    parts = {"Parts": [{"ETag": part["ETag"], "PartNumber": 1}]}
    shelf.store.owner.complete_multipart_upload(Bucket=BUCKET, Key=key, UploadId=begun, MultipartUpload=parts)
    shelf.put("a.xlsx.ok", b"")
    shelf.pull(source)
    assert sorted(shelf.arrived().values()) == [b"half" * 1000, b"whole, no marker yet"]


def test_a_version_comes_once_and_a_changed_one_is_kept_beside_it(shelf: Shelf) -> None:
    shelf.put("a.xlsx", b"first")
    assert len(shelf.pull(shelf.source()).arrived) == 1
    shelf.put("a.xlsx", b"other")
    assert len(shelf.pull(shelf.source()).arrived) == 1
    assert [path.read_bytes() for path in hand_ins(shelf.home.inbox)] == [b"first", b"other"]


@pytest.mark.parametrize("wrong", ["STI_TEST_S3_KEY", "STI_TEST_S3_SECRET"])
def test_wrong_keys_are_said_in_one_plain_line_and_not_tried_again(shelf: Shelf, wrong: str) -> None:
    shelf.put("a.xlsx", b"a")
    report = shelf.pull(shelf.source(), shelf.store.reader | {wrong: "AKIAWRONGWRONGWRONG0"})
    (line,) = report.of("failed")
    assert "口令或密钥" in line.message
    assert "\n" not in line.message
    assert not any(secret in line.message for secret in shelf.store.reader.values())
    assert len(shelf.store.log) == 1
    assert shelf.arrived() == {}


def test_keys_come_from_the_environment_that_the_pull_is_given_and_from_nowhere_else(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", shelf.store.reader["STI_TEST_S3_KEY"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", shelf.store.reader["STI_TEST_S3_SECRET"])
    shelf.put("a.xlsx", b"a")
    report = shelf.pull(shelf.source(), {})
    assert "缺少环境变量 STI_TEST_S3_KEY、STI_TEST_S3_SECRET" in said(report, "failed")
    assert shelf.store.log == []
    with pytest.raises(SourcesError, match="secret_key_env"):
        load_sources(shelf.write(shelf.source(secret_key="written into the file")))


def test_a_missing_bucket_and_a_certificate_that_nobody_signed_are_told_apart(shelf: Shelf) -> None:
    assert "没有这个路径或文件" in said(shelf.pull(shelf.source(bucket="nowhere")), "failed")
    assert "证书校验不通过" in said(shelf.pull(shelf.source(ca_file=None)), "failed")
    assert shelf.store.log == []
