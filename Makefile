# Everything a person does with this project. `make` alone lists the targets.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

# What is slow to make lives outside the checkout, so that a fresh clone starts warm.
CACHE := $(or $(TRADINGBOT_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/tradingbot)
export TRADINGBOT_CACHE := $(CACHE)

SYSTEM_PYTHON ?= python3
UV_ENV := $(CACHE)/uv-$(shell sha256sum requirements/uv.txt | cut -c1-12)
export UV := $(UV_ENV)/bin/uv
VENV := .venv
# What looks for weak places, beside our own environment: it pins much of what is in ours.
SECURITY_ENV := $(CACHE)/security-$(shell sha256sum requirements/security.txt | cut -c1-12)
PYTHON := $(VENV)/bin/python
PYTEST := $(PYTHON) -m pytest
# Files of tests side by side, each whole on one worker. The suite on the cluster is one after another: it has one cluster.
PARALLEL := -n auto --maxprocesses 4 --dist loadfile
# Those of integration wait for half of their time, so there are three for two cores; they begin in an order of their own.
WAITING := -n $(shell expr 3 '*' $$(nproc) / 2) --maxprocesses 6 --dist loadfile --no-loadscope-reorder
export PYTHONUNBUFFERED := 1

include tests/cluster/cluster.mk

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-zA-Z0-9_-]+:.*## / { gsub("[$$][$$]", "$$", $$2); printf "  \033[36m%-16s\033[0m %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo "  bench-NAME       run bench/NAME.py: $(basename $(notdir $(wildcard bench/*.py)))"

##-- setting up

$(UV):
	@$(SYSTEM_PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: set SYSTEM_PYTHON to one" >&2; exit 1; }
	@$(SYSTEM_PYTHON) -c 'import ensurepip' 2>/dev/null || { echo "Python's venv module is missing: apt-get install python3-venv" >&2; exit 1; }
	@rm -rf "$(UV_ENV)" && $(SYSTEM_PYTHON) -m venv "$(UV_ENV).new"
	@"$(UV_ENV).new/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@mv "$(UV_ENV).new" "$(UV_ENV)"

$(VENV)/.ready: requirements/dev.txt pyproject.toml | $(UV)
	@echo "python environment in $(VENV)"
	@[ -x $(PYTHON) ] || $(UV) venv --quiet --python $(SYSTEM_PYTHON) $(VENV)
	@$(UV) pip sync --quiet --python $(PYTHON) --require-hashes requirements/dev.txt
	@$(UV) pip install --quiet --python $(PYTHON) --no-deps --no-build-isolation --editable .
	@touch $@

.PHONY: venv
venv: $(VENV)/.ready ## the Python environment in .venv, pinned by version and hash

.PHONY: requirements
requirements: | $(UV) ## compile requirements/*.txt anew from pyproject.toml
	@compile() { $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
		--custom-compile-command 'make requirements' --output-file "requirements/$$1" "$${@:2}"; }; \
	compile uv.txt requirements/uv.in; \
	compile operator.txt pyproject.toml --extra operator; \
	compile engine.txt pyproject.toml --extra engine --extra observer; \
	compile engine-sentiment.txt pyproject.toml --extra sentiment --constraints requirements/engine.txt; \
	compile dev.txt pyproject.toml --all-extras --group test; \
	compile bench.txt --group bench; \
	compile security.txt --group security

##-- checking

.PHONY: check
check: venv ## what CI runs first: formatting, lint, types, import rules, generated files
	$(VENV)/bin/ruff format --check --quiet .
	$(VENV)/bin/ruff check --quiet .
	$(VENV)/bin/mypy
	@# Folders of programs that import their neighbours: each is a search path of its own.
	for folder in tests/cluster tests/e2e tests/servers tests/browser tests/control_plane charts demo observability bench; do MYPYPATH=$$folder:tests/control_plane:tests/e2e:tests/browser:tests/servers:tests/cluster:engine:operator:cli:observability $(VENV)/bin/mypy $$folder; done
	$(VENV)/bin/lint-imports --no-cache
	$(PYTHON) -m tradingbot_operator.generate --check
	$(PYTHON) -m tradingbot_cli.reference --check
	$(PYTHON) -m tradingbot_observability.generate --check
	$(PYTHON) charts/readme.py --check

.PHONY: format
format: venv ## format the code and mend what the linter can mend
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .

.PHONY: generate
generate: venv ## write what is made from the typed models and the chart: CRD, reference, chart's README, install.yaml
	$(PYTHON) -m tradingbot_operator.generate
	$(PYTHON) -m tradingbot_cli.reference
	$(PYTHON) -m tradingbot_observability.generate
	$(PYTHON) charts/readme.py
	$(PYTHON) charts/install_manifest.py
	$(PYTHON) security/rbac_reference.py --programs "$(CACHE)/bin"

.PHONY: chart-snapshots
chart-snapshots: ## take the chart's snapshots anew, after a wanted change of a template; look at the diff
	@$(SYSTEM_PYTHON) tests/cluster/cluster.py tools
	$(CACHE)/bin/helm-unittest --strict --update-snapshot charts/tradingbot-operator

.PHONY: test-unit
test-unit: venv ## the quick part: checks, unit and architecture tests, no cluster
	@# Each of them keeps one core busy.
	@$(MAKE) --no-print-directory --jobs 2 --output-sync=line check security
	@# The chart's tests need helm; where it has to be built first, that should be seen.
	@$(SYSTEM_PYTHON) tests/cluster/cluster.py tools
	$(PYTEST) $(PARALLEL) tests/unit tests/architecture

$(SECURITY_ENV)/.ready: | $(UV)
	@echo "python environment of the checkers in $(SECURITY_ENV)"
	@rm -rf "$(SECURITY_ENV)" && $(UV) venv --quiet --python $(SYSTEM_PYTHON) "$(SECURITY_ENV)"
	@$(UV) pip sync --quiet --python "$(SECURITY_ENV)/bin/python" --require-hashes requirements/security.txt
	@touch $@

.PHONY: security
security: venv $(SECURITY_ENV)/.ready sbom ## what checkov, Trivy's checks and bandit say of chart, bots' objects, Dockerfile and code
	@$(SYSTEM_PYTHON) tests/cluster/cluster.py tools
	$(PYTHON) security/check.py --environment "$(SECURITY_ENV)" --programs "$(CACHE)/bin"

.PHONY: sbom
sbom: venv $(SECURITY_ENV)/.ready ## what is in each image, as CycloneDX, in build/sbom
	$(PYTHON) security/sbom.py --validate-with "$(SECURITY_ENV)/bin/python"

.PHONY: test-integration
test-integration: venv ## real processes, files and sockets, no cluster
	$(PYTEST) $(WAITING) tests/integration

.PHONY: crash-consistency
crash-consistency: venv ## the operator ended around every single call of a scenario; the suite takes some of them
	CRASH_EVERY=1 $(PYTEST) -s tests/integration/operator/test_crash_consistency.py

.PHONY: fuzz
fuzz: venv ## what parses input from outside, with many thousand damaged examples each; the suite tries a hundred
	TRADINGBOT_FUZZ_EXAMPLES=$(or $(EXAMPLES),10000) $(PYTEST) $(PARALLEL) tests/unit/fuzz

.PHONY: test-e2e
test-e2e: venv cluster-up images cluster-load ## the suite on a real cluster, which it brings up
	$(PYTEST) tests/e2e

.PHONY: test
test: ## everything: checks, unit, integration and the suite on a real cluster
	@$(MAKE) --no-print-directory test-unit
	@$(MAKE) --no-print-directory test-integration
	@$(MAKE) --no-print-directory test-e2e

##-- trying it

.PHONY: demo
demo: venv ## a real cluster, the operator, a bot that trades real prices, broken and healed before your eyes
	$(PYTHON) demo/demo.py

.PHONY: run
run: venv ## the first bot on this machine, without a cluster
	$(VENV)/bin/tradingbot run manifests/samples/first-bot.yaml

.PHONY: dashboards-preview
dashboards-preview: venv ## the dashboards without Grafana: of PROMETHEUS=URL, or of a small fleet that runs here
	$(PYTHON) observability/dashboards_preview.py $(if $(PROMETHEUS),--prometheus $(PROMETHEUS)) $(if $(MINUTES),--minutes $(MINUTES))

bench-%: venv ## one measurement, for example make bench-footprint
	$(PYTHON) bench/$*.py

.PHONY: clean
clean: ## remove what was built in the checkout (the cache outside it stays)
	rm -rf build dist .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
