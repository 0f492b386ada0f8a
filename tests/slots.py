"""A slot of the archive (one provider, one period) as the layers read it."""

from sources.workbook import WorkbookReading
from warehouse import layers
from warehouse.paths import Home


def current_reading(home: Home, provider: str, period: str) -> WorkbookReading:
    """The reading of the version that counts."""
    _, reading = layers.readings_in_order(home, provider, period)[-1]
    return reading
