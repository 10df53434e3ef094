# What a person types. `make help` says what each target does; every one of them sets up first.

MAKEFLAGS += --no-print-directory
PYTHON := $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
SETUP := .venv/.installed

.DEFAULT_GOAL := help
.PHONY: help setup run test test-long check format bench lock clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

setup: $(SETUP) ## .venv, with the command gamf in it (again only when the lock changes)

$(SETUP): requirements-dev.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
		{ echo "Python 3.11 is needed (on Debian: apt-get install python3.11 python3.11-venv)." >&2; exit 1; }
	@echo "Setting up .venv ..."
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --require-hashes -r requirements-dev.lock
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

run: $(SETUP) ## everything on this machine, with 2,000 invented people and a block under way
	@exec $(BIN)/gamf up --training --with-sample

test: $(SETUP) ## the tests, but the long ones
	@$(BIN)/pytest -n 2 --dist loadfile -m "not long"

test-long: $(SETUP) ## the long tests: many random steps, long histories, large blocks
	@$(BIN)/pytest -m long

check: $(SETUP) ## style, types, layers, and documents in step with the code
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/basedpyright
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python -m tools.docs_in_step

format: $(SETUP) ## rewrite what ruff and the documents' generator can
	@$(BIN)/ruff check --fix-only .
	@$(BIN)/ruff format .
	@$(BIN)/python -m tools.docs_in_step --write

bench: $(SETUP) ## the benchmarks, beside their floors
	@$(BIN)/python -m benchmarks

# No index and no path in the files: each machine has its own, and the hashes say what is meant.
LOCK = $(BIN)/uv pip compile --quiet --no-config --python-version 3.11 --python-platform x86_64-manylinux_2_28 \
	--generate-hashes --no-annotate --no-emit-index-url --custom-compile-command "make lock" pyproject.toml

lock: $(SETUP) ## the two lock files, from pyproject.toml
	@$(LOCK) --output-file requirements.lock
	@$(LOCK) --output-file requirements-dev.lock --group dev

clean: ## what the tools made; data/ stays
	@rm -rf .venv .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
