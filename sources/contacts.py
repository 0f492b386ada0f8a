"""Contact persons stop at the archive: what is written out again keeps the label of a name or telephone number, and drops what it says."""

import re
from collections.abc import Sequence

from sources.layout import FOOT_LABELS
from sources.text import label_of

LEFT_OUT = "（略）"
DATE_LABELS = frozenset(("报出日期", "填表日期", "报送日期"))
CONTACT_LABELS = (
    *(label for label in FOOT_LABELS if label not in DATE_LABELS),
    *("填报人", "经办人", "联系人", "联系方式", "说明人", "电话", "手机", "手机号", "手机号码", "邮箱", "电子邮箱"),
)
_LABELS = "|".join(sorted((*CONTACT_LABELS, *DATE_LABELS), key=len, reverse=True))
_SEGMENT = re.compile(rf"({_LABELS}):(.*?)(?=(?:{_LABELS}):|$)")


def is_contact_heading(value: object) -> bool:
    """Return whether a column with this heading holds names or numbers of contact persons."""
    return label_of(value) in CONTACT_LABELS


def without_contacts(row: Sequence[object]) -> list[object]:
    """Return a row's cells with names and telephone numbers left out, labels and dates kept.

    A label and its value may stand in one cell or in neighbouring ones, several in one cell.
    """
    result: list[object] = []
    waits = False
    for value in row:
        label = label_of(value)
        segments = _SEGMENT.findall(label) if ":" in label else []
        if segments:
            before = label[: label.index(f"{segments[0][0]}:")]
            result.append(before + "　".join(f"{name}：{_said(name, text)}" for name, text in segments))
            last, text = segments[-1]
            waits = not text and last not in DATE_LABELS
        elif waits and label:
            result.append(LEFT_OUT)
        else:
            result.append(value)
    return result


def _said(label: str, text: str) -> str:
    return text if label in DATE_LABELS or not text else LEFT_OUT
