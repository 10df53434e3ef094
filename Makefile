# What a person types. `make help` says what each target does; every one of them sets up first.

MAKEFLAGS += --no-print-directory
# Modules are compiled once: a test may begin a dozen processes of ours.
unexport PYTHONDONTWRITEBYTECODE
PYTHON := $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
SETUP := .venv/.installed
STYLE := .venv/share/gamf/qc-trousse-sdg
PROVIDER := .venv/share/gamf/oidc-provider

# A file each, the longest first.
PYTEST = $(BIN)/pytest --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help setup run test test-long check format bench lock histories clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

setup: $(SETUP) $(STYLE) $(PROVIDER) ## .venv, with the command gamf in it (again only when the lock changes)

$(SETUP): requirements-dev.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
		{ echo "Python 3.11 is needed (on Debian: apt-get install python3.11 python3.11-venv)." >&2; exit 1; }
	@echo "Setting up .venv ..."
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --require-hashes -r requirements-dev.lock
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

# The console is plain without it, so a machine without the npm registry goes on; the next time tries again.
$(STYLE): tools/console_assets.py | $(SETUP)
	@echo "Bringing Québec's design system for the console ..."
	@$(BIN)/python -m tools.console_assets $@ && touch $@ || true

# For the tests only; those that need it say so where there is no npm registry.
$(PROVIDER): tools/oidc_provider.py tests/openid/packages.lock | $(SETUP)
	@echo "Bringing the identity provider of the tests ..."
	@$(BIN)/python -m tools.oidc_provider $@ && touch $@ || true

run: $(SETUP) $(STYLE) ## everything on this machine, with 2,000 invented people and a block under way
	@exec $(BIN)/gamf up --training --with-sample

test: $(SETUP) $(PROVIDER) ## the tests, but the long ones
	@$(PYTEST) -n 3 -m "not long"

test-long: $(SETUP) $(PROVIDER) ## the long tests: storms, fuzzing, a year, large blocks; their figures at the end (SEED=321)
	@$(PYTEST) -n 2 -m long $(if $(SEED),--seed $(SEED))

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
	@$(LOCK) --output-file requirements-dev.lock --group dev --constraint requirements.lock
	@$(subst pyproject.toml,tools/node.in,$(LOCK)) --output-file tools/node.lock

histories: $(SETUP) ## the saved histories of this release, made anew by the real code (ONLY="digest-sent" for some)
	@$(BIN)/python -m tests.replay.record $$($(BIN)/python -c 'from importlib.metadata import version; print(version("gamf"))') $(ONLY)

clean: ## what the tools made; data/ stays
	@rm -rf .venv .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
