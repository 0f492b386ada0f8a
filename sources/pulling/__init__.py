"""Pulling: where the providers put their workbooks, and reading from there without ever changing anything."""
