"""The receipts as an index in memory, so that a thousand hand-ins do not read a thousand receipts a thousand times.

The file is what counts: the index stands for just the file that was read (its inode, size and time of change), and is read anew as soon as
the file is any other. Nothing of it is stored.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from sources.contracts import providers
from warehouse.paths import Home, append_line, read_lines

Slot = tuple[str, str]
State = tuple[int, int, int] | None


@dataclass(frozen=True)
class Receipt:
    """One hand-in: its number (受理号), the file, and the slot (provider, period) it was found to belong to.

    ``provider`` or ``period`` is empty where the workbook does not say; ``refusal`` then says why.
    """

    receipt_no: str
    received_at: str
    file_name: str
    file_sha256: str
    size_bytes: int
    provider: str
    period: str
    refusal: str = ""

    @property
    def provider_label(self) -> str:
        """The provider's Chinese name, or 未识别."""
        return providers()[self.provider].label if self.provider else "未识别"

    @property
    def slot(self) -> Slot:
        """The provider and period it belongs to."""
        return self.provider, self.period


class ReceiptIndex:
    """The receipts of one home in order of arrival, by hash and by slot.

    A file that was assigned to a slot later bears its later number, at its first place.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        # Before the reading: what is appended meanwhile makes the file another one than the index stands for.
        self._state = _state(path)
        self.by_sha256: dict[str, Receipt] = {}
        self._by_slot: dict[Slot, list[Receipt]] = {}
        self._given: Counter[Slot] = Counter()
        for line in read_lines(path):
            receipt = Receipt(**line)
            self.by_sha256[receipt.file_sha256] = receipt
            self._given[receipt.slot] += 1
        for receipt in self.by_sha256.values():
            self._by_slot.setdefault(receipt.slot, []).append(receipt)

    def is_of(self, path: Path) -> bool:
        """Tell whether this is the index of that file, as it is now."""
        return path == self._path and _state(path) == self._state

    def of_slot(self, slot: Slot) -> Sequence[Receipt]:
        """Return the receipts of a slot in order of arrival."""
        return self._by_slot.get(slot, ())

    def next_number(self, slot: Slot) -> str:
        """Return the next 受理号 of a slot; numbers are never given twice, not even one that a file no longer bears."""
        provider, period = slot
        return f"{period or 'unassigned'}-{provider or 'unknown'}-{self._given[slot] + 1:03d}"

    def append(self, receipt: Receipt) -> None:
        """Write a receipt to the file; the index follows where the file grew by just that."""
        stood, is_new = self.is_of(self._path), receipt.file_sha256 not in self.by_sha256
        written = append_line(self._path, asdict(receipt))
        now = _state(self._path)
        if not (stood and is_new and now and now[1] == (self._state[1] if self._state else 0) + written):
            return
        self._state = now
        self.by_sha256[receipt.file_sha256] = receipt
        self._by_slot.setdefault(receipt.slot, []).append(receipt)
        self._given[receipt.slot] += 1


_latest: list[ReceiptIndex] = []


def receipt_index(home: Home) -> ReceiptIndex:
    """Return the index of a home's receipts as they are on disk; one home's is kept."""
    if not (_latest and _latest[0].is_of(home.receipts)):
        _latest[:] = [ReceiptIndex(home.receipts)]
    return _latest[0]


def _state(path: Path) -> State:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
