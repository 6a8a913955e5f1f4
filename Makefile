# Everything a developer runs. The first run of a target installs what it needs; later ones start at once.
# Needs: Python 3.11+, Node 20+, make.

PYTHON ?= python3
BIN := .venv/bin
DAY ?= 2026-11-22
# CDK warns on every start that Node 20 is past its end; it still works.
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := 20

.PHONY: help demo test emulator sweep soak mutants golden lint types check synth lock clean bench bench-quick
.DEFAULT_GOAL := help

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

demo: .venv/ready  ## run a day of the two tasks in handlers/ in the local cloud; results and a picture in out/
	$(BIN)/drumbeat local --from $(DAY)T00:00:00Z --to $(DAY)T12:00:00Z --out out

test: .venv/ready  ## run the whole test suite, offline
	$(BIN)/pytest --numprocesses auto --dist worksteal

sweep: .venv/ready  ## break every call of every scene in every way: ten minutes
	DRUMBEAT_SWEEP=full $(BIN)/pytest tests/faults --numprocesses auto

soak: .venv/ready  ## all faults at once in the life of two tasks' runs, for DRUMBEAT_SOAK_MINUTES (30)
	DRUMBEAT_SOAK_MINUTES=$${DRUMBEAT_SOAK_MINUTES:-30} DRUMBEAT_SOAK_SEED=$${DRUMBEAT_SOAK_SEED:-$$(date +%s)} $(BIN)/pytest tests/faults/test_machine.py -x -s

mutants: .venv/ready  ## put small defects into copies of the engine, one at a time: each must be noticed
	$(BIN)/python -m tests.faults.mutants

golden: .venv/ready  ## keep what this version writes, for the next ones to read: once, when it is released
	$(BIN)/python -m tests.golden

emulator: .venv/ready .venv-emulator/ready node_modules/ready  ## walk through the life of a run on an emulator that isn't ours: some minutes
	$(BIN)/python tests/emulator/walk.py

lint: .venv/ready  ## style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/ready  ## static types
	$(BIN)/mypy

synth: .venv/ready node_modules/ready  ## synthesize with the real CDK CLI, validation as errors, then cfn-lint and our own rules
	PATH="$(CURDIR)/$(BIN):$$PATH" npx cdk synth --quiet
	$(BIN)/cfn-lint --ignore-checks W3005 -- cdk.out/*.template.json
	$(BIN)/python -m drumbeat.cdk check cdk.out

check: lint types test synth  ## everything that CI runs

bench: .venv/ready .venv-bench/ready  ## measure speed, memory and requests against alternatives: a quarter of an hour
	for name in cold work ledger growth dispatch; do .venv-bench/bin/python benchmarks/$$name.py || exit 1; done
	$(BIN)/python benchmarks/local.py

bench-quick: .venv/ready .venv-bench/ready  ## the same with tiny numbers: does it run?
	for name in cold work ledger growth dispatch; do .venv-bench/bin/python benchmarks/$$name.py --quick || exit 1; done

lock: .venv/ready  ## pin the requirements anew
	$(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-header --no-emit-index-url \
		--no-emit-find-links --no-emit-trusted-host --output-file requirements.txt requirements.in
	$(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-header --no-emit-index-url \
		--no-emit-find-links --no-emit-trusted-host --output-file tests/emulator/requirements.txt tests/emulator/requirements.in

clean:  ## forget everything that was installed or made
	rm -rf .venv .venv-bench .venv-emulator node_modules cdk.out .drumbeat out

.venv/ready: requirements.txt pyproject.toml handlers/requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit("drumbeat needs Python 3.11 or later: make PYTHON=python3.12 ..." if sys.version_info < (3, 11) else 0)'
	@node --version >/dev/null 2>&1 || { echo "drumbeat needs Node 20 or later on the PATH: CDK runs on it" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	$(BIN)/python -m drumbeat.cdk
	$(BIN)/python scripts/fetch_for_tests.py
	@touch $@

.venv-bench/ready: benchmarks/requirements.txt
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/pip install --quiet --disable-pip-version-check -r benchmarks/requirements.txt
	@touch $@

.venv-emulator/ready: tests/emulator/requirements.txt
	$(PYTHON) -m venv .venv-emulator
	.venv-emulator/bin/pip install --quiet --disable-pip-version-check --require-hashes -r tests/emulator/requirements.txt
	@touch $@

node_modules/ready: package.json package-lock.json
	npm ci --no-audit --no-fund --silent
	@touch $@
