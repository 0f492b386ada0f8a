"""What must be true: suites of rules as data, the judge, the ledger of findings. Imports only ``sources``."""
