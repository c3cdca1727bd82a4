# Two commands on a bare machine: `make demo` and `make test`. Both need python3 and make, nothing else.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed

SAY := printf "ktl: expected Python 3.11, 3.12 or 3.13, %s\n" >&2
ANOTHER := \`make PYTHON=/path/to/python3.12\` names another
NEEDED_MB := 4000

export TF_CPP_MIN_LOG_LEVEL ?= 2
# Tests start many processes: without compiled files each would compile all of ktl, and its tests.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: install demo up test check lint fast slow bench docs generated clean

install: $(INSTALLED)

$(INSTALLED): pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { $(SAY) "got no $(PYTHON). $(ANOTHER)"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
		|| { $(SAY) "got $$($(PYTHON) --version 2>&1). $(ANOTHER)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
		|| { $(SAY) "got one without its module venv: on Debian and Ubuntu \`apt install python3-venv\` brings it. $(ANOTHER)"; exit 1; }
	@free=$$(df -Pk . | awk 'NR == 2 {print int($$4 / 1024)}'); test -e $(VENV) || test $$free -ge $(NEEDED_MB) \
		|| { echo "ktl: expected $(NEEDED_MB) MB of free disk for $(VENV), got $$free MB in $$(pwd)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[worker,local,demo,text,vision,fast,heic,postgres,s3,dev]' \
		|| { echo "ktl: pip could not install what ktl needs; its own lines above say why. It needs an index of packages, $(NEEDED_MB) MB here and 1000 MB in $${TMPDIR:-/tmp}; \`make\` goes on where it stopped" >&2; exit 1; }
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
	rm -rf build/docs/generate build/docs/pictures/*.py

generated: install  # the client's types and its half without await, and docs/reference
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m docs.generate

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
