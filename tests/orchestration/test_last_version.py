"""A new version is compared with the last one that was accepted: not with one that was sent back, and not with itself sent before."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.orchestration.city import FINANCE, PERIOD, City, explaining
from tests.workbooks import AREAS, finance_rows, gov_row, payment_row, write_return
from warehouse import layers
from warehouse.paths import Home

SUMMARY = "政府科技创新投入"
MOVED = "CMP-011"
"""The rule that a new version's total does not move much."""


@pytest.fixture
def city(tmp_path: Path) -> City:
    return City(tmp_path)


def hand_in(city: City, day: int, total: float, *, is_faulty: bool = False, said: str = "") -> None:
    """Hand in one version, whose ten areas have this total each, and judge it."""
    rows = {
        "finance_bureau__gov_input": [gov_row(area, total) for area in AREAS],
        "finance_bureau__gov_payment": [payment_row(1, 金额="约10" if is_faulty else 10)],
    }
    explained = explaining([(MOVED, SUMMARY, "", said, "张三")]) if said else None
    path = city.inbox / f"{day}.xlsx"
    write_return(path, FINANCE, finance_rows() | rows, reported_on=f"2026年7月{day}日", edit=explained)
    city.judge()


def compared(city: City) -> tuple[list[str], bool]:
    """What the version that counts is asked about beside another version, and whether it is said that there is none."""
    standing = [f for f in city.lines() if f["state"] != "已修改"]
    alone = any("上一版本" in f["message"] for f in standing if f["rule_id"] == "RD-095")
    return [f["expected"] for f in standing if f["rule_id"] == MOVED], alone


def test_a_version_is_compared_with_the_last_accepted_one_and_never_with_one_that_was_not(city: City) -> None:
    hand_in(city, 10, 5000)
    assert compared(city) == ([], False)
    city.accept()
    hand_in(city, 11, 9000, is_faulty=True)
    asked = "与上一版本 50000 万元 相差不超过 10%"
    assert compared(city) == ([asked], False)
    hand_in(city, 12, 9000)
    assert compared(city) == ([asked], False)
    # Sent again with an explanation, it is not its own measure: the question stays until somebody accepts the answer.
    hand_in(city, 13, 9000, said="更正了口径")
    assert compared(city) == ([asked], False)
    (open_one,) = city.open_ones()
    assert city.sti("decide", open_one["finding_id"], "--accept", "--by", "李四", "--reason", "好").exit_code == 0
    city.accept()
    city.judge()
    assert (compared(city), city.open_ones()) == (([asked], False), [])
    hand_in(city, 14, 9100)
    assert compared(city) == ([], False)


def test_a_kill_while_a_version_is_let_in_changes_nothing_of_what_it_is_compared_with(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand_in(city, 10, 5000)
    city.accept()
    hand_in(city, 11, 9000, said="更正了口径")
    asked = compared(city)
    assert len(asked[0]) == 1
    copied = layers.copy_atomically
    # Killed keeping the old version, then taking in the new one: at the third copy the record is gone, and the old one is not kept again.
    for survived in (0, 1, 2, 1):
        calls = iter(range(10))

        def killed(
            source: Path, path: Path, *, mode: int = 0o644, calls: Iterator[int] = calls, n: int = survived
        ) -> None:
            if next(calls) == n:
                raise KeyboardInterrupt
            copied(source, path, mode=mode)

        monkeypatch.setattr(layers, "copy_atomically", killed)
        with pytest.raises(KeyboardInterrupt):
            layers.accept(Home.at(city.home), FINANCE, PERIOD)
        monkeypatch.setattr(layers, "copy_atomically", copied)
        city.judge()
        assert compared(city) == asked
    layers.accept(Home.at(city.home), FINANCE, PERIOD)
    city.judge()
    assert compared(city) == asked


def test_after_versions_of_which_none_was_accepted_nothing_is_compared_and_that_is_said(city: City) -> None:
    hand_in(city, 10, 5000, is_faulty=True)
    assert compared(city) == ([], False)
    hand_in(city, 11, 9000)
    assert compared(city) == ([], True)
    city.accept()
    city.judge()
    assert compared(city) == ([], True)
