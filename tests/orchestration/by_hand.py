"""The steps of an intake one by one, as a run takes them, so that a test can look in between."""

import shutil
from pathlib import Path

from expectations import findings as ledger
from orchestration.hand_ins import judge_slot, receive_all
from sources.finding import Finding
from warehouse import layers
from warehouse.paths import Home


def receive(home: Home, file: Path, period: str) -> None:
    """Put one file into the inbox and receive it."""
    home.inbox.mkdir(parents=True, exist_ok=True)
    shutil.copy(file, home.inbox)
    receive_all(home, home.inbox, period)


def judge(home: Home, provider: str, period: str) -> list[Finding]:
    """Judge a return by gate 1 and record it; admit it if nothing is open; return what is."""
    scope = f"gate1:{provider}"

    def settle(found: list[Finding]) -> list[Finding]:
        ledger.record(home.findings, period, scope, found)
        return ledger.blocking(home.findings, period, scope)

    judge_slot(home, provider, period, settle)
    open_ones = ledger.blocking(home.findings, period, scope)
    if not open_ones:
        layers.accept(home, provider, period)
    return open_ones
