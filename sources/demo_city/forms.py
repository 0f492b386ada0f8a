"""The forms as design/forms.md prints them: sheet names, headings, and what kind of cell stands below each heading.

Written out here a second time on purpose, not taken from ``sources/providers``: a slip in a contract must not be able
to repeat itself in the workbooks that try it.
"""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "number", "code", "area", "flag", "date", "money", "amount"]
"""``money`` may be nil or blank, ``amount`` is always a number."""


@dataclass(frozen=True, slots=True)
class Form:
    """One sheet: its name, the title above it, its (heading, kind) pairs as printed, and whether 合计 must be there."""

    sheet: str
    title: str
    columns: tuple[tuple[str, Kind], ...]
    needs_total: bool = False


def _columns(**headings: str) -> tuple[tuple[str, Kind], ...]:
    """Return pairs from ``kind_n="heading heading"`` groups, in the order given."""
    return tuple((name, kind.split("_")[0]) for kind, names in headings.items() for name in names.split())  # type: ignore[misc]


GOV_INPUT = Form(
    "政府科技创新投入",
    "嘉兴市政府科技创新投入情况表",
    _columns(
        area="地区",
        amount="政府科技创新投入合计",
        money="一般公共预算 政府性基金预算（不含专项债） 国有资本经营预算 其中：科研平台投入 其中：人才引育投入"
        " 其中：概念验证中心、中试平台投入 其中：科技企业孵化器投入 附项：专项债 附项：国企平台 附项：产业基金"
        " 财政科学技术支出 一般公共预算支出 财政经常性收入",
    ),
    needs_total=True,
)
GOV_PAYMENT = Form(
    "拨付明细",
    "政府科技创新投入拨付明细表",
    _columns(
        text="凭证号",
        area="地区",
        text_2="预算类型 投入类别 资金渠道 项目编号 项目名称 收款单位",
        code="收款单位统一社会信用代码",
        date="拨付日期",
        amount="金额",
        text_3="附项类别",
    ),
)
ENTERPRISE_RD = Form(
    "规上企业研发费用",
    "规模以上企业研究开发费用情况表",
    _columns(
        code="统一社会信用代码",
        text="单位名称",
        area="地区",
        text_2="行业代码 规上类别",
        flag="国有控股 高新技术企业",
        money="营业收入",
        amount="研究开发费用合计",
        money_2="委托外部研究开发费用 委托境内研究机构 委托境内高等学校 委托境内企业 委托境外机构 来自政府部门的资金",
    ),
)
CONTRACT = Form(
    "委托研发明细",
    "规模以上企业委托研究开发明细表",
    _columns(
        text="合同编号",
        code="委托单位统一社会信用代码",
        text_2="委托单位",
        code_2="受托单位统一社会信用代码",
        text_3="受托单位",
        date="入账日期",
        amount="金额",
    ),
)
_UNIT_COLUMNS = _columns(
    code="统一社会信用代码",
    text="单位名称",
    area="地区",
    code_2="上级单位统一社会信用代码",
    flag="已含在上级单位数据中",
    amount="科技活动费用合计",
    money="中央财政直拨 省级财政直拨 市县财政资金 上级转移支付资金 规上企业委托（市内） 其他企业委托（市内）"
    " 企业委托（市外） 境外资金 成果转化收入 其他单位转拨 自筹及其他 转拨外单位",
)
UNIT = Form("科技活动费用", "科技活动费用情况表", _UNIT_COLUMNS)
HOSPITAL = Form("科技活动费用", "科技活动费用情况表", _UNIT_COLUMNS + _columns(flag="三级甲等 纳入研发统计"))
_ANNUAL_COLUMNS = _columns(amount="研究与试验发展经费支出", number="数据年度")
UNIT_ANNUAL = Form(UNIT.sheet, UNIT.title, UNIT.columns + _ANNUAL_COLUMNS)
HOSPITAL_ANNUAL = Form(HOSPITAL.sheet, HOSPITAL.title, HOSPITAL.columns + _ANNUAL_COLUMNS)
INFLOW = Form(
    "经费来源明细",
    "科技经费来源明细表",
    _columns(
        number="序号",
        code="单位统一社会信用代码",
        text="资金性质 资金渠道 出资单位",
        code_2="出资单位统一社会信用代码",
        text_2="项目编号 合同编号",
        date="到账日期",
        amount="金额",
        code_3="最终来源单位统一社会信用代码",
        text_3="最终来源渠道",
    ),
)
OUTFLOW = Form(
    "转拨明细",
    "科技经费转拨明细表",
    _columns(
        number="序号",
        code="单位统一社会信用代码",
        text="收款单位",
        code_2="收款单位统一社会信用代码",
        text_2="项目编号 合同编号",
        date="转拨日期",
        amount="金额",
    ),
)
RD_GDP = Form(
    "全社会研发与生产总值",
    "全社会研究与试验发展经费及地区生产总值",
    _columns(
        area="地区",
        number="数据年度",
        amount="研究与试验发展经费支出",
        money="其中：规上企业 其中：高校 其中：科研机构 其中：医疗卫生机构 地区生产总值",
    ),
)
COMMITMENT = Form(
    "任务指标",
    "实施方案任务指标完成情况表",
    _columns(text="条款 任务指标 计量单位", number="目标值 完成值", text_2="责任单位 备注"),
)
EXPLANATION = Form("核实说明", "核实性审核说明表", _columns(text="规则编号 工作表 单元格 说明 说明人"))

PROVIDERS = {
    "finance_bureau": ("市财政局", "万元"),
    "statistics_bureau": ("市统计局", "千元"),
    "education_bureau": ("市教育局", "万元"),
    "science_bureau": ("市科技局", "万元"),
    "health_commission": ("市卫生健康委", "元"),
}
"""Label and 计量单位 of each provider of half-year returns."""

ANNUAL_PROVIDERS = {**PROVIDERS, "sti_office": ("市委科技办", "万元")}
"""The same of annual returns."""

WITHOUT_UNIT = (COMMITMENT, EXPLANATION)
"""Sheets without a 计量单位 line."""
