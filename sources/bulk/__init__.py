"""Bulk delivery: one table of a return as CSV or Parquet, beyond a worksheet's size, under the same contracts and findings.

What belongs here: telling a bulk file by its bytes, its cells in bounded pieces, and values by column. What a cell *means* stays in
`sources.values`; whose a file is, in `sources.identity`; which files make one return, in `sources.delivery`.
"""
