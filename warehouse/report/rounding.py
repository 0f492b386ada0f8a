"""The one place where figures are rounded: 四舍五入, once, at output."""

from decimal import ROUND_HALF_UP, Decimal

ROUNDING_NOTE = "注：部分数据因四舍五入的原因，存在总计与分项合计不等的情况。"
"""The note of every sheet with rounded figures."""


def rounded(value: Decimal | float | None, places: int) -> Decimal | None:
    """Round half up (四舍五入). A float is rounded by its shortest text, not its binary tail."""
    if value is None:
        return None
    return Decimal(str(value)).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
