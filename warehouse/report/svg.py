"""What every picture has in common: the SVG frame, in the viewer's own Chinese fonts, on white; it needs nothing from outside."""

from collections.abc import Iterable

FONTS = "Noto Sans CJK SC, Microsoft YaHei, SimSun, sans-serif"


def svg_picture(width: int, height: int, parts: Iterable[str]) -> str:
    """Return SVG elements, the later over the earlier, as one picture of so many pixels."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'font-family="{FONTS}"><rect width="{width}" height="{height}" fill="white"/>{"".join(parts)}</svg>'
    )
