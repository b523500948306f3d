# Needs Python 3.10 or newer with venv, and make; installs everything else into .venv.
PYTHON ?= python3
UV_VERSION := 0.13.8
BIN := .venv/bin
UV := $(BIN)/uv
PYTEST := $(BIN)/python -m pytest
# More arguments for pytest, e.g. make test ARGS="-k laws"
ARGS ?=

export DO_NOT_TRACK := 1
export UV_PYTHON_DOWNLOADS := never
# Whoever has told pip of a package index has told uv too.
ifdef PIP_INDEX_URL
export UV_DEFAULT_INDEX ?= $(PIP_INDEX_URL)
endif

.DEFAULT_GOAL := help
.PHONY: help demo test lint style types layers spelling hooks docs e2e bench soak wheel lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(UV) ## Make a project from the starter in a fresh environment, run it, show its metrics
	@$(BIN)/python .ci/demo.py

test: .venv/.installed ## Run the tests (at most 10 minutes)
	@$(PYTEST) -n auto -q $(ARGS)

lint: style types layers spelling hooks ## Check style, types, layers and spelling

style: .venv/.installed
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: .venv/.installed
	@$(BIN)/mypy

layers: .venv/.installed
	@$(BIN)/lint-imports --no-logo

spelling: .venv/.installed
	@$(BIN)/codespell

# The hooks for commits that no target above runs: white space, TOML, YAML.
hooks: .venv/.installed
	@SKIP=ruff-check,ruff-format,mypy,lint-imports,codespell \
	  $(BIN)/pre-commit run --all-files --show-diff-on-failure

docs: .venv/.installed ## Build the documentation into build/site and check its links
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --site-dir build/site
	@$(BIN)/python .ci/links.py build/site
	@echo "documentation built in build/site"

e2e: .venv/.installed ## Run the end-to-end tests on a real cluster
	@.ci/e2e $(ARGS)

bench: .venv/.installed ## Measure what the plugin costs
	@set -e; for bench in tests/bench/bench_*.py; do echo "$$bench"; $(BIN)/python $$bench; done

soak: .venv/.installed ## Run every Python with the oldest and newest Kedro, and long random tests
	@.ci/soak

wheel: $(UV) ## Build the wheel and the source distribution into build/dist
	@rm -rf build/dist
	@$(UV) build --quiet --build-constraint requirements.lock --out-dir build/dist
	@ls build/dist/*.whl

lock: $(UV) ## Pin the development environment again (delete requirements.lock first to upgrade)
	@$(UV) pip compile --quiet --universal --python-version 3.10 --no-emit-index-url \
	  --all-extras --group dev --custom-compile-command "make lock" \
	  --output-file requirements.lock pyproject.toml

clean: ## Remove everything that make made
	@rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

$(UV): Makefile
	@$(PYTHON) -c 'import sys; sys.exit("$(PYTHON): expected Python 3.10 or newer, got %s. Set PYTHON=." % sys.version.split()[0] if sys.version_info < (3, 10) else 0)'
	@echo "setting up .venv"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@touch $@

.venv/.installed: $(UV) pyproject.toml requirements.lock
	@echo "installing the development environment into .venv"
	@$(UV) pip sync --quiet --compile-bytecode --python $(BIN)/python requirements.lock
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps \
	  --build-constraint requirements.lock --editable .
	@touch $@
