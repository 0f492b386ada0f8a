"""The formulas and the way scores are put together agree with worked examples that others have published; each is cited."""

import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from tests.warehouse.test_scoring import rounded, seed
from warehouse.scoring.engine import Figure, Ranked, ScoredFigure, score
from warehouse.scoring.formulas import efficacy_five_grade, efficacy_linear
from warehouse.scoring.scheme import read_scheme

F = Fraction


def scored(
    table: dict[str, dict[str, dict[str, str]]],
    weights: dict[str, str],
    benchmarks: dict[tuple[str, str], dict[str, str]],
    **head: str,
) -> tuple[list[ScoredFigure], dict[str, Ranked]]:
    """Score a table of subject → indicator → dimension → value by a scheme of the example's own."""
    own = {"scheme_id": "s", "subject_type": "area"}
    cells = {(i, d) for indicators in table.values() for i, dimensions in indicators.items() for d in dimensions}
    dimensions = [{**own, "indicator_id": i, "dimension": d, **benchmarks.get((i, d), {})} for i, d in sorted(cells)]
    by = read_scheme(
        {**seed("scoring_scheme")[0], "scheme_id": "s", **head},
        [{**own, "indicator_id": indicator, "weight": weight} for indicator, weight in weights.items()],
        dimensions,
        [{**row, "scheme_id": "s"} for row in seed("scoring_policy")],
    )
    figures = [
        Figure("area", subject, i, d, F(value))
        for subject, indicators in table.items()
        for i, values in indicators.items()
        for d, value in values.items()
    ]
    ones, ranked = score(figures, by)
    return ones, {one.subject_key: one for one in ranked}


def levels(rows: dict[str, tuple[str, ...]], names: str) -> dict[str, dict[str, dict[str, str]]]:
    return {key: {i: {"level": v} for i, v in zip(names, values, strict=True)} for key, values in rows.items()}


def test_the_linear_formula_gives_the_result_of_the_statisticians_examination() -> None:
    # 统计专业技术资格考试的题库所载（考试级别、科目未核实）：工业总资产贡献率 5.81 %，满意值 12 %，
    # 不允许值 6 %；解析 (5.81 − 6) ÷ (12 − 6) × 40 + 60 = 58.73。题库收有此题，没有固定的网址
    assert rounded(efficacy_linear(F("5.81"), F(6), F(12))) == Decimal("58.73")


def test_two_regions_of_the_examination_come_to_their_published_composites() -> None:
    # 同一考试的案例题（表2-9、表2-10）：四项指标的满意值、不允许值、权数和两个地区的实际值；逐项功效系数和加权平均后的
    # 83.47、76.08 都在解析里。题库：https://app.ixiawen.com/question/26698109/9fedab9581f8001e612b27ca5859d74e.html
    table = levels({"甲": ("9.60", "120.67", "1.76", "34956.03"), "乙": ("6.92", "113.23", "1.59", "44551.24")}, "abcd")
    ends = {"a": ("6", "12"), "b": ("100", "150"), "c": ("1", "2"), "d": ("15000", "50000")}
    benchmarks = {
        (i, "level"): {"benchmark_method": "fixed", "unacceptable": worst, "satisfactory": best}
        for i, (worst, best) in ends.items()
    }
    ones, ranked = scored(table, {"a": "33", "b": "26", "c": "25", "d": "16"}, benchmarks)
    found = {key: [str(rounded(o.points or F(0))) for o in ones if o.figure.subject_key == key] for key in table}
    assert found == {"甲": ["84.00", "76.54", "90.40", "82.81"], "乙": ["66.13", "70.58", "83.60", "93.77"]}
    assert {key: str(rounded(one.total or F(0))) for key, one in ranked.items()} == {"甲": "83.47", "乙": "76.08"}
    assert {key: one.rank for key, one in ranked.items()} == {"甲": 1, "乙": 2}


def test_the_five_grade_formula_gives_the_result_of_the_accountants_example() -> None:
    # 按《中央企业综合绩效评价实施细则》（国务院国资委，国资发评价〔2006〕157号）的功效系数法：A 公司净资产收益率 8 %，权数 20，
    # 平均值 1.7 %（系数 0.6），良好值 9.5 %（系数 0.8）：12 + (8 − 1.7) ÷ (9.5 − 1.7) × (16 − 12) = 15.23。
    # 例题：https://ti.zuoweng.com/ti/mBk8KKKQ（较差、较低、优秀值不影响结果，题中未列，此处任取）
    assert rounded(efficacy_five_grade(F(8), F(20), F(-6), F(-2), F("1.7"), F("9.5"), F(14))) == Decimal("15.23")


FOUR_COMPANIES = {
    "甲": ("5733", "60.5", "91.5", "16.7"),
    "乙": ("3575", "52.2", "93.2", "7.3"),
    "丙": ("3929", "71.2", "84.9", "10.7"),
    "丁": ("4404", "69.7", "88.0", "12.8"),
}
"""全员劳动生产率、百元固定资产净产值、百元总产值销售收入、百元销售收入利税额。"""


def test_four_companies_come_to_their_published_composites_and_ranks_by_the_improved_method() -> None:
    # 《改进功效系数法举例》第 2 例：四个公司，组内最大最小为标准值，基础分 60、幅度 40，四项等权的几何平均；公布
    # 91.835、68.173、73.847、82.185，位次 1、4、3、2。https://777doc.com/doc-4138128.html
    # 例中逐项功效系数由四舍五入过的中间数算出（如丁 75.368，精确为 75.366），故总数允许差千分之二。
    ones, ranked = scored(levels(FOUR_COMPANIES, "abcd"), dict.fromkeys("abcd", "1"), {}, mean_method="geometric")
    wanted = {"甲": 91.835, "乙": 68.173, "丙": 73.847, "丁": 82.185}
    assert {key: float(one.total or 0) for key, one in ranked.items()} == pytest.approx(wanted, abs=0.002)
    assert {key: one.rank for key, one in ranked.items()} == {"甲": 1, "乙": 4, "丙": 3, "丁": 2}
    points = [float(o.points or 0) for o in ones if o.figure.subject_key == "丁"]
    assert points == pytest.approx([75.368, 96.844, 74.940, 83.404], abs=0.0025)
    for key, one in ranked.items():
        parts = [o.contribution or F(0) for o in ones if o.figure.subject_key == key]
        assert abs(sum(parts, F(0)) - (one.total or F(0))) < F(1, 10**20)


def test_the_geometric_mean_of_the_published_coefficients_is_the_published_composite() -> None:
    # 同一例中丁公司的最后一步：四项功效系数 75.368、96.844、74.940、83.404，几何平均 82.185。
    fixed = {"formula": "zero_based", "benchmark_method": "fixed", "unacceptable": "0", "satisfactory": "100"}
    table = levels({"丁": ("75.368", "96.844", "74.940", "83.404")}, "abcd")
    _, ranked = scored(
        table, dict.fromkeys("abcd", "0.25"), {(i, "level"): fixed for i in "abcd"}, mean_method="geometric"
    )
    assert rounded(ranked["丁"].total or F(0), "0.001") == Decimal("82.185")


def test_three_countries_come_to_their_published_human_development_index() -> None:
    # UNDP《人类发展报告》技术说明的计算例（德国、中国、莫桑比克），转载于 UNDP/SARDC, Mozambique National Human Development Report
    # 2000, Technical notes：http://www.sardc.net/HDev/MHDR2000/Eng/TechNotes/8.html。寿命 25—85 岁；识字率两份、入学率一份，
    # 均 0—100 %；人均生产总值取对数，100—40000 美元；三项等权的算术平均：0.906、0.701、0.331。
    countries = {
        "德国": (77.2, 99.0, 88.1, 21260),
        "中国": (69.8, 82.9, 68.9, 3130),
        "莫桑比克": (42.3, 39.5, 32.0, 740),
    }

    def log(value: float) -> str:
        return f"{math.log10(value):.15f}"

    table = {
        name: {"life": {"level": str(life)}, "school": {"level": str(literate), "share": str(enrolled)}, "income": {"level": log(gdp)}}
        for name, (life, literate, enrolled, gdp) in countries.items()
    }  # fmt: skip

    def between(worst: Any, best: Any, weight: str = "1") -> dict[str, str]:
        ends = {"unacceptable": str(worst), "satisfactory": str(best)}
        return {"benchmark_method": "fixed", "dimension_weight": weight, **ends}

    benchmarks = {
        ("life", "level"): between(25, 85),
        ("school", "level"): between(0, 100, "2"),
        ("school", "share"): between(0, 100),
        ("income", "level"): between(log(100), log(40000)),
    }
    ones, ranked = scored(table, dict.fromkeys(("life", "school", "income"), "1"), benchmarks, formula="zero_based")
    found = {key: str(rounded((one.total or F(0)) / 100, "0.001")) for key, one in ranked.items()}
    assert found == {"德国": "0.906", "中国": "0.701", "莫桑比克": "0.331"}
    points = {o.figure.subject_key: o.indicator_points or F(0) for o in ones if o.figure.indicator_id == "school"}
    assert {key: str(rounded(value / 100, "0.001")) for key, value in points.items()} == {
        "德国": "0.954",
        "中国": "0.782",
        "莫桑比克": "0.370",
    }
