# Two commands on a fresh machine: make run, make test. Needs Python >= 3.11 and make, nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export DBT_SEND_ANONYMOUS_USAGE_STATS := false
export GX_ANALYTICS_ENABLED := false

.PHONY: run test check ui bench lock clean
.DEFAULT_GOAL := run

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' || \
		{ echo "需要 Python 3.11、3.12 或 3.13；用 make PYTHON=python3.11 指定"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run-ready: requirements.txt pyproject.toml | $(BIN)/python
	$(BIN)/pip install -q --require-hashes -r requirements.txt
	$(BIN)/pip install -q --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.test-ready: requirements-dev.txt pyproject.toml | $(BIN)/python
	$(BIN)/pip install -q --require-hashes -r requirements-dev.txt
	$(BIN)/pip install -q --no-deps --no-build-isolation -e .
	@touch $@ $(VENV)/.run-ready

run: $(VENV)/.run-ready  ## the demo city through the whole half-year job; ends with the annex 1 table
	$(BIN)/python -m orchestration.demo

ui: $(VENV)/.run-ready  ## Dagster's web UI on 127.0.0.1:3000, on the home of `make run`
	$(BIN)/python -m orchestration.ui

test: $(VENV)/.test-ready  ## the whole test suite
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

check: $(VENV)/.test-ready  ## format, lint, types, SQL lint
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	cd dbt_project && ../$(BIN)/sqlfluff lint -q models macros tests

# Ten million rows take a quarter of an hour and 6 GB: make bench BENCH_ROWS="1000000 10000000"
BENCH_ROWS ?= 1000000
bench: $(VENV)/.test-ready  ## phases of a run at real size, beside their bare cost; the elimination beside SQL by hand, pandas, PostgreSQL
	$(BIN)/python -m tests.bench $(BENCH_ROWS)

lock:  ## renew the hashed locks from pyproject.toml
	$(PYTHON) -m venv $(VENV)-lock && $(VENV)-lock/bin/pip install -q uv
	$(VENV)-lock/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-header --no-annotate pyproject.toml -o requirements.txt
	$(VENV)-lock/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-header --no-annotate --extra dev pyproject.toml -o requirements-dev.txt
	rm -rf $(VENV)-lock

clean:  ## take away the environment and the local home
	rm -rf $(VENV) .local dbt_project/target
