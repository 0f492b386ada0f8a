"""``python -m orchestration`` is ``sti``."""

from orchestration.cli import entry

if __name__ == "__main__":
    entry()
