"""``frame_o`` and step 1 of the text, `UNIT_DUP`: which performer rows count, and how codes are read from then on."""

from tests.elimination.matching import Row, normal

BUREAUS = ("education_bureau", "health_commission", "science_bureau")
"""In the order in which a unit that several report is kept (UNIT_DUP b)."""
UnitKey = tuple[str, str]
"""(provider, unit code)."""


class Units:
    """The performers of one period.

    ``frame_o``: every row in the frame; ``remaining``: per code the row that is not removed; ``removed``: (a, b or c, key,
    counterparty, the rows it is a duplicate of); ``own_parents``: codes that are their own parent, directly or in a ring.
    """

    def __init__(self, tables: dict[str, list[Row]], frame_e: dict[str, Row]) -> None:
        """Test all rows of the frame at once."""
        # "the performer rows (provider, code) of the three bureaus, hospitals only if 三级甲等 = 是 and 纳入研发统计 = 是"
        self.frame_o: dict[UnitKey, Row] = {
            (bureau, normal(row["unit_code"])): row
            for bureau in BUREAUS
            for row in tables.get(f"{bureau}__unit", [])
            if bureau != "health_commission" or (row["is_grade_3a"] and row["is_in_rd_statistics"])
        }
        self.remaining: dict[str, UnitKey] = {}
        self.removed: list[tuple[str, UnitKey, str, list[Row]]] = []
        self.own_parents = self._own_parents()
        self._parent_read: dict[str, str] = {}
        self._test_all(frame_e)

    def _test_all(self, frame_e: dict[str, Row]) -> None:
        bureaus_of: dict[str, list[str]] = {}
        for bureau, code in self.frame_o:
            bureaus_of.setdefault(code, []).append(bureau)
        # "Tested on all rows of frame_o at once (a row removed by one reason still counts as partner for the others);
        # the first reason that fits is recorded."
        for key, row in self.frame_o.items():
            bureau, code = key
            parent = normal(row["parent_code"])
            if row["is_in_parent"] and parent in bureaus_of and code not in self.own_parents:
                # "a. 已含在上级单位数据中 = 是 and the parent's code is in frame_o."
                partners = [self.frame_o[other, parent] for other in bureaus_of[parent]]
                self.removed.append(("a", key, parent, partners))
                # Of two bureaus' rows with two parents, the one that b would keep tells how the code is read.
                self._parent_read.setdefault(code, parent)
            elif bureau != bureaus_of[code][0]:
                # "b. … kept for education_bureau, else health_commission, else science_bureau"
                self.removed.append(("b", key, code, [self.frame_o[bureaus_of[code][0], code]]))
            elif code in frame_e:
                # "c. the code is in frame_e: the enterprise figure stays."
                self.removed.append(("c", key, code, [frame_e[code]]))
            else:
                self.remaining[code] = key

    def _own_parents(self) -> set[str]:
        """Return the codes above themselves.

        "A unit that is its own parent, directly or in a ring, is a 强制性 finding and is not removed."
        """
        parents_of: dict[str, set[str]] = {}
        for (_, code), row in self.frame_o.items():
            parents_of.setdefault(code, set()).add(normal(row["parent_code"]))
        found = set()
        for code, parents in parents_of.items():
            above: set[str] = set()
            new = parents
            while new:
                above |= new
                new = {grandparent for parent in new for grandparent in parents_of.get(parent, set())} - above
            if code in above:
                found.add(code)
        return found

    def read(self, code: str | None) -> str:
        """Return the code as it is read in a ledger's other party.

        "From here on the unit's code is read as its parent's … (parent of parent likewise); a code that still stands for
        a remaining performer is read as itself."
        """
        read = normal(code)
        while read not in self.remaining and read in self._parent_read:
            read = self._parent_read[read]
        return read
