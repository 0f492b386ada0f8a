"""The one place where figures are rounded: 四舍五入, once, at output."""

from decimal import ROUND_HALF_UP, Decimal


def rounded(value: Decimal | float | None, places: int) -> Decimal | None:
    """Round half up (四舍五入). A float is rounded by its shortest text, not its binary tail."""
    if value is None:
        return None
    return Decimal(str(value)).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
