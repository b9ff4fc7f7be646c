# What people, hooks and CI call. `make` alone lists the targets.
PYTHON ?= python3
BIN := .venv/bin
DATA ?=
RECIPE ?=
MIRROR ?=
SET ?=
PIP_FLAGS ?=
SBOM ?= sbom.json
# Programs read MIRROR from their environment as it was typed: neither make nor a shell expands or quotes it.
override MIRROR := $(value MIRROR)
export MIRROR

# No dependency phones home, and nothing is asked.
export DVC_NO_ANALYTICS = 1
export DO_NOT_TRACK = 1
export GX_ANALYTICS_ENABLED = false
export MLFLOW_DISABLE_TELEMETRY = true
export MLFLOW_ALLOW_PICKLE_DESERIALIZATION = false
export PREFECT_SERVER_ANALYTICS_ENABLED = false
# Huge pages for large tensors: S1's dense gradient alone is 151 MB.
export THP_MEM_ALLOC_ENABLE = 1
export PATH := $(CURDIR)/$(BIN):$(PATH)

# Everything that a target starts ends with it, also when make is killed.
GROUP = $(BIN)/python -m pipelines.group

.DEFAULT_GOAL := help
.PHONY: help run lfw folder sweep experiments results view2 results-pack results-gpu register test coverage test-slow dist-test docs linkcheck test-security fuzz lint format bench ui pages pictures config lock sbom licences clean

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):[^#]*## /\1\t/' | expand -t 14

# Only files whose digests are locked are installed, also to build the few packages that have no wheel. The lock is
# complete, so pip resolves nothing. Of torch a CPU build is taken where pip is configured with one whose digest is
# locked; pip itself would prefer the index's file. `pip check` says whether torch also needs the CUDA libraries.
PIP = $(BIN)/python -m pip --disable-pip-version-check
INSTALL = $(PIP) install $(PIP_FLAGS) --require-hashes --no-deps --no-build-isolation
.venv/.installed: requirements.lock requirements-cuda.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Likeness needs Python >= 3.11; found $$($(PYTHON) --version). Try: make PYTHON=python3.12 run"; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "installing the tested versions into .venv (once; some minutes)"
	sed -n '/^setuptools==/,/[^\\]$$/p' requirements.lock | $(INSTALL) -r /dev/stdin
	@sed -n '/^torch==/,/[^\\]$$/{s/^torch==[^ ;]*/&+cpu/;p}' requirements.lock | $(INSTALL) -q -r /dev/stdin 2>/dev/null || \
	  echo "pip has no CPU build of torch with a locked digest; the index's build is installed"
	$(INSTALL) -r requirements.lock
	@$(PIP) check >/dev/null || $(INSTALL) -r requirements-cuda.lock
	@$(PIP) check
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

.PHONY: repository
repository: # DVC needs one, and a downloaded archive has none
	@git rev-parse --git-dir >/dev/null 2>&1 || \
	  { echo "this is not a git repository (a downloaded archive?): git init && git add -A && git commit -m start"; exit 2; }

.PHONY: readable
readable: .venv/.installed # a file that DVC would otherwise fail on in its own words, or never end with
	@$(BIN)/python -m pipelines.readable

run: repository .venv/.installed readable ## the pipeline that params.yaml describes, then where its results are
	@$(GROUP) $(BIN)/dvc repro
	@$(BIN)/likeness where

EXPERIMENTS = $(GROUP) $(BIN)/python -m pipelines.experiments
WORKSPACE = $(EXPERIMENTS) workspace $(foreach one,$(SET),--set '$(one)') $(STAGES)

lfw: repository .venv/.installed readable ## the pipeline on LFW-a; MIRROR=<folder or URL> takes it from there; DATA=<variant> RECIPE=koch
	@$(WORKSPACE) --recipe '$(or $(RECIPE),koch)' $(if $(DATA),--source '$(DATA)')
	@$(BIN)/likeness where

folder: repository .venv/.installed readable ## the pipeline on your own people: MIRROR=<one folder of photographs a person> RECIPE=own-photographs
	@$(WORKSPACE) --recipe '$(or $(RECIPE),own-photographs)' --source folder
	@$(BIN)/likeness where

test: .venv/.installed ## the test suite (real components, about ten minutes on two cores)
	$(BIN)/python -m pytest -m "not slow and not nightly" -n 2 --dist loadfile $(PYTEST_ARGS)

coverage: .venv/.installed ## which lines the quick tests run; fails below the floor in pyproject.toml
	-$(BIN)/python -m pytest -m "not slow and not nightly" -n 2 --dist loadfile --cov --cov-report= $(PYTEST_ARGS)
	$(BIN)/python -m coverage report # a few tests notice the measurement; `make test` judges them

dist-test: .venv/.installed ## build wheel and sdist, install the core alone outside the checkout, use it; KEEP=folder keeps both
	$(BIN)/python -m benchmarks.distribution $(if $(KEEP),--keep '$(KEEP)')

test-slow: .venv/.installed ## the tests that take minutes (about half an hour on two cores)
	$(BIN)/python -m pytest -m slow -n 2 --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

test-security: .venv/.installed ## every attack that docs/security.md names; fails while one of them has no test
	$(BIN)/python -m pytest -m attack $(PYTEST_ARGS)

fuzz: .venv/.installed ## altered files and requests for every reader: SECONDS=120, SEED= to repeat a run, TARGET= one kind
	$(BIN)/python -m tests.fuzz --seconds $(or $(SECONDS),120) $(if $(SEED),--seed $(SEED)) $(if $(TARGET),--target $(TARGET))

docs: .venv/.installed ## the documentation, readable offline: docs/_build/html/index.html; warnings are errors
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs docs/_build/html
	@echo docs/_build/html/index.html

linkcheck: .venv/.installed ## whether the addresses that the documentation names still answer; needs the internet
	$(BIN)/python -m sphinx -q -b linkcheck docs docs/_build/linkcheck

lint: .venv/.installed ## style, types and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/.installed ## let ruff lay the code out
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv/.installed ## what the performance figures of the README were measured with
	$(BIN)/python -m benchmarks

PLAN = $(if $(FULL),full,$(if $(MIRROR)$(DATA),lfw,drawn))
FACES = $(if $(DATA),--source '$(DATA)')
ASKED = $(foreach one,$(RECIPES),--recipe $(one)) $(if $(SEEDS),--seeds $(SEEDS)) $(FACES) $(foreach one,$(SET),--set '$(one)')
SEEDS ?=
PACK ?= results-packed

sweep: repository .venv/.installed readable ## accuracy against learning rate, batch, epochs, people: on drawn faces; on LFW with MIRROR= or DATA=; FULL=1
	@$(EXPERIMENTS) plan $(PLAN) --out results/sweep-$(PLAN) $(FACES)
	@$(EXPERIMENTS) run --out results/sweep-$(PLAN) --into reports/sweep.csv
	@if test -d reports/evaluation; then $(GROUP) $(BIN)/dvc repro --single-item report; fi

results: .venv/.installed ## every recipe (RECIPES="koch best") on LFW from MIRROR=, SEEDS=3 of each, SET="train.epochs=9", into docs/results.md
	$(EXPERIMENTS) plan results $(ASKED)
	$(EXPERIMENTS) run --into docs/results.md --into reports/recipes.csv

view2: .venv/.installed ## the ten folds of LFW's View 2 for RECIPES=best, from MIRROR=, into docs/results.md
	$(EXPERIMENTS) plan view2 $(ASKED)
	$(EXPERIMENTS) run --into docs/results.md

results-pack: .venv/.installed ## pack the unfinished trials of `results` or `view2` into PACK=folder, to be carried to a GPU machine
	$(EXPERIMENTS) plan results $(ASKED)
	$(EXPERIMENTS) pack --to $(PACK)

results-gpu: ## there, without set-up: train and measure what PACK=folder holds, with the torch of PYTHON=python3
	PYTHONPATH=src:.:$(PACK)/packages $(PYTHON) -m pipelines.experiments run --out $(PACK) --device cuda

COMPARED = accuracy|auc|eer|recipe\.name|data\.source|synthetic\.people|model\.backbone\.(name|width)|train\.(epochs|learning_rate|batch_size|seed|loss\.name)$$

experiments: repository .venv/.installed ## DVC experiments beside each other: headline figures, and what of the parameters that people vary differs
	@$(BIN)/dvc exp show --no-pager --only-changed --drop '(?!Experiment|$(COMPARED))'

register: repository .venv/.installed readable ## register the evaluated model as challenger and let the gate decide
	$(GROUP) $(BIN)/python -m pipelines.register

ui: .venv/.installed ## compare runs in the browser; prints the page's address, and opens it where there is a screen
	@MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false $(GROUP) $(BIN)/python -m pipelines.runs_page

pages: .venv/.installed docs ## every page at three widths, light, dark, on paper: pictures and faults in pages/ (ONLY=report ...)
	-@$(BIN)/dvc plots show -q >/dev/null
	$(BIN)/python -m tests.pages $(if $(ONLY),--only $(ONLY))

pictures: .venv/.installed ## the pictures of pages in docs/images, by the tests that look at them; needs Chromium
	LIKENESS_PICTURES=docs/images $(BIN)/python -m pytest -m slow tests/pages/test_pictures.py tests/pipelines/test_runs_page.py

config: .venv/.installed ## write conf/config.yaml from the defaults in the code
	$(BIN)/python -m tools.defaults

lock: ## write requirements.lock: the versions it has where pyproject.toml allows them (UPGRADE=1: the newest), with digests
	$(BIN)/python -m tools.lock $(if $(UPGRADE),--upgrade)

sbom: .venv/.installed ## write sbom.json, what is installed here as CycloneDX
	$(BIN)/python -m cyclonedx_py environment --pyproject pyproject.toml --output-reproducible --output-file $(SBOM) $(BIN)/python

licences: .venv/.installed ## write docs/licences.md, the licences of the locked packages
	$(BIN)/python -m tools.licences > docs/licences.md

clean: ## remove the outputs of the stages (the DVC cache, the runs and the records of nightly runs stay)
	rm -rf data/faces data/splits models/model reports/train reports/evaluation reports/validation reports/figures reports/report.*

.PHONY: nightly nightly-now test-nightly
nightly: repository .venv/.installed readable ## retrain every night at nightly.cron until stopped (page: http://127.0.0.1:4200)
	$(GROUP) $(BIN)/python -m pipelines.nightly serve

nightly-now: repository .venv/.installed readable ## one nightly run, now; ARGS="--force-train" trains from a new seed, --accept-drift adds any batch, --no-settle waits for no file
	$(GROUP) $(BIN)/python -m pipelines.nightly now $(ARGS)

test-nightly: .venv/.installed ## whole nightly runs with real stages, a cron that fires, kills at random points (about an hour)
	$(BIN)/python -m pytest -s -m nightly tests/pipelines
