"""The journal of alerts: what was raised, what is over, and what was sent to whom; append-only, one JSON line each.

Raising is exact: under a lock, a thing that the journal has is not raised again, in whatever process. Sending is at least once: an attempt
is written down before it is made and its outcome after, so that a kill in between leads to one repetition, which bears the same number and
says that it may be one.
"""

import fcntl
import hashlib
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from orchestration.alerts.config import Channel, Retry
from orchestration.alerts.events import Event
from orchestration.submissions import MISSING, Submission
from warehouse.paths import Home, append_line, read_lines


class SenderBusy(RuntimeError):
    """Another process is sending."""


@dataclass
class Delivery:
    """One alert on its way through one channel."""

    entry: dict[str, Any]
    channel: str
    is_sent: bool = False
    sent_at: str = ""
    failure_count: int = 0
    refused_count: int = 0
    failed_at: str = ""
    reason: str = ""
    is_open: bool = False
    maybe_sent: bool = False
    next_at: datetime | None = None

    @property
    def is_repeat(self) -> bool:
        """Whether it may have been sent already: an attempt was made, and whether it got through was not seen or not written down."""
        return self.maybe_sent or self.is_open


@dataclass
class Account:
    """What the journal says, added up."""

    journal_id: str = ""
    known: set[str] = field(default_factory=set)
    entries: dict[str, dict[str, Any]] = field(default_factory=dict)
    standing: dict[str, dict[str, Any]] = field(default_factory=dict)
    episodes: dict[str, int] = field(default_factory=dict)
    deliveries: dict[tuple[str, str], Delivery] = field(default_factory=dict)
    channel_failures: dict[str, tuple[int, str]] = field(default_factory=dict)
    joined: dict[str, int] = field(default_factory=dict)


@contextmanager
def _held(home: Home, name: str, *, wait: bool) -> Iterator[None]:
    home.alerts.mkdir(parents=True, exist_ok=True)
    with (home.alerts / name).open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except OSError as error:
            raise SenderBusy("另一个进程正在发送提醒，这次不发；它会发完") from error
        yield


@contextmanager
def sending(home: Home) -> Iterator[None]:
    """Be the only sender of this home; the kernel frees the lock when the process dies.

    Raises:
        SenderBusy: another process is.
    """
    with _held(home, "send.lock", wait=False):
        yield


def account(home: Home) -> Account:
    """Add up the journal."""
    result = Account()
    for position, line in enumerate(read_lines(home.alerts_journal)):
        _add(result, position, line)
    return result


def note(home: Home, event: str, now: datetime, **values: Any) -> None:
    """Write one line about a delivery."""
    with _held(home, "journal.lock", wait=True):
        append_line(home.alerts_journal, {"event": event, "at": _at(now), **values})


def update(
    home: Home,
    events: Iterable[Event],
    returns: Mapping[tuple[str, str], Submission],
    channels: Iterable[Channel],
    now: datetime,
) -> list[dict[str, Any]]:
    """Raise what is new, end what is over, and return the lines written about it.

    At the very first time, what had happened before is noted as known and told to nobody, nor are returns still owed for a period that a later one
    has followed (``is_old``), now or when they come; whatever else stands open is told. A channel that is added
    later gets what comes after it. A reminder that ends because its deadline passed ends without a word: the overdue alert speaks.
    """
    found = {event.key: event for event in events}
    with _held(home, "journal.lock", wait=True):
        before = account(home)
        lines: list[dict[str, Any]] = []
        journal_id = before.journal_id or secrets.token_hex(8)
        is_first = not before.journal_id
        if is_first:
            known = [key for key, event in found.items() if not event.has_end]
            lines.append({"event": "started", "journal_id": journal_id, "known": known})
            before.known |= set(known)
        lines += [{"event": "joined", "channel": c.name} for c in channels if c.name not in before.joined]
        for key, standing in before.standing.items():
            if key not in found:
                lines.append(_ended(journal_id, standing, returns))
        for key, event in found.items():
            standing_now = before.standing.get(key)
            is_new_stage = standing_now is not None and standing_now["stage"] != event.stage
            if (event.has_end and (standing_now is None or is_new_stage)) or (
                not event.has_end and key not in before.known
            ):
                episode = before.episodes.get(key, 0)
                first = standing_now["first"] if standing_now else ""
                lines.append(_raised(journal_id, event, episode, first) | {"is_silent": is_first and event.is_old})
        for line in lines:
            append_line(home.alerts_journal, {**line, "at": _at(now)})
    return [line for line in lines if line["event"] in ("raised", "resolved")]


def outbox(found: Account, channels: Iterable[Channel], retry: Retry) -> list[Delivery]:
    """Return every delivery that the channels should have, sent or not, in the order of the alerts, with the time of its next attempt."""
    result = []
    for entry in found.entries.values():
        for channel in channels:
            told = found.entries[entry["last"]] if entry["event"] == "resolved" else entry
            has_joined = channel.name in found.joined and found.joined[channel.name] < told["position"]
            if entry["is_silent"] or not has_joined or not channel.wants(entry["kind"], entry["provider"]):
                continue
            delivery = found.deliveries.get((entry["alert_id"], channel.name)) or Delivery(entry, channel.name)
            if not delivery.is_sent:
                delivery.next_at = _next(delivery, found.channel_failures.get(channel.name), retry)
            result.append(delivery)
    return result


def _next(delivery: Delivery, channel_failure: tuple[int, str] | None, retry: Retry) -> datetime | None:
    times = [(delivery.refused_count, delivery.failed_at)] if delivery.refused_count else []
    times += [channel_failure] if channel_failure else []
    due = [datetime.fromisoformat(at) + timedelta(seconds=retry.wait_seconds(count)) for count, at in times]
    return max(due, default=None)


def _add(result: Account, position: int, line: dict[str, Any]) -> None:
    match line["event"]:
        case "started":
            result.journal_id = line["journal_id"]
            result.known |= set(line["known"])
        case "joined":
            result.joined.setdefault(line["channel"], position)
        case "raised":
            result.entries[line["alert_id"]] = line | {"position": position}
            result.known.add(line["key"])
            if line["has_end"]:
                result.standing[line["key"]] = line
        case "resolved":
            result.entries[line["alert_id"]] = line | {"position": position}
            result.standing.pop(line["key"], None)
            result.episodes[line["key"]] = result.episodes.get(line["key"], 0) + 1
        case "attempt" | "sent" | "failed" if line["alert_id"] in result.entries:
            _add_delivery(result, line)


def _add_delivery(result: Account, line: dict[str, Any]) -> None:
    key = (line["alert_id"], line["channel"])
    delivery = result.deliveries.setdefault(key, Delivery(result.entries[line["alert_id"]], line["channel"]))
    count, _ = result.channel_failures.get(line["channel"], (0, ""))
    if line["event"] == "attempt":
        delivery.maybe_sent = delivery.is_repeat
        delivery.is_open = True
        # Until its outcome stands below: what never comes back counts as a failure of the channel.
        result.channel_failures[line["channel"]] = (count + 1, line["at"])
        return
    if line["event"] == "sent":
        delivery.is_sent, delivery.sent_at, delivery.reason = True, line["at"], line["reason"]
        result.channel_failures.pop(line["channel"], None)
        return
    # The attempt has counted itself; what fails before any attempt (the server is not there) counts here.
    count += not delivery.is_open
    delivery.failure_count += 1
    delivery.is_open, delivery.maybe_sent = False, delivery.maybe_sent or line["is_unsure"]
    delivery.failed_at, delivery.reason = line["at"], line["reason"]
    if line["is_of_channel"]:
        result.channel_failures[line["channel"]] = (count, line["at"])
    else:
        delivery.refused_count += 1
        result.channel_failures.pop(line["channel"], None)


def _raised(journal_id: str, event: Event, episode: int, first: str) -> dict[str, Any]:
    alert_id = _number(journal_id, event.key, episode, event.stage, "raised")
    return {
        "event": "raised",
        "alert_id": alert_id,
        "kind": event.kind,
        "key": event.key,
        "stage": event.stage,
        "provider": event.provider,
        "facts": event.facts,
        "has_end": event.has_end,
        "is_silent": False,
        "first": first or alert_id,
        "of": first,
    }


def _ended(journal_id: str, standing: dict[str, Any], returns: Mapping[tuple[str, str], Submission]) -> dict[str, Any]:
    now = returns.get((standing["facts"]["period"], standing["provider"]))
    state = now.state if now else ""
    return {
        **{name: standing[name] for name in ("kind", "key", "stage", "provider")},
        "event": "resolved",
        "alert_id": _number(journal_id, standing["alert_id"], "resolved"),
        "facts": standing["facts"] | {"state": state},
        "is_silent": standing["is_silent"] or (standing["kind"] == "reminder" and state == MISSING),
        "of": standing["first"],
        "last": standing["alert_id"],
    }


def _number(*parts: object) -> str:
    return hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()[:16]


def _at(now: datetime) -> str:
    return now.astimezone(UTC).isoformat(timespec="milliseconds")
