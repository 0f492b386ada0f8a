"""Commands of ``sti`` that are long enough for a file of their own; `orchestration.cli` registers them."""
