# Two commands: `make demo` shows the main job on real input, `make test` runs the whole suite.
# Everything they need is installed into .venv/ and var/ of this folder; nothing else on the machine is touched.

SHELL := /bin/sh
.DEFAULT_GOAL := help
BIN := .venv/bin
READY := .venv/.ready
GOALS := help demo test lint setup lock clean
# Whole daemons at real speed: they mostly wait, and go after what keeps both cores busy.
REAL_TIME := $(addprefix tests/end_to_end/test_,$(addsuffix .py,calls crashes crowds keeping recognizer rules)) tests/simulator/test_witness.py
HERE := $(dir $(lastword $(MAKEFILE_LIST)))

ifneq ($(wildcard requirements.lock),requirements.lock)
# Called as `make -f …/Makefile` from another folder: go home first.
$(GOALS):
	@$(MAKE) --no-print-directory -C "$(HERE)" $@
else

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1	/p' Makefile

demo: $(READY) ## play demo calls through the daemon and show what a supervisor would see
	@$(BIN)/zccvoice demo

test: $(READY) ## the whole test suite
	@$(BIN)/python -m pytest -n 2 --dist worksteal $(REAL_TIME:%=--ignore %)
	@$(BIN)/python -m pytest -n 2 --dist worksteal $(REAL_TIME)

lint: $(READY) ## style and types
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

setup: $(READY) ## only the virtual environment

# The stamp is written last, so an interrupted installation is simply done again.
$(READY): requirements.lock pyproject.toml scripts/make_environment.sh
	@sh scripts/make_environment.sh .venv
	@touch $@

lock: ## write requirements.lock anew (needs uv)
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 \
	  --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --quiet -o requirements.lock

clean: ## remove what the commands above made
	rm -rf .venv var .mypy_cache .ruff_cache .pytest_cache .hypothesis

endif

.PHONY: $(GOALS)
