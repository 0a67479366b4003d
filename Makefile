# One command each: `make run`, `make test`, `make check`. Needs python3 (3.11+) with venv.
# A target ends at its first command that fails.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
WORKERS ?= auto
EXAMPLE := deploy/examples/alarm-technote.txt
NEEDS := watcher needs Python 3.11 or newer with venv. Debian, Ubuntu: sudo apt-get install python3 python3-venv. Another interpreter: make PYTHON=python3.12 run

.DEFAULT_GOAL := help
.PHONY: help run plan test check lint types contracts docs schema golden bench bench-ingest bench-proof crash load fuzz prove parts lock dev clean

help: ## Show the targets.
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

$(STAMP): pyproject.toml requirements.lock
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is missing: $(NEEDS)" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$$($(PYTHON) --version 2>&1) is too old: $(NEEDS)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) cannot make virtual environments: $(NEEDS)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(STAMP)

dev: $(STAMP) ## Create the virtual environment with the locked dependencies.

run: $(STAMP) ## Run the daemon on the loopback and send it the example alarm; Ctrl-C ends it.
	@trap '' INT; $(BIN)/watcher run --settings deploy/examples/demo.yaml --demo $(EXAMPLE)

plan: $(STAMP) ## Draw the plan for the example alarm on the screen, without the daemon.
	$(BIN)/watcher plan $(EXAMPLE)

test: $(STAMP) ## Run the tests; WORKERS=0 for all of them in one process.
	$(BIN)/python -m pytest -q -rsfE --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder

check: lint types contracts ## Lint, types, import contracts (tests: make test).

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy

contracts: $(STAMP)
	$(BIN)/lint-imports --no-logo

docs: $(STAMP) ## Write docs/reference.md and README's help block anew from the code.
	$(BIN)/python docs/make_reference.py

schema: $(STAMP) ## Write rules/schema/*.json anew from the code.
	$(BIN)/watcher rules schema --output rules/schema/pack.json
	$(BIN)/watcher inventory schema --output rules/schema/inventory.json
	$(BIN)/watcher config schema --output rules/schema/settings.json

golden: $(STAMP) ## Draw the golden plans anew; read the difference before you commit it.
	$(BIN)/python -m pytest -q tests/test_golden.py --write-golden

bench: $(STAMP) ## Read a million lines beside grep and a plain re scanner; cold start of a plan.
	$(BIN)/python tests/bench.py

bench-ingest: $(STAMP) ## CPU for a million lines by UDP, TCP and TLS, beside rsyslog and syslog-ng.
	$(BIN)/python tests/bench_ingest.py
	$(BIN)/python tests/bench_cases.py

bench-proof: $(STAMP) ## Prove orders for 20 nodes and 60 phone groups: seconds, and how they grow.
	$(BIN)/python tests/bench_proof.py

crash: $(STAMP) ## Kill the daemon 200 times at random and at every named point; count what is lost.
	$(BIN)/python tests/crash.py

load: $(STAMP) ## Load the daemon and treat it badly: loss, cases, memory, stall.
	$(BIN)/python tests/load.py

fuzz: $(STAMP) ## Feed framers, headers, alarms, mail, dates and settings with rubbish.
	$(BIN)/python tests/fuzz.py

prove: $(STAMP) ## Judge the plans of 10,000 generated clusters, spoiled ones too, by a second prover.
	$(BIN)/python tests/prove.py

parts: ## Unpack real syslog programs for the tests into .parts (Debian, Ubuntu; no root needed).
	bash tests/real/fetch_parts.sh

lock: ## Resolve the dependencies anew into requirements.lock (needs uv).
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --all-extras pyproject.toml -o requirements.lock

clean: ## Remove the virtual environment and what tools left behind.
	rm -rf $(VENV) .parts .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist build
