"""Where every return stands now: what the calendar asks for, beside what the archive, gate 1 and the ledger know of it."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime

from expectations import findings as ledger
from orchestration.blocking import submission_scope
from orchestration.gate import asked_of, gate_scope
from sources.calendar import Calendar, Deadline, cadence_of, calendar, in_calendar_order, owing
from sources.contracts import Provider, Table
from sources.finding import place_count
from sources.reference import periods
from warehouse import archive, layers
from warehouse.paths import Home

NOT_DUE, MISSING, UNJUDGED = "未到期", "缺报", "已报未审"
RETURNED, AWAITING, IN_REVIEW, ADMITTED = "退回", "待说明", "待审定", "已准入"
AGREED_MISSING = ledger.MISSING_AGREED
STATES = (MISSING, RETURNED, AWAITING, IN_REVIEW, UNJUDGED, AGREED_MISSING, NOT_DUE, ADMITTED)
"""Every state of a return, the one that needs somebody most first."""


@dataclass(frozen=True)
class OwedTable:
    """One table that a return owes; open findings are its own, those of the workbook as a whole are not among them."""

    table: Table
    deadline: Deadline
    mandatory_count: int
    query_count: int


@dataclass(frozen=True)
class Submission:
    """One provider's return for one period, as it stands on ``today``.

    ``is_owed``: the calendar asks for the period; an earlier one is history, and nobody is late with it. ``version_count`` 0: nothing was
    received. ``received_at``: the latest version. ``late_days_count``: days (自然日) by which the first
    version came after the deadline, or by which it is overdue; 0 in time. ``days_left`` and ``working_days_left``: until the deadline
    (negative after it), of what is still to be sent, corrected or explained; None otherwise. ``mandatory_count`` and ``query_count``:
    places of open findings of gate 1, and of gate 2 of those that this provider is asked about; ``asked_count`` of the latter alone.
    """

    period: str
    provider: Provider
    deadline: Deadline
    opens_on: date
    today: date
    is_owed: bool
    state: str
    version_count: int
    receipt_no: str
    first_received_at: datetime | None
    received_at: datetime | None
    late_days_count: int
    days_left: int | None
    working_days_left: int | None
    mandatory_count: int
    query_count: int
    asked_count: int
    tables: tuple[OwedTable, ...]

    @property
    def is_asked_only(self) -> bool:
        """Whether all that is open is what gate 2 asks: no deadline of the return's is missed by that."""
        return self.state == AWAITING and self.asked_count == self.query_count

    @property
    def is_overdue(self) -> bool:
        """Whether the deadline has passed with nothing received."""
        return self.is_owed and self.state == MISSING

    @property
    def remaining(self) -> str:
        """What is left until the deadline, or how late it is, in words."""
        if not self.is_owed:
            return "历史，不催报" if self.state == MISSING else ""
        if self.state == AGREED_MISSING:
            return f"逾期 {self.late_days_count} 天" if self.late_days_count else ""
        if self.is_asked_only:
            return f"第二道关卡问到 {self.asked_count} 条"
        if self.days_left is None:
            return f"迟报 {self.late_days_count} 天" if self.late_days_count else ""
        if self.is_overdue:
            return f"逾期 {self.late_days_count} 天"
        if self.days_left < 0:
            # What is still to be done; by how much the first version was late is `late_days_count`, told again once all is done.
            return f"期限已过 {-self.days_left} 天"
        if self.today < self.opens_on:
            return f"{self.opens_on} 开报"
        return f"还有 {self.working_days_left} 个工作日（{self.days_left} 天）" if self.days_left else "今天截止"


def local_today(now: datetime | None = None) -> date:
    """Return the day it is in Jiaxing."""
    return (now or datetime.now(UTC)).astimezone(ledger.SHANGHAI).date()


def periods_in_play(home: Home, today: date, rules: Calendar | None = None) -> list[str]:
    """Return the periods that a board shows unasked: those that are asked for by now, and those that anything was received for."""
    received = {r.period for r in archive.receipts(home) if r.period in periods()}
    return in_calendar_order([*(rules or calendar()).owed(today), *received])


def submissions(
    home: Home, wanted: list[str], now: datetime | None = None, rules: Calendar | None = None
) -> list[Submission]:
    """Return every return that the wanted periods ask for, by period as wanted and then in the order of annex 1."""
    rules, today = rules or calendar(), local_today(now)
    received: dict[tuple[str, str], list[archive.Receipt]] = {}
    for receipt in archive.receipts(home):
        received.setdefault((receipt.provider, receipt.period), []).append(receipt)
    accepted = layers.accepted_periods(home)
    result = []
    for period in wanted:
        states = ledger.states(home.findings, period)
        standing = [s for s in states if s.is_blocking]
        agreed = {s.scope for s in states if s.state == AGREED_MISSING}
        for provider in owing(period):
            versions = received.get((provider.provider, period), [])
            mine = [s for s in standing if s.scope == gate_scope(provider.provider)]
            mine += [s for s in asked_of(standing, provider.provider) if s.finding.rule_class == "query"]
            is_accepted = provider.provider in accepted.get(period, set())
            is_agreed = submission_scope(provider.provider) in agreed
            result.append(_submission(home, rules, period, provider, versions, mine, is_accepted, is_agreed, today))
    return result


def _submission(
    home: Home,
    rules: Calendar,
    period: str,
    provider: Provider,
    versions: list[archive.Receipt],
    open_ones: list[ledger.FindingState],
    is_accepted: bool,
    is_agreed: bool,
    today: date,
) -> Submission:
    due = rules.deadline(period, provider.provider)
    counts: Counter[tuple[str, str]] = Counter()
    for one in open_ones:
        counts[one.finding.table_id, one.finding.rule_class] += one.finding.stands_for_count
    mandatory = sum(n for (_, rule_class), n in counts.items() if rule_class == "mandatory")
    query = sum(counts.values()) - mandatory
    state = MISSING if today > due.due_on else NOT_DUE
    if is_agreed:
        state = AGREED_MISSING
    if versions:
        record = layers.gate_record(home, provider.provider, period)
        is_judged = record is not None and record["version_count"] >= len(versions)
        explained = place_count(s.finding for s in open_ones if s.state == ledger.EXPLAINED)
        state = _state_of_judged(mandatory, query, explained, is_accepted) if is_judged else UNJUDGED
    arrivals = [datetime.fromisoformat(receipt.received_at) for receipt in versions]
    came_on = local_today(arrivals[0]) if arrivals else today
    is_owed = rules.is_owed(period)
    asked = place_count(one.finding for one in open_ones if one.finding.asks)
    is_to_do = (
        is_owed and state in (NOT_DUE, MISSING, RETURNED, AWAITING) and not (state == AWAITING and asked == query)
    )
    return Submission(
        period=period,
        provider=provider,
        deadline=due,
        opens_on=rules.opens_on(period),
        today=today,
        is_owed=is_owed,
        state=state,
        version_count=len(versions),
        receipt_no=versions[-1].receipt_no if versions else "",
        first_received_at=arrivals[0] if arrivals else None,
        received_at=arrivals[-1] if arrivals else None,
        late_days_count=max((came_on - due.due_on).days, 0) if is_owed else 0,
        days_left=(due.due_on - today).days if is_to_do else None,
        working_days_left=rules.working_days.between(today, due.due_on) if is_to_do else None,
        mandatory_count=mandatory,
        query_count=query,
        asked_count=asked,
        tables=tuple(
            OwedTable(
                table,
                rules.deadline(period, table_id=table.table_id),
                counts[table.table_id, "mandatory"],
                counts[table.table_id, "query"],
            )
            for table in _owed_tables(home, provider, period)
        ),
    )


def _state_of_judged(mandatory: int, query: int, explained: int, is_accepted: bool) -> str:
    if mandatory:
        return RETURNED
    if query:
        return AWAITING if explained < query else IN_REVIEW
    return ADMITTED if is_accepted else UNJUDGED


def _owed_tables(home: Home, provider: Provider, period: str) -> list[Table]:
    """Return the tables of a return; where one was sent instead of others, that one, else the others."""
    tables = provider.tables_of(cadence_of(period))
    sent = layers.judged_files(home, provider.provider, period)
    left_out: set[str] = set()
    for table in tables:
        if table.instead_of:
            is_used = table.table_id in sent and not sent.keys() & set(table.instead_of)
            left_out |= set(table.instead_of) if is_used else {table.table_id}
    return [table for table in tables if table.table_id not in left_out]
