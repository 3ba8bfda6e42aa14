# One virtual environment for everything, filled from the package registry alone.
# Choose another Python with: make test PYTHON=python3.12

PYTHON ?= python3
VENV ?= .venv
OUT ?= demo_out
PYTEST_ARGS ?=

BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help venv install lint check test demo schema clean

help:
	@echo "make demo     the main job on a small synthetic dataset; results on screen and in $(OUT)/"
	@echo "make test     the tests; PYTEST_ARGS='-k name' for some of them"
	@echo "make check    ruff, mypy, import-linter and the tests"
	@echo "make lint     the same without the tests"
	@echo "make install  the virtual environment $(VENV) with the project in it"
	@echo "make schema   docs/reports.schema.json from the code"
	@echo "make clean    remove what the build, the tests and the demo leave"

venv: $(BIN)/python

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' || { \
	  echo "Python 3.10 to 3.13 is needed and '$(PYTHON)' is another; choose one: make PYTHON=python3.12" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)

install: $(INSTALLED)

$(INSTALLED): pyproject.toml setup.py | $(BIN)/python
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable ".[demo,dev]"
	@touch $(INSTALLED)

lint: install
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: install
	$(BIN)/python -m pytest $(PYTEST_ARGS)

check: lint test

demo: install
	$(BIN)/reportseg demo --out $(OUT) --overwrite

schema: install
	$(BIN)/python -c 'import json; from nnunet_reportseg.sidecar import Sidecar; print(json.dumps(Sidecar.json_schema(), indent=2))' > docs/reports.schema.json

clean:
	rm -rf build dist *.egg-info $(OUT) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	find . -name __pycache__ -type d -not -path './.venv*' -prune -exec rm -rf {} +
