"""The unit register: which names a unit's code is known by, and which unit a name may mean. It suggests; a person confirms.

Names decide nothing here: money is matched by code alone (剔除重复部分). A name beside a blank or a strange code is a reason to ask.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from sources.text import label_of

ALIKE_SCORE = 85
"""Names this much alike (0–100, share of common characters in order) are suggested for one another."""
STRANGE_SCORE = 50
"""A name less alike than this to every name of its code is asked about."""


@dataclass(frozen=True)
class UnitRegister:
    """The names of each unit by code: as last published, and confirmed aliases."""

    names_by_code: Mapping[str, frozenset[str]]

    @cached_property
    def _codes_by_label(self) -> dict[str, set[str]]:
        codes: dict[str, set[str]] = {}
        for code, names in self.names_by_code.items():
            for name in names:
                codes.setdefault(label_of(name), set()).add(code)
        return codes

    def codes_of(self, name: str) -> list[str]:
        """Return the codes of the units that bear exactly this name (white space and width apart), usually one or none."""
        return sorted(self._codes_by_label.get(label_of(name), ()))

    def is_strange(self, code: str, name: str) -> bool:
        """Whether the register knows the code under other names only, none of them alike."""
        from rapidfuzz import fuzz

        known = self.names_by_code.get(code)
        wanted = label_of(name)
        return bool(known) and all(
            fuzz.ratio(wanted, label_of(other)) < STRANGE_SCORE
            and label_of(other) not in wanted
            and wanted not in label_of(other)
            for other in known or ()
        )

    def alike(self, name: str, limit: int = 3) -> list[tuple[str, str]]:
        """Return up to ``limit`` (name, code) pairs that the name may mean, the most alike first; exact names are not among them."""
        from rapidfuzz import fuzz, process

        wanted = label_of(name)
        found = process.extract(
            wanted, list(self._codes_by_label), scorer=fuzz.ratio, score_cutoff=ALIKE_SCORE, limit=limit
        )
        # 嘉兴大学（梁林校区） means 嘉兴大学, though most of its characters are not in that name.
        inside = [label for label in self._codes_by_label if len(label) >= 4 and label != wanted and label in wanted]
        labels = dict.fromkeys([label for label, _, _ in found if label != wanted] + inside)
        return [(label, code) for label in labels for code in sorted(self._codes_by_label[label])][:limit]


def register_of(units: Iterable[tuple[str, str]]) -> UnitRegister:
    """Return the register of (code, name) pairs."""
    names: dict[str, set[str]] = {}
    for code, name in units:
        names.setdefault(code, set()).add(name)
    return UnitRegister({code: frozenset(found) for code, found in names.items()})


def closest(written: str, known: Iterable[str]) -> str:
    """Return the known word most alike to a written one, for a finding's ``是不是``; empty where none is near."""
    from rapidfuzz import fuzz, process

    labels = {label_of(word): word for word in known}
    best = process.extractOne(label_of(written), list(labels), scorer=fuzz.ratio, score_cutoff=75)
    return labels[best[0]] if best else ""
