# make demo: from nothing to the answer. make test: everything CI runs.
# make posterior: fit the shipped posterior again (long), then all that is shown of it.
# make refit: the same, once the matrix has no fault.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt
SOURCES := $(shell find bayesbench data models -type f -not -name '*.pyc' 2>/dev/null)
SETUP := pyproject.toml constraints.txt
# make docs: the documentation site in build/docs; a warning is an error.
# make slow: the statistical tests, with the nightly ones that make test leaves out.
# Tests run side by side, each with one thread: many small programs gain nothing from more.
JOBS ?= 2
test unit slow: export OMP_NUM_THREADS ?= 1
test unit slow: export OPENBLAS_NUM_THREADS ?= 1
test unit slow: export NPROC ?= 1
PYTEST := $(BIN)/python -m pytest --numprocesses $(JOBS) --dist loadfile
# 400 packed draws are what fits into 14 MB. With six factors the chains of this matrix do not agree.
FIT := --rank 9 --seed 1 --chains 4 --warmup 4000 --thin 30 --draws 400 --keep-draws 400 --pack

AXE := axe-core@4.10.3

.PHONY: page-assets demo docs test lint unit slow refit posterior shown architecture notebooks format clean

demo: $(VENV)/.installed
	$(BIN)/bayesbench demo

test: lint docs $(VENV)/.browser
	$(PYTEST) -m "not nightly"

lint: $(VENV)/.dev $(VENV)/.browser
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python docs/architecture.py --check
	$(BIN)/python docs/page_assets.py --check

unit: $(VENV)/.dev $(VENV)/.browser
	$(PYTEST) -m "not slow"

slow: $(VENV)/.dev $(VENV)/.browser
	$(PYTEST) -m slow

refit: $(VENV)/.dev
	$(BIN)/bayesbench data check data/open_scores
	$(MAKE) posterior

posterior: $(VENV)/.dev
	$(BIN)/bayesbench fit --data data/open_scores $(FIT) --out models/open_scores.nc
	$(MAKE) shown

# What README.md, docs/python.md, docs/mcp.md and the model card show of the posterior.
shown: $(VENV)/.dev $(VENV)/.browser
	$(BIN)/python benchmarks/figures.py
	$(BIN)/python benchmarks/readme.py
	$(BIN)/python benchmarks/python_page.py
	$(BIN)/python benchmarks/mcp_page.py
	$(BIN)/python benchmarks/card.py

# The tables of files in ARCHITECTURE.md and docs/modules.md.
architecture: $(VENV)/.dev
	$(BIN)/python docs/architecture.py

# The charts' libraries of the page, from npm, by their pinned SHA-256.
page-assets: $(VENV)/.dev $(VENV)/.browser
	$(BIN)/python docs/page_assets.py

notebooks: $(VENV)/.dev
	$(BIN)/jupyter execute --inplace notebooks/*.ipynb

# Every page anew: a warning of a page that was built before is not forgotten.
docs: $(VENV)/.dev
	$(BIN)/python -m sphinx --builder html --conf-dir docs --fresh-env --fail-on-warning \
	    --keep-going --quiet . build/docs

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) build dist

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

# An editable install (made for the tests) already follows the sources: leave it in place.
$(VENV)/.installed: $(SETUP) $(SOURCES) | $(BIN)/python
	test -e $(VENV)/.dev || $(PIP) .
	touch $@

$(VENV)/.dev: $(SETUP) | $(BIN)/python
	$(PIP) --editable '.[dev,docs,peers]'
	touch $@ $(VENV)/.installed

# The page's tests run its JavaScript in node and in Chromium, and axe-core over it. Only what is
# not there is installed: a node from elsewhere and Debian's npm exclude each other.
$(VENV)/.browser: Makefile | $(BIN)/python
	missing=; command -v node >/dev/null || missing=nodejs; command -v npm >/dev/null || missing="$$missing npm"; \
	    command -v chromium >/dev/null || missing="$$missing chromium"; \
	    test -z "$$missing" || { as=$$([ "$$(id -u)" = 0 ] || echo sudo); \
	    $$as apt-get update -qq && $$as apt-get install -qq --yes $$missing; }
	npm install --silent --no-audit --no-fund --no-save --no-package-lock \
	    --prefix $(VENV)/browser $(AXE)
	touch $@
