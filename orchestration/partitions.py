"""Partitions, half-years and years, from the calendar seed, newest first; owners, and the keys of assets that several modules name."""

import dagster as dg

from sources.reference import periods

PERIODS = dg.StaticPartitionsDefinition([*periods()][::-1])

OWNERS = ["team:科技创新投入数据组"]
PUBLISHED = dg.AssetKey(["published", "warehouse"])
ANNEX1 = dg.AssetKey(["reports", "annex1"])
ANNEX2 = dg.AssetKey(["reports", "annex2"])
TARGETS = dg.AssetKey(["reports", "targets"])
BOARD = dg.AssetKey(["reports", "submission_board"])
INBOX = dg.AssetKey(["archive", "inbox"])


def table_key(layer: str, table_id: str) -> dg.AssetKey:
    """Return the asset key of a table in a layer (``raw`` or ``accepted``)."""
    return dg.AssetKey([layer, table_id])


def return_key(provider: str) -> dg.AssetKey:
    """Return the asset key of a provider's return in the archive."""
    return dg.AssetKey(["archive", provider])
