"""``python -m orchestration`` is ``sti``."""

from orchestration.cli import main

if __name__ == "__main__":
    main()
