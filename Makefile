# `make demo` and `make test` set up all they need in .venv, once, from the locked versions.
PYTHON ?= python3
# Of a virtual environment; Windows has another name for it.
BIN := .venv/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
DEMO := runs/demo
# A worker waits a third of its time: for batches, limits and processes beside it.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 1) * 2)')

.PHONY: demo test lint types suite check scale soak browser-test bench-tools bench-peers lock clean

demo: .venv/run.stamp
	@$(BIN)/python examples/demo.py $(if $(FRESH),--fresh) $(DEMO)

test: lint
	@$(MAKE) --no-print-directory -j2 types suite

lint: .venv/dev.stamp
	$(BIN)/ruff check src tests examples bench

types: .venv/dev.stamp
	$(BIN)/basedpyright

suite: .venv/dev.stamp
	$(BIN)/pytest -n $(WORKERS)

check: lint types
	$(BIN)/ruff format --check src tests examples bench
	$(BIN)/python tests/measure.py --check src

scale: .venv/dev.stamp
	$(BIN)/pytest -m scale -s -o faulthandler_timeout=0

soak: .venv/dev.stamp
	EXAMPLES=$(or $(EXAMPLES),50000) $(BIN)/pytest -s -o faulthandler_timeout=0 tests/engine/test_foreign.py tests/engine/test_foreign_code.py tests/context/test_read_back.py

browser-test: .venv/dev.stamp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements/browser.in
	$(BIN)/pytest -m browser

bench-tools: .venv/dev.stamp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements/bench.in

bench-peers:
	test -d .venv-peers || $(PYTHON) -m venv .venv-peers
	.venv-peers/bin/python -m pip install --quiet --disable-pip-version-check -r requirements/peers.in

lock: .venv/dev.stamp
	$(BIN)/python -m pip install --quiet pip-tools
	$(BIN)/pip-compile --quiet --upgrade --strip-extras --no-emit-index-url --no-emit-find-links --generate-hashes --allow-unsafe -o requirements/run.lock requirements/run.in pyproject.toml
	$(BIN)/pip-compile --quiet --upgrade --strip-extras --no-emit-index-url --no-emit-find-links --generate-hashes --allow-unsafe -c requirements/run.lock -o requirements/dev.lock requirements/dev.in pyproject.toml

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit("fanwise needs Python 3.11 or later; try: make PYTHON=python3.12 ..." if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv

.venv/run.stamp: requirements/run.lock pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.venv/dev.stamp: requirements/dev.lock .venv/run.stamp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.lock
	@touch $@

clean:
	rm -rf .venv .venv-peers runs build dist .pytest_cache .ruff_cache .mypy_cache .hypothesis
