"""When things happen: the only room that imports Dagster. Assets, checks, jobs, and the command line `sti`."""
