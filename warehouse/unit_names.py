"""The unit register of one home: the units as last published, and the aliases that named persons have confirmed."""

from dataclasses import dataclass
from datetime import UTC, datetime

from sources.identifiers import code_fault
from sources.text import code_of, label_of
from sources.unit_register import UnitRegister, register_of
from warehouse.paths import Home, append_line, read_lines
from warehouse.query import connect


class AliasError(ValueError):
    """An alias that may not be confirmed or revoked; the message says why."""


@dataclass(frozen=True)
class Alias:
    """A name that means the unit with this code, as a named person has confirmed; ``revoked_by`` is empty while it holds."""

    name: str
    code: str
    confirmed_by: str
    reason: str
    confirmed_at: str
    revoked_by: str = ""


def unit_register(home: Home) -> UnitRegister:
    """Return the register: the performers of the published ``dim_unit`` and every alias in force; empty before the first publication."""
    pairs = [(alias.code, alias.name) for alias in aliases(home) if not alias.revoked_by]
    return register_of([*published_units(home), *pairs])


def published_units(home: Home) -> list[tuple[str, str]]:
    """Return (code, name) of every performer in the published warehouse."""
    if not home.published.exists():
        return []
    with connect(home) as connection:
        return connection.execute(
            "select distinct unit_code, unit_name from dim_unit where unit_name is not null order by all"
        ).fetchall()


def aliases(home: Home) -> list[Alias]:
    """Return every alias in order of confirmation, revoked ones too."""
    found: dict[tuple[str, str], Alias] = {}
    for line in read_lines(home.unit_aliases):
        key = (label_of(line["name"]), line["code"])
        if line["event"] == "confirmed":
            found.pop(key, None)
            found[key] = Alias(line["name"], line["code"], line["by"], line["reason"], line["at"])
        elif key in found:
            held = found[key]
            found[key] = Alias(held.name, held.code, held.confirmed_by, held.reason, held.confirmed_at, line["by"])
    return [*found.values()]


def confirm_alias(home: Home, name: str, code: str, by: str, reason: str) -> Alias:
    """Record that a name means the unit with this code.

    Raises:
        AliasError: no name, person or reason; an invalid code; or the name already means another unit.
    """
    name, code, by, reason = name.strip(), code_of(code), by.strip(), reason.strip()
    if not (label_of(name) and by and reason):
        raise AliasError("别名须写明名称、确认人和理由")
    fault = code_fault(code)
    if fault:
        raise AliasError(f"统一社会信用代码 {code} {fault}")
    others = [other for other in unit_register(home).codes_of(name) if other != code]
    if others:
        raise AliasError(f"“{name}”已是 {'、'.join(others)} 的名称；确有改变的，请先 sti unalias")
    if code in unit_register(home).codes_of(name):
        raise AliasError(f"“{name}”已是 {code} 的名称，不必再登记")
    at = _now()
    append_line(
        home.unit_aliases, {"event": "confirmed", "name": name, "code": code, "by": by, "reason": reason, "at": at}
    )
    return Alias(name, code, by, reason, at)


def revoke_alias(home: Home, name: str, by: str, reason: str) -> Alias:
    """Record that an alias no longer holds.

    Raises:
        AliasError: no such alias in force, or no person or reason.
    """
    if not (by.strip() and reason.strip()):
        raise AliasError("撤销别名须写明姓名和理由")
    held = next((a for a in aliases(home) if label_of(a.name) == label_of(name) and not a.revoked_by), None)
    if held is None:
        raise AliasError(f"没有在用的别名“{name}”；sti units 列出全部")
    line = {"event": "revoked", "name": held.name, "code": held.code, "by": by.strip(), "reason": reason.strip()}
    append_line(home.unit_aliases, line | {"at": _now()})
    return Alias(held.name, held.code, held.confirmed_by, held.reason, held.confirmed_at, by.strip())


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
