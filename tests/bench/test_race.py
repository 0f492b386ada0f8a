"""The contenders of ``make bench`` give what they are said to give; how fast is no test's business."""

from pathlib import Path

import pytest

from tests.bench.race import race


@pytest.mark.parametrize("rows", [3000])
def test_what_is_written_by_hand_and_in_pandas_is_the_models_own_row_by_row(rows: int, tmp_path: Path) -> None:
    contenders = ("sql_all", "models", "sql", "pandas_all", "pandas_integer_all", "pandas", "pandas_integer")
    assert set(race(tmp_path, rows, contenders)) == {"dbt", *contenders}
