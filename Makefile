# One door for people, pre-commit and CI. `make help` lists the targets.
# Every target sets up .venv by itself on first use and works offline after that.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

BIN := .venv/bin
SETUP := @.ci/setup
RUN := $(BIN)/python -m demo
# A command on the lake that the environment names, else on the demo's.
LAKE = $(RUN) lake $(DEMO_OPTIONS) --

# A person's words, as one word of the shell: neither make nor the shell reads anything into them.
verbatim = '$(subst ','\'',$(value $(1)))'
unexport REASON LEGAL_BASIS BY

# A variable that is not given leaves the demo's own default.
DEMO_OPTIONS = $(if $(DATE),--date=$(DATE)) $(if $(TIMEZONE),--timezone=$(TIMEZONE)) \
	$(if $(CONVERSATIONS),--conversations=$(CONVERSATIONS)) $(if $(SEED),--seed=$(SEED)) \
	$(if $(CONTRACT),--contract=$(CONTRACT)) $(if $(SCENARIO),--scenario=$(SCENARIO)) $(if $(PORT),--port=$(PORT)) \
	$(if $(FAULT),--fault=$(call verbatim,FAULT))

.PHONY: help setup demo up down run single day rebuild-catalog verify doctor deliver derive evidence erase hold test check static lint types layers spelling deploy-files quick bench docs fix lock clean

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## make .venv with the pinned requirements (the other targets do it by themselves)
	$(SETUP)

demo: ## archive a day of the sandbox and print what is where [DATE CONVERSATIONS SEED CONTRACT=guide SCENARIO FAULT="name ..." TIMEZONE PORT KEEP=1]
	$(SETUP)
	@$(RUN) demo $(DEMO_OPTIONS) $(if $(KEEP),--keep)

up: ## start the demo stack in the background and print the UI's address [the same variables]
	$(SETUP)
	@$(RUN) up $(DEMO_OPTIONS)

down: ## stop the demo stack
	$(SETUP)
	@$(RUN) down

run: ## archive DATE=YYYY-MM-DD [END_DATE= ONLY_FAILED=1] with the connections in the environment; 0 only if complete
	$(SETUP)
	@$(RUN) run --date=$(DATE) $(if $(END_DATE),--end-date=$(END_DATE)) $(if $(ONLY_FAILED),--only-failed)

single: ## archive one recording now, with the connections in the environment: CONVERSATION=uuid [RECORDING=uuid OUTPUT_FORMAT=wav] or MEDIA=uuid [DATE=]
	$(SETUP)
	@$(RUN) single $(if $(CONVERSATION),--conversation=$(call verbatim,CONVERSATION)) $(if $(RECORDING),--recording="$(RECORDING)") \
		$(if $(MEDIA),--media="$(MEDIA)") $(if $(DATE),--date="$(DATE)") \
		$(if $(OUTPUT_FORMAT),--output-format="$(OUTPUT_FORMAT)")

# day, verify, rebuild-catalog, erase, hold, deliver: without a lake in the environment they take the demo's,
# chosen by the variables it was made with (CONTRACT SCENARIO SEED FAULT TIMEZONE).
day: ## print what became of DATE=YYYY-MM-DD [END_DATE= REPORT=1 the whole page], from the lake in the environment, else the demo's
	$(SETUP)
	@$(LAKE) day --date=$(DATE) $(if $(END_DATE),--end-date=$(END_DATE)) $(if $(REPORT),--report)

verify: ## prove the lake against its own evidence: all days, or DATE=YYYY-MM-DD [END_DATE= DEEP=1 reads every byte, WHOLE=1 also what no day names]
	$(SETUP)
	@$(LAKE) verify $(if $(DATE),--date=$(DATE)) $(if $(END_DATE),--end-date=$(END_DATE)) $(if $(DEEP),--deep) $(if $(WHOLE),--whole)

rebuild-catalog: ## build the catalog anew from the commits, on the lake of the environment or the demo's [DATE= END_DATE=]
	$(SETUP)
	@$(LAKE) rebuild-catalog $(if $(DATE),--date=$(DATE)) $(if $(END_DATE),--end-date=$(END_DATE))

doctor: ## say what the bucket itself guards: versions, locks, who else may come in; 0 only if it is enough
	$(SETUP)
	@$(LAKE) doctor

deliver: ## send what the webhook's receiver has not taken yet [DATE=YYYY-MM-DD: of that day too, DEAD=1: also what was given up]
	$(SETUP)
	@$(LAKE) deliver $(if $(DATE),--date=$(DATE)) $(if $(DEAD),--dead)

derive: ## make copies of what the lake holds: DATE=YYYY-MM-DD or CONVERSATION=uuid, OUTPUT_FORMAT=wav|mp3 and/or CHANNELS=mono [END_DATE=]
	$(SETUP)
	@$(LAKE) derive $(if $(DATE),--date=$(DATE)) $(if $(END_DATE),--end-date=$(END_DATE)) \
		$(if $(CONVERSATION),--conversation=$(call verbatim,CONVERSATION)) \
		$(if $(OUTPUT_FORMAT),--output-format=$(OUTPUT_FORMAT)) $(if $(CHANNELS),--channels=$(CHANNELS))

evidence: ## the long proofs that the suite holds only a small form of: thousands of conversations, 150 kills, races [PYTEST_ARGS=]
	$(SETUP)
	$(BIN)/pytest -m evidence -s $(PYTEST_ARGS)

test: ## the whole test suite [PYTEST_ARGS=]
	$(SETUP)
	$(BIN)/pytest $(PYTEST_ARGS)

check: static quick ## everything but the journeys: style, types, layers, spelling, deployment files, tests

static: lint types layers spelling deploy-files ## the checks that run nothing

lint: ## style and formatting
	$(SETUP)
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: ## mypy, strict
	$(SETUP)
	$(BIN)/mypy

layers: ## who may import whom
	$(SETUP)
	PYTHONPATH=.:plugins $(BIN)/lint-imports

# The ignored words are misspelt on purpose, in tests of how we answer them.
spelling: ## codespell
	$(SETUP)
	$(BIN)/codespell --ignore-words-list=platfrom,bu --skip='.venv,.git,.demo,.airflow,.*_cache,requirements*.txt,*.pyc'

deploy-files: ## schema of docker-compose.yaml
	$(SETUP)
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yaml

quick: ## the tests without the journeys
	$(SETUP)
	$(BIN)/pytest -m "not journey and not evidence" $(PYTEST_ARGS)

bench: ## race the archive against the tools it replaces, several GB, and write docs/performance.md [QUICK=1 LEGS=word,... REPEATS=n KEEP=1]
	$(SETUP)
	@$(BIN)/python -m benchmarks $(if $(QUICK),--quick) $(if $(LEGS),--legs=$(LEGS)) $(if $(REPEATS),--repeats=$(REPEATS)) $(if $(KEEP),--keep)

erase: ## erase one conversation for good: CONVERSATION=uuid REASON= LEGAL_BASIS= [DATE= BY= DRY_RUN=1 BYPASS_GOVERNANCE=1]
	$(SETUP)
	@$(LAKE) erase --conversation=$(call verbatim,CONVERSATION) $(if $(DATE),--date="$(DATE)") --reason=$(call verbatim,REASON) \
		--legal-basis=$(call verbatim,LEGAL_BASIS) $(if $(BY),--by=$(call verbatim,BY)) $(if $(DRY_RUN),--dry-run) \
		$(if $(BYPASS_GOVERNANCE),--bypass-governance)

hold: ## put one conversation under a legal hold, or lift it: CONVERSATION=uuid REASON= [DATE= BY= RELEASE=1]
	$(SETUP)
	@$(LAKE) hold --conversation=$(call verbatim,CONVERSATION) $(if $(DATE),--date="$(DATE)") --reason=$(call verbatim,REASON) \
		$(if $(BY),--by=$(call verbatim,BY)) $(if $(RELEASE),--release)

docs: ## write docs/DAGS.md from the DAGs
	$(SETUP)
	$(BIN)/python docs/generate_dags.py

fix: ## format, and repair what ruff can repair
	$(SETUP)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

lock: ## pin the newest versions that requirements*.in allow (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 requirements.in -o requirements.txt
	uv pip compile --quiet --universal --python-version 3.11 -c requirements.txt requirements-dev.in -o requirements-dev.txt

clean: ## stop the demo and delete what it and the tools left (not .venv)
	@if [ -x $(BIN)/python ]; then $(RUN) down; fi
	rm -rf .demo .airflow .bench .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .coverage htmlcov
	find . -name __pycache__ -type d -not -path './.venv/*' -prune -exec rm -rf {} +
