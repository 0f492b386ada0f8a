"""A Parquet file as a sheet: column names are the headings, the file's metadata says what stands above and below a sheet's rows.

Rows are numbered as where a spreadsheet opens the file: the names are row 1, data begins in row 2; a column's letter is its place.
Statistics and row counts in the file are not believed.
"""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from sources.bulk.sniff import UnreadableBulk
from sources.grids import Grid
from sources.sheet_xml import MOST_COLUMNS

PIECE_ROWS = 65_536
SAID = ("填报单位", "报告期", "计量单位", "报表类别", "工作表", "报出日期")
"""Keys of the file's key-value metadata; the values are what a sheet says in its lines."""
FIRST_DATA_ROW = 2
MOST_CELLS_IN_ROW_GROUP = 64_000_000
_LARGEST_ROW_GROUP_BYTES = 1024**3


class ParquetFile:
    """One Parquet file: its metadata and column names as the head of a sheet, then its rows by piece.

    Raises:
        UnreadableBulk: damaged, encrypted, nested columns, or row groups too large to be read in bounded memory.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with path.open("rb") as file:
            if file.read(4) == b"PARE":
                raise UnreadableBulk("Parquet 文件是加密的，请不加密重新导出")
        try:
            with pq.ParquetFile(path) as file:
                self._schema: pa.Schema = file.schema_arrow
                metadata = file.metadata
                groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
                sizes = [(group.num_rows, group.total_byte_size) for group in groups]
                said = {key.decode("utf-8"): value.decode("utf-8") for key, value in (metadata.metadata or {}).items()
                        if key != b"ARROW:schema"}  # fmt: skip
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            raise UnreadableBulk(f"Parquet 文件打不开，可能已损坏、加密或不完整（{type(error).__name__}）") from error
        self._check(sizes)
        self.head: Grid = [[f"{key}：{said[key]}" for key in SAID if said.get(key)], list(self._schema.names)]

    def _check(self, sizes: list[tuple[int, int]]) -> None:
        nested = [f.name for f in self._schema if pa.types.is_nested(f.type) or pa.types.is_binary(f.type)]
        if nested:
            raise UnreadableBulk(f"列“{nested[0]}”是嵌套或二进制的列，只能是文本、数、日期")
        if len(self._schema) > MOST_COLUMNS:
            raise UnreadableBulk(f"有 {len(self._schema)} 列，超过 {MOST_COLUMNS} 列")
        for number, (rows, size) in enumerate(sizes, 1):
            if rows * len(self._schema) > MOST_CELLS_IN_ROW_GROUP or size > _LARGEST_ROW_GROUP_BYTES:
                raise UnreadableBulk(f"第 {number} 个行组有 {rows} 行，太大；请按每组不超过 100 万行重新导出")

    def pieces(self, wanted: list[int]) -> Iterator[tuple[pa.Array, dict[int, pa.Array]]]:
        """Yield the rows, up to `PIECE_ROWS` at a time: their row numbers, and the cells of each wanted column by its index.

        Raises:
            UnreadableBulk: the file is damaged further down.
        """
        names = [self._schema.names[index] for index in wanted]
        # Read as dictionaries: a text that a page repeats a million times is held once.
        texts = [f.name for f in self._schema if pa.types.is_string(f.type) or pa.types.is_large_string(f.type)]
        first = FIRST_DATA_ROW
        try:
            with pq.ParquetFile(self._path, read_dictionary=texts, pre_buffer=False, buffer_size=1024 * 1024) as file:
                for batch in file.iter_batches(PIECE_ROWS, columns=names, use_threads=False):
                    numbers = pa.array(range(first, first + len(batch)), pa.int32())
                    yield numbers, {index: batch.column(name) for index, name in zip(wanted, names, strict=True)}
                    first += len(batch)
        except (pa.ArrowException, OSError) as error:
            raise UnreadableBulk(
                f"Parquet 文件第 {first - 1} 行之后读不下去，可能已损坏（{type(error).__name__}）"
            ) from error

    def texts(self, column: int, row_numbers: set[int]) -> dict[int, str]:
        """Return what stands in a column in the given rows, as text."""
        found: dict[int, str] = {}
        for numbers, cells in self.pieces([column]):
            first = numbers[0].as_py()
            for number in row_numbers & set(range(first, first + len(numbers))):
                value = cells[column][number - first].as_py()
                found[number] = "" if value is None else str(value)
        return found
