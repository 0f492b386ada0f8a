"""The workbooks of 附件2: the document's layout, every published figure in it, each bureau's own and nobody else's, gaps told apart."""

import re
import shutil
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from html import unescape
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import openpyxl
import pyarrow.parquet as pq
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from tests.conftest import ACCEPT, SAMPLES, run_sti
from tests.orchestration.expected import published
from warehouse.paths import Home
from warehouse.report.annex2 import write_annex2
from warehouse.report.annual import NoSuchYear, read_annual

YEAR = 2025
OWN = {
    "市财政局": ("finance_bureau", ()),
    "市统计局": ("statistics_bureau", ()),
    "市教育局": ("education_bureau", ("university",)),
    "市科技局": ("science_bureau", ("institute",)),
    "市卫生健康委": ("health_commission", ("hospital",)),
}
KINDS = {"area": "地区", "university": "高校", "institute": "科研机构", "hospital": "医疗卫生机构"}
OFFICE = "市委科技办"
COLUMNS = {"level": (5, 6), "share": (7, 8), "growth": (9, 10)}
"""Where value and rank of each dimension stand in a row of the sheet 附件2, from 0."""

Key = tuple[str, str, str]


def path_of(home: Path, who: str, period: str = "2025") -> Path:
    return home / "reports" / period / (f"附件2_{period}.xlsx" if who == OFFICE else f"附件2_{period}_{who}.xlsx")


def rows_of(sheet: Worksheet) -> dict[Key, tuple[Any, ...]]:
    """The rows of the sheet 附件2 by (group, indicator, subject); every row names its indicator, wherever a page breaks."""
    rows: dict[Key, tuple[Any, ...]] = {}
    group = ""
    for row in sheet.iter_rows(values_only=True):
        if re.match("[一二三四五]、", str(row[0])):
            group = str(row[0])
        elif group and row[4]:
            rows[group, str(row[1]), str(row[4])] = row
    return rows


def half_up(value: Decimal | None, unit: str) -> Decimal | None:
    places = Decimal("0.1") if unit == "%" else Decimal("0.01")
    return None if value is None else value.quantize(places, rounding=ROUND_HALF_UP)


def figures(home: Path, where: str = "true") -> list[tuple[Any, ...]]:
    return published(
        home,
        "select annex_group, indicator_name, case subject_type when 'sector' then subject_name || '整体' else subject_name end, "
        "dimension, value, unit, rank, indicator_score_points, data_year, subject_type in ('city', 'sector') "
        f"from mart_annual_evaluation where year = {YEAR} and {where}",
    )


def compare(home: Path, who: str, where: str) -> int:
    rows = rows_of(openpyxl.load_workbook(path_of(home, who))["附件2"])
    wanted = figures(home, where)
    for group, indicator, subject, dimension, value, unit, rank, points, data_year, is_whole in wanted:
        row = rows[group, indicator, subject]
        at = (who, indicator, subject, dimension)
        value_at, rank_at = COLUMNS[dimension]
        if value is not None:
            assert Decimal(str(row[value_at])) == half_up(value, unit), at
        else:
            assert isinstance(row[value_at], str) and row[value_at], at
        assert row[rank_at] == ("／" if is_whole else rank if rank else "—"), at
        assert row[12] == data_year, at
        assert row[11] == "不打分" if is_whole else Decimal(str(row[11])) == half_up(points, "分"), at
    assert rows.keys() == {tuple(row[:3]) for row in wanted}
    return len(wanted)


def test_the_offices_workbook_holds_every_published_figure_with_its_year_rank_and_points(annual_home: Path) -> None:
    assert compare(annual_home, OFFICE, "true") > 350


@pytest.mark.parametrize("who", OWN)
def test_a_bureaus_workbook_holds_all_of_its_own_figures_and_no_others(annual_home: Path, who: str) -> None:
    assert compare(annual_home, who, f"provider = '{OWN[who][0]}'") >= 8


def test_the_sheet_follows_the_documents_layout(annual_home: Path) -> None:
    sheet = openpyxl.load_workbook(path_of(annual_home, OFFICE))["附件2"]
    column = [str(row[0]) for row in sheet.iter_rows(values_only=True) if row[0]]
    groups = [text for text in column if re.match("[一二三四五]、", text)]
    assert groups == [
        "一、地方政府",
        "二、企业投入（纳入地方政府研判）",
        "三、高校",
        "四、科研机构",
        "五、医疗卫生机构",
    ]
    assert column[0] == "附件2" and column[1] == "科技创新投入年度研判体系（2025年）"
    assert [text for text in column if re.fullmatch(r"\d", text)] == [*"1234", *"12", *"12", *"12", *"12"]
    headings = next(row for row in sheet.iter_rows(values_only=True) if row[0] == "序号")
    assert (headings[1], headings[2], headings[3], headings[13]) == ("指标名", "单位", "评价规则", "备注")
    names = list(dict.fromkeys(row[1] for row in sheet.iter_rows(values_only=True) if row[1] and row[4]))
    assert names[1:3] == ["政府科技创新投入", "其中：科研平台投入"]
    basis = {row[1]: row[13] for row in sheet.iter_rows(values_only=True) if row[1] and row[13]}
    assert (basis["政府科技创新投入"], basis["全社会研究与试验发展经费支出"]) == ("采用当年数据", "采用上年度数据")
    assert any("功效系数法测算" in str(row[3]) for row in sheet.iter_rows(values_only=True))
    for note in ("注：1.市委科技办对县", "2.市教育局、市科技局", "注：部分数据因四舍五入的原因"):
        assert any(text.startswith(note) for text in column), note


def test_ranking_and_explanation_give_the_published_composites_and_what_they_are_made_of(annual_home: Path) -> None:
    book = openpyxl.load_workbook(path_of(annual_home, OFFICE))
    kind, found = "", {}
    for row in book["综合得分"].iter_rows(min_row=3, values_only=True):
        kind = row[0] if row[0] and not row[1] else kind
        if isinstance(row[0], int):
            found[kind, row[1]] = row
    ranking = published(
        annual_home,
        "select subject_type, subject_name, total_points, rank, rank_low, rank_high, base_total_points, base_rank "
        f"from mart_annual_ranking where year = {YEAR}",
    )
    for kind, name, total, rank, best, worst, base, base_rank in ranking:
        row = found[KINDS[kind], name]
        assert best is None or best <= worst, name
        assert (row[0], row[3], row[4], row[6]) == (rank, best or "—", worst or "—", base_rank or "—"), name
        assert Decimal(str(row[2])) == half_up(total, "分"), name
        assert Decimal(str(row[5])) == half_up(base, "分"), name
    sheet = book["得分说明"]
    formulas = {
        text[2]: text for (text, *_) in sheet.iter_rows(max_row=6, values_only=True) if str(text).startswith("公式")
    }
    explained = [row for row in sheet.iter_rows(values_only=True) if row[3] in ("总量", "占比", "增速")]
    [(count,)] = published(
        annual_home,
        f"select count(*) from mart_annual_evaluation where year = {YEAR} and subject_type not in ('city', 'sector')",
    )
    assert len(explained) == count
    for row in explained:
        # Where a whole group lies within the places that are shown, they cannot be told apart there.
        if not isinstance(row[10], int | float) or row[7] == row[8]:
            continue
        # The formula as it stands there, on the figures as they stand there, gives the points as they stand there.
        base, span = re.search(r"线性：(\d+)＋(\d+)×\(x－x_s\)÷\(x_h－x_s\)", formulas[row[9]]).groups()
        again = float(base) + float(span) * (row[6] - row[7]) / (row[8] - row[7])
        assert abs(again - row[10]) < 0.011 + 0.01 / abs(row[8] - row[7]), row
    composite: dict[tuple[str, str], float] = {}
    for row in explained:
        composite[row[0], row[1]] = composite.get((row[0], row[1]), 0) + (
            row[13] if isinstance(row[13], int | float) else 0
        )
    assert sorted(found) == sorted(composite)
    assert all(abs(points - found[at][2]) < 0.2 for at, points in composite.items())


def test_provisional_points_say_so_in_every_heading_title_and_picture(annual_home: Path) -> None:
    for who in (OFFICE, *OWN):
        book = openpyxl.load_workbook(path_of(annual_home, who))
        # The progress to the targets has no points.
        for sheet in (each for each in book.worksheets if not each.title.startswith("目标进度")):
            lines = [str(row[0]) for row in sheet.iter_rows(max_row=4, values_only=True) if row[0]]
            assert any("暂定（演示）" in line for line in lines), (who, sheet.title)
            bare = {cell.value for row in sheet.iter_rows(max_row=8) for cell in row} & {"得分", "综合得分", "贡献"}
            # 上年 得分 stands under its own heading.
            assert bare <= ({"得分"} if sheet.title == "综合得分" else set()), (who, sheet.title)
    pictures = sorted((annual_home / "reports" / "2025").glob("得分构成_2025_*.svg"))
    assert len(pictures) == 4
    for picture in pictures:
        text = picture.read_text(encoding="utf-8")
        assert "（暂定，演示）" in text and "Noto Sans CJK SC" in text
        assert not re.search(r"(href|src|url)\s*[=(]", text)


@cache
def everything_in(path: Path) -> str:
    """All text of a workbook: cells, hidden ones too, chart caches, names, document properties."""
    with ZipFile(path) as archive:
        return unescape("\n".join(archive.read(name).decode("utf-8", errors="replace") for name in archive.namelist()))


@pytest.mark.parametrize("who", [OFFICE, *OWN])
def test_no_workbook_holds_anything_of_an_enterprise_or_of_another_bureaus_units(annual_home: Path, who: str) -> None:
    text = everything_in(path_of(annual_home, who))
    units = published(
        annual_home,
        f"select distinct subject_type, subject_key, subject_name from mart_annual_evaluation where year = {YEAR} "
        "and subject_type in ('university', 'institute', 'hospital')",
    )
    kinds = ("university", "institute", "hospital") if who == OFFICE else OWN[who][1]
    own = {word for kind, *words in units if kind in kinds for word in words}
    others = {word for kind, *words in units if kind not in kinds for word in words} - own
    enterprises = pq.read_table(
        annual_home / "accepted" / "statistics_bureau__enterprise_rd" / "2025" / "rows.parquet",
        columns=["enterprise_code", "enterprise_name"],
    ).to_pylist()
    firms = {str(value) for row in enterprises for value in row.values()} - own
    assert len(firms) > 300 and (len(others) > 10 or who == OFFICE)
    assert [word for word in others | firms if word in text] == []
    # What is its own is there: the scan can see names.
    assert all(name in text for kind, _, name in units if kind in kinds)


def test_the_same_figures_make_the_same_bytes(annual_home: Path, tmp_path: Path) -> None:
    shutil.copytree(annual_home / "published", tmp_path / "published")
    for path in write_annex2(Home.at(tmp_path), read_annual(Home.at(tmp_path), "2025")):
        assert path.read_bytes() == (annual_home / "reports" / "2025" / path.name).read_bytes(), path.name


@pytest.mark.parametrize(("period", "told"), [("2025H2", "不是年度"), ("2026", "sti run 2026")])
def test_a_period_without_an_evaluation_has_no_workbook_and_says_why(annual_home: Path, period: str, told: str) -> None:
    with pytest.raises(NoSuchYear, match=told):
        write_annex2(Home.at(annual_home), read_annual(Home.at(annual_home), period))
    assert not path_of(annual_home, OFFICE, period).exists()


def test_sheets_are_set_up_for_paper_and_every_chart_has_its_table(annual_home: Path) -> None:
    for who in (OFFICE, *OWN):
        book = openpyxl.load_workbook(path_of(annual_home, who))
        wanted = ["附件2", "综合得分", "得分说明"] if who == OFFICE or OWN[who][1] else ["附件2", "得分说明"]
        assert book.sheetnames[: len(wanted)] == wanted
        for sheet in book.worksheets:
            assert (sheet.page_setup.orientation, sheet.page_setup.paperSize) == ("landscape", 9)
            assert sheet.sheet_properties.pageSetUpPr.fitToPage and sheet.page_setup.fitToWidth == 1
            assert sheet.freeze_panes and sheet.print_title_rows and sheet.sheet_state == "visible"
        charts = [sheet for sheet in book.worksheets if sheet._charts]
        assert [sheet.title for sheet in charts] == [
            name for name in book.sheetnames if name.startswith(("得分构成", "目标进度图"))
        ]
        assert len(charts) == (5 if who == OFFICE else len(OWN[who][1]))


def respelled(path: Path, sheet: str, heading: str, spellings: dict[str, str | None]) -> None:
    """Put other spellings into a column of a hand-in, by the name that begins a row or stands second in it."""
    book = openpyxl.load_workbook(path)
    at = next(c for row in book[sheet].iter_rows() for c in row if "".join(str(c.value).split()) == heading)
    for row in book[sheet].iter_rows(min_row=at.row + 1):
        name = next((str(cell.value) for cell in row[:2] if cell.value in spellings), None)
        if name:
            book[sheet].cell(row[0].row, at.column).value = spellings.pop(name)
    assert not spellings
    book.save(path)


def test_a_bureau_that_sent_nothing_is_said_to_be_missing_and_is_never_a_zero_and_nil_blank_and_tiny_differ(
    tmp_path: Path,
) -> None:
    home, inbox, missing = tmp_path / "home", tmp_path / "inbox", "市卫生健康委"
    shutil.copytree(SAMPLES / "2024", inbox, ignore=shutil.ignore_patterns(f"{missing}*"))
    rd = "研究与试验发展经费支出"
    spelt = {"示例大学甲": "-", "示例大学乙": "…", "示例大学丁": None}
    respelled(inbox / "市教育局_2024.xlsx", "科技活动费用", rd, spelt)
    respelled(inbox / "市统计局_2024.xlsx", "全社会研发与生产总值", rd, {"海宁市": None})
    respelled(inbox / "市统计局_2024.xlsx", "全社会研发与生产总值", "地区生产总值", {"桐乡市": "-"})
    decision = ("decide-missing", missing, "2024", "--by", "李明", "--reason", "系统故障，下月补报")
    assert run_sti("--home", home, *decision).exit_code == 0
    done = run_sti("--home", home, "run", "2024", "--inbox", inbox, *ACCEPT)
    assert done.exit_code == 0, done.stderr
    assert f"附件2：{path_of(home, OFFICE, '2024')}" in done.stdout
    book = openpyxl.load_workbook(path_of(home, OFFICE, "2024"))
    rows = rows_of(book["附件2"])
    hospitals = {key: row for key, row in rows.items() if key[0] == "五、医疗卫生机构"}
    assert {key[2] for key in hospitals} == {"医疗卫生机构整体"}
    assert {row[at] for row in hospitals.values() for at in (5, 9)} == {"缺报"}
    # Nothing removed, so no total to take a share of; but the amounts themselves stand.
    total = rows["一、地方政府", "政府科技创新投入", "南湖区"]
    assert isinstance(total[5], int | float) and total[7] == "分母缺数" and total[9] == "上年缺数"
    assert rows["三、高校", "科技活动费用", "示例大学甲"][5] > 0
    shown = {name: rows["三、高校", rd, name][5] for name in ("示例大学甲", "示例大学乙", "示例大学丁")}
    assert shown == {"示例大学甲": "无", "示例大学乙": "…", "示例大学丁": "未填"}
    assert rows["三、高校", rd, "示例大学丁"][11] == "不计分" and "缺数" in rows["三、高校", rd, "示例大学丁"][14]
    area_rd, intensity = "全社会研究与试验发展经费支出", "全社会研究与试验发展经费支出占GDP比重"
    assert [rows["一、地方政府", area_rd, name][5] for name in ("海宁市", "全市")] == ["未填", "缺数"]
    assert [rows["一、地方政府", intensity, name][5] for name in ("海宁市", "桐乡市")] == ["缺数", "缺数"]
    # Seven areas' ratio is not the city's: no target is judged by it.
    ratio = "select value, state from mart_target_progress where target_id = 'rd_intensity_2027' and period = '2024'"
    assert published(home, ratio) == [(None, "缺数")]
    notes = [str(row[0]) for row in book["附件2"].iter_rows(values_only=True) if row[0]]
    assert any(note.startswith(f"缺报：{missing}。") for note in notes)
    assert any(row[1] == f"{missing}缺报，没有得分" for row in book["综合得分"].iter_rows(values_only=True))
    own = rows_of(openpyxl.load_workbook(path_of(home, missing, "2024"))["附件2"])
    assert {(key[2], row[5]) for key, row in own.items()} == {("医疗卫生机构整体", "缺报")}
    assert sorted(path.name for path in (home / "reports" / "2024").glob("得分构成_*.svg")) == [
        f"得分构成_2024_{kind}.svg" for kind in sorted(("地区", "高校", "科研机构"))
    ]
    # The city's total cannot be judged against its target, what the others reported can.
    targets = {row[1]: row for row in book["目标进度"].iter_rows(min_row=4, values_only=True) if row[2] == "全市"}
    total, of_finance = (targets[name] for name in ("2027年全市科技创新投入", "2027年政府科技创新投入"))
    assert (total[5], total[14]) == (None, "缺报")
    assert of_finance[5] is not None
