"""Who sends what, and reading it: contracts, the workbook reader, identifiers, the demo city. Knows nothing of gates or layers."""
