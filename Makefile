# Two commands on a bare machine: `make demo` and `make test`. Both need python3 and make, nothing else.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed

export TF_CPP_MIN_LOG_LEVEL ?= 2
# Tests start many processes: without compiled files each would compile all of ktl, and its tests.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: install demo up test check lint fast slow bench docs generated clean

install: $(INSTALLED)

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[worker,local,demo,text,vision,fast,heic,postgres,s3,dev]'
	@touch $@

demo: install
	$(BIN)/ktl demo

up: install
	$(BIN)/ktl up

# `make check test` runs nothing twice: test is fast and slow, check is lint and fast.
test: fast slow

check: lint fast

lint: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fast: install
	$(BIN)/python -m pytest -m "not slow" -n 4 --dist worksteal  # some wait for servers while others compute

slow: install
	$(BIN)/python -m pytest -m slow -n 2 --dist loadfile --no-loadscope-reorder  # half of their time they wait for processes

bench: install
	@set -e; for file in benchmarks/[a-z]*.py; do \
		name=$$(basename $$file .py); echo "== $$name"; $(BIN)/python -m benchmarks.$$name; \
	done

docs: install  # pages of docs/, to build/docs
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[docs]'
	$(BIN)/zensical build --clean --strict
	rm -rf build/docs/generate

generated: install  # the client's types and its half without await, and docs/reference
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m docs.generate

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
