# Two commands do everything: `make search` and `make test`. Each sets up the environment first.

PYTHON ?= python3
BIN := .venv/bin

.PHONY: search test check docs benchmark clean
.DEFAULT_GOAL := search

# Pinned versions; of torch the CPU build, where the index has one.
.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "dse needs Python 3.11 or newer, this is " + sys.version)'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test,docs]'
	touch $@

search: .venv/ready
	$(BIN)/dse search --budget-params 1e6 --dataset covid

test: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/dse generate --check
	$(BIN)/pytest -q -m 'not slow' -n auto

check: test
	$(BIN)/pytest -q -m slow -n auto

docs: .venv/ready
	$(BIN)/mkdocs build

benchmark: .venv/ready
	$(BIN)/python -m benchmarks

clean:
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
