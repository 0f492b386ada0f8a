"""附件2 科技创新投入年度研判体系: the workbook of 市委科技办, and one for each bureau with its own units or indicators only.

Which indicator is whose is data (``annual_indicator.provider``, for sectors ``sector.provider``). No workbook holds anything of single
enterprises: the figures are those of ``mart_annual_evaluation``, which has none.
"""

from collections.abc import Iterable
from pathlib import Path

from openpyxl import Workbook

from sources.contracts import providers
from sources.reference import subject_providers
from sources.spreadsheet import workbook_bytes
from warehouse.paths import Home, write_atomically
from warehouse.report.annex1 import OFFICE
from warehouse.report.annex2_scores import fill_explanation_sheet, fill_ranking_sheet
from warehouse.report.annex2_sheet import fill_annex2_sheet
from warehouse.report.annual import SCORED, SUBJECT_LABELS, Annual
from warehouse.report.contributions import Contributions, contributions, contributions_svg, fill_contribution_sheet
from warehouse.report.target_sheet import fill_target_chart_sheet, fill_target_sheet, has_chart
from warehouse.report.targets import TargetRow, target_rows


def annex2_path(home: Home, period: str, provider: str = "") -> Path:
    """Return where a year's workbook lies: of 市委科技办, or of one bureau."""
    who = f"_{providers()[provider].label}" if provider else ""
    return home.reports / period / f"附件2_{period}{who}.xlsx"


def write_annex2(home: Home, annual: Annual) -> list[Path]:
    """Write ``reports/<period>/附件2_<period>.xlsx``, one workbook per bureau beside it, and the pictures of the scores; return all paths.

    What an earlier run wrote and this one has no figures for any more is taken away.

    Raises:
        NothingPublished: nothing was published yet.
    """
    period = str(annual.year)
    paths = [_write(annex2_path(home, period), annual, OFFICE, SCORED, target_rows(home, period))]
    for provider in dict.fromkeys(figure.provider for figure in annual.figures if figure.provider):
        kinds = tuple(kind for kind in SCORED if subject_providers().get(kind) == provider)
        own = annual.of(provider, kinds)
        paths.append(_write(annex2_path(home, period, provider), own, providers()[provider].label, kinds))
    for made in _contributions(annual, SCORED):
        path = home.reports / period / f"得分构成_{period}_{SUBJECT_LABELS[made.kind]}.svg"
        write_atomically(path, contributions_svg(made).encode())
        paths.append(path)
    for pattern in (f"附件2_{period}*.xlsx", f"得分构成_{period}_*.svg"):
        for left_over in set((home.reports / period).glob(pattern)) - set(paths):
            left_over.unlink()
    return paths


def _contributions(annual: Annual, kinds: Iterable[str]) -> list[Contributions]:
    """Return what the composites are made of, of those kinds of subject where any has one."""
    return [made for kind in kinds if (made := contributions(annual, kind)).subjects]


def _write(
    path: Path, annual: Annual, for_whom: str, kinds: tuple[str, ...], targets: list[TargetRow] | None = None
) -> Path:
    book = Workbook()
    book.properties.title = f"科技创新投入年度研判体系（{annual.year}年）"
    fill_annex2_sheet(book.worksheets[0], annual, for_whom)
    book.worksheets[0].title = "附件2"
    if kinds:
        fill_ranking_sheet(book.create_sheet("综合得分"), annual, kinds)
    fill_explanation_sheet(book.create_sheet("得分说明"), annual)
    for made in _contributions(annual, kinds):
        fill_contribution_sheet(book.create_sheet(f"得分构成（{SUBJECT_LABELS[made.kind]}）"), annual, made)
    if targets:
        fill_target_sheet(book.create_sheet("目标进度"), f"{annual.year}年", targets)
        if has_chart(targets):
            fill_target_chart_sheet(book.create_sheet("目标进度图"), f"{annual.year}年", targets)
    write_atomically(path, workbook_bytes(book, for_whom))
    return path
