"""Dagster's event store on SQLite, with its connections kept open.

Dagster's own opens a connection anew for every event, and each close writes back the whole journal: with some 600 events a run that was
half of a run's time here. Same files, same tables; without this class the store works as before, only slower.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, Engine, create_engine, event

BUSY_TIMEOUT_SECONDS = 300
OPEN_SHARDS = 4
"""The index and the latest runs; a server that stays up must not hold a file per run."""


class PooledSqliteEventLogStorage(SqliteEventLogStorage):
    """`SqliteEventLogStorage` that keeps one pooled connection per open shard (a file per run, and the index)."""

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> "PooledSqliteEventLogStorage":
        """Build the store from its block in ``dagster.yaml``."""
        return cls(inst_data=inst_data, **config_value)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock, self._engine(shard).connect() as connection, connection.begin():
            yield connection

    def _engine(self, shard: str) -> Engine:
        engines: dict[str, Engine] = self.__dict__.setdefault("_open_engines", {})
        engine = engines.pop(shard, None)
        if engine is None:
            address = self.conn_string_for_shard(shard)
            engine = create_engine(address, pool_size=1, connect_args={"timeout": BUSY_TIMEOUT_SECONDS})
            event.listen(engine, "connect", _relax)
            if shard not in self._initialized_dbs:
                self._initdb(engine)
                self._initialized_dbs.add(shard)
        engines[shard] = engine
        while len(engines) > OPEN_SHARDS:
            engines.pop(next(iter(engines))).dispose()
        return engine

    def dispose(self) -> None:
        """Close every connection."""
        for engine in self.__dict__.pop("_open_engines", {}).values():
            engine.dispose()
        super().dispose()


def _relax(connection: Any, _record: Any) -> None:
    # With a write-ahead journal a crash then loses at most the last events of the UI's history, never the file.
    connection.execute("PRAGMA synchronous = NORMAL")
