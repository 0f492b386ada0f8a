"""The rows of a bulk file on their way from the child that reads it: held to the contract's schema, and kept in a Parquet file."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from sources.manifest import MANIFEST_KEY, Manifest


class SpoiledRows(Exception):
    """What came from the child is not rows of the table."""


class Spool:
    """One Parquet file being written; begun anew where the reading is.

    Args:
        path: the file.
        schema: the contract's.
    """

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._path, self._schema = path, schema
        self._writer: pq.ParquetWriter | None = None

    def begin(self) -> None:
        """Begin with no rows."""
        self.discard()
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._writer = pq.ParquetWriter(self._path, self._schema, compression="zstd")

    def add(self, data: bytes) -> None:
        """Take the rows of one serialized record batch; the schema is the contract's, whatever the child thinks.

        Raises:
            SpoiledRows: they do not fit it, or point outside their own bytes.
        """
        try:
            rows = pa.ipc.read_record_batch(pa.py_buffer(data), self._schema)
            rows.validate(full=True)
        except (pa.ArrowException, OSError) as error:
            raise SpoiledRows from error
        if self._writer and rows.num_rows:
            self._writer.write_batch(rows)

    def finish(self, manifest: Manifest) -> None:
        """Close the file with the manifest in its metadata."""
        if self._writer:
            content = json.dumps(manifest.as_dict(), ensure_ascii=False, sort_keys=True)
            self._writer.add_key_value_metadata({MANIFEST_KEY.decode(): content})
            self._writer.close()
            self._writer = None

    def discard(self) -> None:
        """Throw away what has been written, if anything."""
        if self._writer:
            self._writer.close()
            self._writer = None
        self._path.unlink(missing_ok=True)
