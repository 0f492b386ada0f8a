"""Whose return a workbook is: provider, period and cadence, from the lines above the headings; a file name is only a hint."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from sources.contracts import CADENCE_LABELS, Cadence, Provider, Table, providers
from sources.finding import Finding
from sources.grids import Sheet
from sources.layout import HEAD_ROWS, find_headings, info_line
from sources.reading_rules import breach
from sources.reference import periods
from sources.text import label_of
from sources.values import number_of

_HALF = re.compile(r"(\d{4})年(?:上半年|1月?[-—–~～至到]6月)")
_WHOLE = re.compile(r"(\d{4})年(?:全年|度|1月?[-—–~～至到]12月)")
_PERIOD_ANYWHERE = re.compile(
    r"(?<!\d)(20\d\d)(?:年?(上半年|1月?[-—–~～至到]6月)|年?(全年|1月?[-—–~～至到]12月|下半年)|年|H([12])(?!\d))",
    re.IGNORECASE,
)
EXPLANATION_SHEET = "核实说明"


@dataclass(frozen=True)
class Identity:
    """Provider, period key and cadence of one workbook, as far as they could be told, and what was wrong or assumed."""

    provider: Provider | None
    period: str
    cadence: Cadence | None
    findings: list[Finding] = field(default_factory=list)


def parse_period(text: str, cadence: Cadence | None) -> str | None:
    """Return the period key of a 报告期 such as 2026年上半年, 2026年1-6月, 2026年全年; None where it is not one.

    A whole year is ``2026H2`` on a half-year form and ``2026`` on an annual one.
    """
    text = label_of(text)
    half = _HALF.fullmatch(text)
    if half:
        return f"{half.group(1)}H1"
    whole = _WHOLE.fullmatch(text)
    if whole and cadence:
        return f"{whole.group(1)}H2" if cadence == "half_year" else whole.group(1)
    return None


def headings_of(table: Table) -> list[str]:
    """Return every heading and alias that the table's sheet may bear."""
    return [heading for column in table.columns for heading in (column.heading, *column.aliases)]


def identify(path: Path, sha256: str, sheets: list[Sheet], asked_period: str | None = None) -> Identity:
    """Tell provider, period and cadence from the sheets' own lines.

    Args:
        path: the file, for the findings' file name.
        sha256: of its bytes.
        sheets: the workbook's sheets (their first rows are enough).
        asked_period: the period that the run asks for; decides the cadence only where the workbook leaves it open.
    """
    infos = [(sheet, info_line(sheet.grid, _heading_row(sheet))) for sheet in sheets]
    where = {"file_name": path.name, "file_sha256": sha256}
    said: dict[str, dict[str, str]] = {label: {} for label in ("填报单位", "报告期", "报表类别")}
    for sheet, info in infos:
        for label, values in said.items():
            for value, _ in info.get(label, []):
                values.setdefault(value, sheet.name)
    conflicts = [
        breach(
            "RD-004",
            f"各工作表的“{label}”不一致：" + "、".join(f"{sheet}填的是“{value}”" for value, sheet in values.items()),
            subject=label,
            found="、".join(values),
            **where,
        )
        for label, values in said.items()
        if len({_comparable(label, value) for value in values}) > 1
    ]
    if any("年报" in kind and "半" not in kind for kind in said["报表类别"]) and any(
        _HALF.fullmatch(p) for p in said["报告期"]
    ):
        message = "报告期是上半年，报表类别却是年报"
        conflicts.append(breach("RD-004", message, subject="报表类别", found="、".join(said["报表类别"]), **where))
    provider = _provider(list(said["填报单位"]), sheets)
    names = [label_of(sheet.name) for sheet in sheets]
    for sheet in sheets:
        if provider and names.count(label_of(sheet.name)) > 1 and names.index(label_of(sheet.name)) != sheet.index:
            message = f"工作表“{sheet.name}”有两张同名的，不知道以哪张为准"
            conflicts.append(
                breach(
                    "RD-025",
                    message,
                    provider=provider.provider,
                    sheet=sheet.name,
                    subject=sheet.name,
                    found=sheet.name,
                    **where,
                )
            )
    if provider is None:
        found = "、".join(said["填报单位"]) or "空白"
        message = f"认不出填报单位（表内写的是“{found}”），不知道这是谁的报表"
        return Identity(
            None, "", None, [breach("RD-002", message, subject="填报单位", found=found, **where), *conflicts]
        )
    period_text = next(iter(said["报告期"]), "")
    cadence, assumed = _cadence(provider, said["报表类别"], period_text, sheets, asked_period)
    period = parse_period(period_text, cadence)
    findings = list(conflicts)
    if period is None or period not in periods():
        message = f"报告期“{period_text or '空白'}”认不出，或不在日历内"
        findings.append(
            breach(
                "RD-003", message, provider=provider.provider, subject="报告期", found=period_text or "空白", **where
            )
        )
        return Identity(provider, "", cadence, findings)
    findings += [
        breach(
            "RD-029",
            f"{place}写着“{other}”，报告期却是“{period_text}”，按报告期归入 {period}",
            provider=provider.provider,
            period=period,
            subject=f"报告期/{place}",
            found=f"{other}、{period_text}",
            **where,
        )
        for place, other in _other_periods(path, sheets, period)
    ]
    if assumed:
        message = f"全年数没有写报表类别，按{CADENCE_LABELS[cadence]}读取（{period}）"
        findings.append(
            breach(
                "RD-018", message, provider=provider.provider, period=period, subject="报表类别", found="空白", **where
            )
        )
    return Identity(provider, period, cadence, findings)


def _other_periods(path: Path, sheets: list[Sheet], period: str) -> list[tuple[str, str]]:
    """Return where a title or the file's name speaks of no period but others, as (place, words): an old file under a new name, or the reverse.

    A title that names the right period too, as one that compares does, is in order.
    """
    year, half = periods()[period].year, periods()[period].half
    titles = [
        (f"工作表“{sheet.name}”的标题", label_of(value))
        for sheet in sheets
        for row in sheet.grid[: _heading_row(sheet) - 1]
        for value in row
        if isinstance(value, str) and ":" not in label_of(value)
    ]
    found = []
    for place, text in [("文件名", label_of(path.stem)), *titles]:
        said = list(_PERIOD_ANYWHERE.finditer(text))
        if said and not any(_is_of(match, year, half) for match in said):
            found.append((place, "、".join(match.group() for match in said)))
    return found


def _is_of(said: re.Match[str], year: int, half: int | None) -> bool:
    """Whether words speak of a period, or leave open which part of its year they mean."""
    first, whole, numbered = bool(said.group(2)), bool(said.group(3)), said.group(4)
    part = 1 if first or numbered == "1" else 2 if whole or numbered == "2" else None
    return int(said.group(1)) == year and part in (None, half or 2)


def looks_like(sheet: Sheet, sender: Provider) -> Table | None:
    """Return the table, the sender's own first, that a sheet under another name has most headings of and figures for.

    None where it has fewer than half of any table's headings, or no number below them.
    """
    best: tuple[float, Table] | None = None
    for provider in (sender, *providers().values()):
        for table in provider.tables.values():
            headings = find_headings(sheet.grid, headings_of(table))
            share = len(headings.columns) / len(table.columns) if headings else 0
            below = sheet.grid[headings.row_number :] if headings and share >= 0.5 else ()
            has_figures = any(number_of(value) is not None for row in below for value in row)
            if has_figures and (best is None or share > best[0]):
                best = (share, table)
    return best[1] if best else None


def _heading_row(sheet: Sheet) -> int:
    """Return the row number of the sheet's headings, whatever table it is; the info lines stand above it."""
    for provider in providers().values():
        for table in provider.tables.values():
            if label_of(table.sheet) == label_of(sheet.name):
                headings = find_headings(sheet.grid, headings_of(table))
                # Of two heading rows the upper one is no info line either way: it holds no label with a colon and a value.
                if headings:
                    return headings.row_number
    return min(len(sheet.grid), HEAD_ROWS) + 1 if label_of(sheet.name) == EXPLANATION_SHEET else 1


def _comparable(label: str, value: str) -> str:
    return (parse_period(value, "year") or value) if label == "报告期" else value


def _provider(names: list[str], sheets: list[Sheet]) -> Provider | None:
    for name in names:
        for provider in providers().values():
            if name in {label_of(known) for known in (provider.label, *provider.aliases)}:
                return provider
    if names:
        return None
    # Without 填报单位, sheets that only one provider sends still tell whose return it is.
    present = {label_of(sheet.name) for sheet in sheets}
    fitting = [p for p in providers().values() if present & {label_of(t.sheet) for t in p.tables.values()}]
    return fitting[0] if len(fitting) == 1 else None


def _cadence(
    provider: Provider, kinds: dict[str, str], period_text: str, sheets: list[Sheet], asked_period: str | None
) -> tuple[Cadence, bool]:
    """Return the cadence, and whether it had to be assumed: by 报告期, 报表类别, then by what only one of the two forms has."""
    if _HALF.fullmatch(label_of(period_text)):
        return "half_year", False
    for cadence, label in CADENCE_LABELS.items():
        if any(label[:2] in kind for kind in kinds):
            return cadence, False
    both = provider.tables_of("half_year"), provider.tables_of("year")
    if both[0] and not both[1]:
        return "half_year", False
    if both[1] and not both[0]:
        return "year", False
    marks = [
        (table, {label_of(c.heading) for c in table.columns if c.cadence == ("year",)}, table.cadence == ("year",))
        for table in provider.tables.values()
    ]
    for table, headings, whole_sheet in marks:
        for sheet in sheets:
            if label_of(sheet.name) == label_of(table.sheet):
                if whole_sheet:
                    return "year", False
                if headings & {label_of(value) for row in sheet.grid[:HEAD_ROWS] for value in row}:
                    return "year", False
    if any(headings or whole_sheet for _, headings, whole_sheet in marks):
        return "half_year", False
    asked = periods().get(asked_period or "")
    return ("year" if asked and asked.kind == "year" else "half_year"), True
