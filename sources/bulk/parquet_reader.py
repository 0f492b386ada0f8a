"""A Parquet file as a sheet: column names are the headings, the file's metadata says what stands above and below a sheet's rows.

Rows are numbered as where a spreadsheet opens the file: the names are row 1, data begins in row 2; a column's letter is its place.
Statistics in the file are not believed; row counts only where the pages bear them out.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sources.bulk.sniff import LARGEST_BULK_BYTES, MOST_BULK_ROWS, UnreadableBulk
from sources.grids import Grid
from sources.sheet_xml import MOST_COLUMNS

PIECE_ROWS = 65_536
MIB, GIB = 1024**2, 1024**3
PIECE_BYTES = 16 * MIB
SAID = ("填报单位", "报告期", "计量单位", "报表类别", "工作表", "报出日期")
"""Keys of the file's key-value metadata; the values are what a sheet says in its lines."""
FIRST_DATA_ROW = 2
MOST_CELLS_IN_ROW_GROUP = 64_000_000
_LARGEST_ROW_GROUP_BYTES = GIB
_MOST_RATIO, _RATIO_FROM_BYTES = 500, 256 * MIB
"""Text written out for every row, against the file; a ledger's rows differ, so real ones stay below 100."""
_LONGEST_NAME = 1_000
"""Characters of a column's name or a line of the metadata."""


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
        except MemoryError:
            raise
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            raise UnreadableBulk(f"Parquet 文件打不开，可能已损坏、加密或不完整（{type(error).__name__}）") from error
        said = {key: said[key] for key in SAID if said.get(key)}
        self._check(sizes, said)
        self.head: Grid = [[f"{key}：{value}" for key, value in said.items()], list(self._schema.names)]

    def _check(self, sizes: list[tuple[int, int]], said: dict[str, str]) -> None:
        nested = [f.name for f in self._schema if pa.types.is_nested(f.type) or pa.types.is_binary(f.type)]
        if nested:
            raise UnreadableBulk(f"列“{nested[0]}”是嵌套或二进制的列，只能是文本、数、日期")
        if len(self._schema) > MOST_COLUMNS:
            raise UnreadableBulk(f"有 {len(self._schema)} 列，超过 {MOST_COLUMNS} 列")
        count = sum(rows for rows, _ in sizes)
        if count > MOST_BULK_ROWS:
            raise UnreadableBulk(f"有 {count:,} 行，超过 {MOST_BULK_ROWS:,} 行，请分期或按地区拆分")
        longest = max([*self._schema.names, *said.values()], key=len, default="")
        if len(longest) > _LONGEST_NAME:
            raise UnreadableBulk(f"有列名或元数据长达 {len(longest)} 个字：“{longest[:20]}…”")
        for number, (rows, size) in enumerate(sizes, 1):
            if rows * len(self._schema) > MOST_CELLS_IN_ROW_GROUP or size > _LARGEST_ROW_GROUP_BYTES:
                raise UnreadableBulk(f"第 {number} 个行组有 {rows} 行，太大；请按每组不超过 100 万行重新导出")

    def pieces(self, wanted: list[int]) -> Iterator[tuple[pa.Array, dict[int, pa.Array]]]:
        """Yield the rows by piece: their row numbers, and the cells of each wanted column by its index.

        A piece has up to `PIECE_ROWS` rows and `PIECE_BYTES` of text, written out for every row.

        Raises:
            UnreadableBulk: the file is damaged further down, or has a row that no piece can hold.
        """
        names = [self._schema.names[index] for index in wanted]
        # Read as dictionaries: a text that a page repeats a million times is held once.
        texts = [f.name for f in self._schema if pa.types.is_string(f.type) or pa.types.is_large_string(f.type)]
        first, text_bytes = FIRST_DATA_ROW, 0
        most_bytes = max(_MOST_RATIO * self._path.stat().st_size, _RATIO_FROM_BYTES)
        try:
            with pq.ParquetFile(
                self._path,
                read_dictionary=texts,
                pre_buffer=False,
                buffer_size=MIB,
                page_checksum_verification=True,
            ) as file:
                for batch in _batches(file, names):
                    for piece, size in _bounded(batch):
                        text_bytes += size
                        if size > PIECE_BYTES:
                            raise UnreadableBulk(f"第 {first} 行的文字超过 {PIECE_BYTES // MIB} MB", f"{first}:{first}")
                        if text_bytes > LARGEST_BULK_BYTES:
                            raise UnreadableBulk(
                                f"文件的文字展开后超过 {LARGEST_BULK_BYTES // GIB} GB，请分期或按表拆分"
                            )
                        if text_bytes > most_bytes:
                            raise UnreadableBulk(f"文件的文字展开后是文件的 {_MOST_RATIO} 倍以上，不像是明细")
                        numbers = pa.array(np.arange(first, first + len(piece), dtype=np.int32))
                        yield numbers, {index: piece.column(name) for index, name in zip(wanted, names, strict=True)}
                        first += len(piece)
        except MemoryError:
            raise
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


def _batches(file: pq.ParquetFile, names: list[str]) -> Iterator[pa.RecordBatch]:
    """Yield the rows of one row group after the other, so that a column that has fewer than it says cannot shift against the others.

    Raises:
        UnreadableBulk: a row group holds other than the rows that the file says.
    """
    for number in range(file.num_row_groups):
        count = 0
        for batch in file.iter_batches(PIECE_ROWS, row_groups=[number], columns=names, use_threads=False):
            batch.validate(full=True)
            count += len(batch)
            yield batch
        said = file.metadata.row_group(number).num_rows
        if count != said:
            raise UnreadableBulk(f"Parquet 文件说第 {number + 1} 个行组有 {said} 行，读到的是 {count} 行，可能已损坏")


def _bounded(rows: pa.RecordBatch) -> Iterator[tuple[pa.RecordBatch, int]]:
    """Yield the rows in parts of at most `PIECE_BYTES`, if they have more than one row, with the bytes of their texts.

    A page of a few bytes can repeat one long text for every row.
    """
    size = sum(map(_text_bytes, rows.columns))
    if size > PIECE_BYTES and len(rows) > 1:
        half = len(rows) // 2
        yield from _bounded(rows.slice(0, half))
        yield from _bounded(rows.slice(half))
    else:
        yield rows, size


def _text_bytes(cells: pa.Array) -> int:
    """Return how many bytes a column's texts have, each counted as often as it stands there."""
    if pa.types.is_dictionary(cells.type):
        lengths = pc.binary_length(cells.dictionary).cast(pa.int64()).take(cells.indices)
    elif pa.types.is_string(cells.type) or pa.types.is_large_string(cells.type):
        lengths = pc.binary_length(cells).cast(pa.int64())
    else:
        return 0
    return pc.sum(lengths).as_py() or 0
