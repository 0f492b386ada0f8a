"""The parts of a rule that are more than a text: what it expects, its Excel formula, whom it asks, and which earlier question it need not repeat."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, model_validator


class Expect(BaseModel):
    """The Great Expectations expectation that a rule's measure must meet."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: Literal[
        "expect_column_values_to_be_between",
        "expect_column_values_to_be_in_set",
        "expect_table_row_count_to_be_between",
    ]
    min_value: float | None = None
    max_value: float | None = None
    value_set: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _arguments_fit(self) -> "Expect":
        has_bounds = self.min_value is not None or self.max_value is not None
        is_set = self.type == "expect_column_values_to_be_in_set"
        if is_set != bool(self.value_set) or has_bounds == is_set:
            raise ValueError("between 须有 min_value 或 max_value，in_set 须有 value_set，且不得混用")
        return self

    @property
    def is_of_table(self) -> bool:
        """Whether the expectation is about the table as a whole, and so has no measure per row."""
        return self.type.startswith("expect_table_")

    def arguments(self, tolerance: float) -> dict[str, Any]:
        """Return the arguments for Great Expectations, both bounds widened by the tolerance."""
        if self.value_set:
            return {"value_set": list(self.value_set)}
        bounds = {}
        if self.min_value is not None:
            bounds["min_value"] = self.min_value - tolerance
        if self.max_value is not None:
            bounds["max_value"] = self.max_value + tolerance
        return bounds


class Template(BaseModel):
    """How the blank workbook checks a rule (``sources/template``), or why it does not.

    ``breach`` is an Excel formula, true where a row breaks the rule; names in braces become cells, as
    ``sources.template.formulas`` says, and ``{tolerance}`` the rule's own. ``at`` is the table whose rows it stands on, by
    default the rule's. ``left_out`` says why there is no formula.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    breach: str = ""
    at: str = ""
    left_out: str = ""

    @model_validator(mode="after")
    def _one_of_two(self) -> "Template":
        if bool(self.breach) == bool(self.left_out):
            raise ValueError("breach 与 left_out 须写且只写一个")
        return self


class Asks(BaseModel):
    """Which bureau a rule of gate 2 asks about a finding, and in what words.

    ``provider`` is the bureau, or ``column`` the column or value of the row that says which (blank, or none that hands anything in: nobody). The
    words go into that bureau's receipt, so they name no value of another bureau's units; without any the rule's own are used, which must
    hold none either: a bureau's own figures, or sums over the city.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    provider: str = ""
    column: str = ""
    message: str = ""
    found: str = ""
    expected: str = ""

    @model_validator(mode="after")
    def _fields_fit(self) -> "Asks":
        if bool(self.provider) == bool(self.column):
            raise ValueError("provider 与 column 须写且只写一个")
        if len({bool(text) for text in self.texts}) != 1:
            raise ValueError("message、found、expected 须都写或都不写")
        return self

    @property
    def texts(self) -> tuple[str, str, str]:
        """Message, found and expected; empty where the rule's own are used."""
        return (self.message, self.found, self.expected)


class AskedBefore(BaseModel):
    """Which question of gate 1 makes this one needless: the same figure beside the same earlier figure, asked and settled there.

    ``rules`` on ``table``, about one of ``subjects`` (texts with names in braces), whose finding names the same ``values``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    rules: tuple[str, ...]
    table: str
    subjects: tuple[str, ...]
    values: tuple[str, ...]
