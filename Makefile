# make demo: from nothing to the answer. make test: everything CI runs.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt
SOURCES := $(shell find bayesbench data models -type f -not -name '*.pyc' 2>/dev/null)
SETUP := pyproject.toml constraints.txt

.PHONY: demo test lint unit slow posterior notebooks format clean

demo: $(VENV)/.installed
	$(BIN)/bayesbench demo

test: lint
	$(BIN)/python -m pytest

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: $(VENV)/.dev
	$(BIN)/python -m pytest -m "not slow"

slow: $(VENV)/.dev
	$(BIN)/python -m pytest -m slow

posterior: $(VENV)/.dev
	$(BIN)/bayesbench fit --data data/open_scores --out models/open_scores.nc

notebooks: $(VENV)/.dev
	$(BIN)/jupyter execute --inplace notebooks/*.ipynb

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) dist

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

# An editable install (made for the tests) already follows the sources: leave it in place.
$(VENV)/.installed: $(SETUP) $(SOURCES) | $(BIN)/python
	test -e $(VENV)/.dev || $(PIP) .
	touch $@

$(VENV)/.dev: $(SETUP) | $(BIN)/python
	$(PIP) --editable '.[dev,peers]'
	touch $@ $(VENV)/.installed
