"""The fixed list of states, and the reasons why something is not there, with the words that people read."""

REACHED, MISSED, ON_TRACK, BEHIND = "reached", "missed", "on_track", "behind"
UNDECIDABLE, NO_DATA, NOT_RECEIVED = "undecidable", "no_data", "not_received"

STATES = {
    REACHED: "已达到",
    MISSED: "未达到",
    ON_TRACK: "进度正常",
    BEHIND: "进度滞后",
    UNDECIDABLE: "不可判定",
    NO_DATA: "缺数",
    NOT_RECEIVED: "缺报",
}
"""State of a target by its code; defined in ``docs/targets.md``."""

NOTES = {
    "not_received": "数源单位没有报送",
    "not_yet_eliminated": "五类主体没有收齐，不能剔除重复",
    "value_missing": "没有这个数",
    "not_reported": "单元格没有填",
    "part_missing": "有地区或单位没有填报，全市不能相加",
    "partly_reported": "有地区没有填",
    "no_row": "任务指标表里没有这一行",
    "several_rows": "任务指标表里有几行，不知道以哪行为准",
    "unit_differs": "计量单位与实施方案不同，不能比",
    "no_target": "没有填目标值",
    "unit_data_withheld": "单位数据不出局，分地区汇总表里没有这一项",
    "confidential": "单位太少或过于集中，按统计法不对外",
    "no_units": "没有这一类单位",
    "denominator_missing": "分母缺数",
    "denominator_not_positive": "分母不大于 0",
    "data_years_differ": "分子、分母不是同一年度的数",
    "base_missing": "没有上年同期的数，算不出增速",
    "base_not_positive": "上年同期不大于 0，算不出增速",
    "basis_changed": "与上年同期口径不同，不能比",
    "reached": "已达到",
    "past": "目标年已过",
    "each_period": "逐期判断，没有目标年",
    "value_not_positive": "现值不大于 0",
    "too_few_years_for_value": "连续、同口径的年数不够，不作预计",
    "too_few_years_for_interval": "连续、同口径的年数不够，只按现有增速外推，不给区间",
    "not_credible": "外推的数大得没有意义",
    "reported_target_lower": "任务指标表里的目标值低于实施方案，按实施方案判断",
    "reported_target_higher": "任务指标表里的目标值高于实施方案，按实施方案判断",
    "not_in_plan": "实施方案里没有这一项，按任务指标表的目标值判断",
}
"""Reasons by code."""

COMPARED = "compare_"
"""Before a reason that concerns the growth that is compared with, not the target's own."""

STATE_OF_NOTE = {
    "not_received": NOT_RECEIVED,
    "not_yet_eliminated": NOT_RECEIVED,
    "value_missing": NO_DATA,
    "not_reported": NO_DATA,
    "part_missing": NO_DATA,
    "no_row": NO_DATA,
    "no_target": NO_DATA,
    "denominator_missing": NO_DATA,
}
"""The state of a target without a value, by the reason; any other reason makes it undecidable."""


def text_of(note: str) -> str:
    """Return a reason in words."""
    if note.startswith(COMPARED):
        return f"对照的增速：{NOTES[note.removeprefix(COMPARED)]}"
    return NOTES[note]
