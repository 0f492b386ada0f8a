"""Outside figures (level 5): public figures that results are held against, each with source, bounds and validity.

The program's own rows are `OUTSIDE_FIGURES`; a home adds its own city's by a file of the same name and form. What somebody wrote by hand is
read strictly: a row that would be passed over or compared in another unit would look like a check that was met.
"""

import csv
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from sources.reference import SEEDS_DIR

OUTSIDE_FIGURES = Path(__file__).parent / "outside_figures.csv"
HALVES = ("1", "2", "year")
OF_A_YEAR = {"gdp": "万元", "rd_intensity": "%"}
"""What a year's return is held against (RDG-008, RDG-009), and its unit; of a half-year the indicators of annex 1, in 万元 (MON-021)."""


class OutsideFigureError(ValueError):
    """A file of outside figures is wrong; the message names the file, the row, what was found and what was expected."""


def outside_figures(home: Path | None, seeds: Path = SEEDS_DIR) -> list[dict[str, Any]]:
    """Return the rows of the program's file and the home's, if it has one.

    Raises:
        OutsideFigureError: a row is wrong, or two of them hold for one figure at one time.
    """
    known = {
        "area_key": {row["area_key"] for row in _plain(seeds / "area.csv")},
        "indicator_id": {row["indicator_id"] for row in _plain(seeds / "indicator.csv")},
    }
    own = home / OUTSIDE_FIGURES.name if home else None
    rows: list[dict[str, Any]] = []
    places: list[str] = []
    for path in (OUTSIDE_FIGURES, *((own,) if own and own.exists() else ())):
        for number, row in enumerate(_plain(path), 2):
            place = f"{path} 第 {number} 行"
            one = _read(row, known, place)
            for other, there in zip(rows, places, strict=True):
                if _overlap(one, other):
                    raise OutsideFigureError(
                        f"{place}：与 {there} 是同一个数、同一段时间；请只留一行，或写清 valid_from、valid_to"
                    )
            rows.append(one)
            places.append(place)
    return rows


def _plain(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restkey="", restval="", strict=True)
            rows = [{name: str(value).strip() for name, value in row.items()} for row in reader]
            names = reader.fieldnames or []
    except (UnicodeDecodeError, csv.Error) as error:
        raise OutsideFigureError(f"{path}：不是 UTF-8 的 CSV 文件（{error}）；请另存为“CSV UTF-8”") from error
    if path.name == OUTSIDE_FIGURES.name and path != OUTSIDE_FIGURES:
        with OUTSIDE_FIGURES.open(encoding="utf-8") as file:
            wanted = file.readline().strip().split(",")
        if list(names) != wanted:
            raise OutsideFigureError(f"{path} 第 1 行：列是 {','.join(names) or '（空）'}；应为 {','.join(wanted)}")
    return rows


def _read(row: dict[str, str], known: dict[str, set[str]], place: str) -> dict[str, Any]:
    def wrong(name: str, expected: str) -> OutsideFigureError:
        return OutsideFigureError(f"{place} {name}：“{row[name]}”；应为{expected}")

    if "" in row:
        raise OutsideFigureError(f"{place}：比表头多出“{row['']}”；数字不要写千分位，文字里有逗号的加引号")
    if row["half"] not in HALVES:
        raise wrong("half", f" {'、'.join(HALVES)} 之一（上半年、下半年、年报）")
    units = OF_A_YEAR if row["half"] == "year" else dict.fromkeys(known["indicator_id"], "万元")
    if row["indicator_id"] not in units:
        raise wrong("indicator_id", f" {'、'.join(sorted(units))} 之一")
    if row["unit"] != units[row["indicator_id"]]:
        raise wrong("unit", f"{units[row['indicator_id']]}（数也照这个单位写）")
    areas = {"330400"} if row["half"] == "year" else known["area_key"]
    if row["area_key"] not in areas:
        raise wrong("area_key", "全市 330400" if row["half"] == "year" else "地区参数表（area.csv）里的代码")
    for name in ("figure_name", "source"):
        if not row[name]:
            raise wrong(name, "文字（哪个数、出自哪里），对照时照写")
    values: dict[str, Any] = {**row, "valid_to": None}
    for name in ("figure", "low_times", "high_times"):
        try:
            values[name] = Decimal(row[name])
        except InvalidOperation:
            raise wrong(name, "一个大于 0 的数，不是公式、不带千分位和单位") from None
        if not values[name].is_finite() or not 0 < values[name] < 10**12:
            raise wrong(name, "一个大于 0 的数")
    if values["low_times"] >= values["high_times"]:
        raise wrong("low_times", f"小于 high_times（{row['high_times']}）的数")
    for name in ("valid_from", *(("valid_to",) if row["valid_to"] else ())):
        try:
            values[name] = date.fromisoformat(row[name])
        except ValueError:
            raise wrong(name, "日期，如 2025-12-31") from None
    if values["valid_to"] and values["valid_to"] < values["valid_from"]:
        raise wrong("valid_to", f"不早于 valid_from（{row['valid_from']}）的日期，或空白")
    return values


def _overlap(one: dict[str, Any], other: dict[str, Any]) -> bool:
    if any(one[name] != other[name] for name in ("indicator_id", "area_key", "half")):
        return False
    first, second = sorted((one, other), key=lambda row: row["valid_from"])
    return first["valid_to"] is None or first["valid_to"] >= second["valid_from"]
