# `make help` lists what there is. Everything is installed into $(VENV), once.

VENV ?= .venv
PORT ?= 8000
HOST ?= 127.0.0.1
# without a GPU a configuration of small batches
CONFIG ?= configs/pose.yaml
# PyTorch without CUDA is gigabytes smaller: make test TORCH_INDEX=https://download.pytorch.org/whl/cpu
TORCH_INDEX ?=

# the first Python that is new enough
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(firstword $(foreach p,python3 python3.13 python3.12 python3.11,$(shell $(p) -c '$(NEW_ENOUGH)' 2>/dev/null && echo $(p))))

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
RUN := $(VENV)/.run-ready
DEV := $(VENV)/.dev-ready
FUZZ := $(VENV)/.fuzz-ready
NODE := node_modules/.ready

.DEFAULT_GOAL := help
.PHONY: help serve predict test lint test-python test-site bench load soak fuzz figures train export rehearse rehearse-arm64 audit audit-python audit-npm clean

help:  ## This list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

serve: $(RUN)  ## The website and the API on http://127.0.0.1:8000 (PORT=, HOST=)
	$(BIN)/hpe serve --port $(PORT) --host $(HOST)

predict: $(RUN)  ## Draw the pose in a photo, into build/: make predict IMAGE=photo.jpg (OUT=)
	@test -n "$(IMAGE)" || { echo "Say which photo: make predict IMAGE=photo.jpg" >&2; exit 2; }
	$(BIN)/hpe predict "$(IMAGE)" -o "$(if $(OUT),$(OUT),build/)" --overwrite

# Each part runs although another failed: one run shows all that is wrong.
test:  ## Lint, types and every test
	@failed=; for part in lint test-python test-site; do $(MAKE) --no-print-directory $$part || failed="$$failed $$part"; done; \
	if [ -n "$$failed" ]; then echo "FAILED:$$failed" >&2; exit 1; fi; echo "All passed: lint, test-python, test-site"

lint: $(DEV)  ## ruff, mypy and bandit
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/bandit -q -r hpe handler.py worker.py
	$(BIN)/bandit -q -r deploy -c deploy/bandit.yml

test-python: $(DEV) $(if $(shell command -v npm),$(NODE))  ## pytest, and what took longest; browser and deploy tests run where Chromium and Node are (TESTS=)
	$(BIN)/pytest -n 2 --durations=20 --durations-min=1 $(TESTS)

test-site: $(if $(shell command -v npm),$(NODE))  ## The site's JavaScript: eslint and node's own test runner
	@if command -v npm >/dev/null; then npm run --silent lint && npm run --silent test; \
	else echo "SKIPPED: the site's JavaScript tests need Node 20 and npm: apt-get install nodejs npm"; fi

bench: $(DEV)  ## Measure everything and write bench/results.md (minutes)
	$(BIN)/python -m bench

load: $(DEV)  ## Clients at the local server, 1 to 32 at a time: latency, refusals, wrong answers (minutes)
	$(BIN)/python -m bench load

soak: $(DEV)  ## 10,000 mixed requests to the local server: memory, open files, temporary files (half an hour)
	$(BIN)/python -m bench --full soak

fuzz: $(FUZZ)  ## Damaged photos, guided by coverage, and hostile pictures (minutes); findings in build/fuzz/ (FUZZ_ARGS=)
	$(BIN)/python -m fuzz $(FUZZ_ARGS)

figures: $(DEV)  ## The website's samples, the README's example and docs' pictures: after every change of the model
	$(BIN)/python docs/make_samples.py --answers
	$(BIN)/python docs/make_example.py
	$(BIN)/python docs/make_figures.py
	$(BIN)/python docs/make_skeleton.py
	$(BIN)/python docs/make_gallery.py

train: $(DEV)  ## Train, or go on training, on the GPU if there is one: make train CONFIG=configs/...yaml (docs/training.md)
	$(BIN)/hpe train --config "$(CONFIG)"

export: $(DEV)  ## Checkpoints to a model: make export POSE=best.pt LOCATE=locate.pt PEOPLE=people.json OUT=models/pose.json
	@test -n "$(POSE)" -a -n "$(PEOPLE)" -a -n "$(OUT)" || { echo "Say what: make export POSE=best.pt [LOCATE=locate.pt] PEOPLE=people.json OUT=models/pose.json" >&2; exit 2; }
	$(BIN)/hpe export --pose "$(POSE)" $(if $(LOCATE),--locate "$(LOCATE)") --people "$(PEOPLE)" -o "$(OUT)"

rehearse: $(DEV) $(NODE)  ## The whole deployment, on this machine alone
	$(BIN)/python -m deploy.rehearse

rehearse-arm64: $(DEV) $(NODE)  ## The arm64 package under qemu-user: same joints as here
	$(BIN)/python -m deploy.rehearse_arm64

audit: audit-python audit-npm  ## Known vulnerabilities of what is shipped (pip-audit) and of the tools that deploy it (npm audit)

audit-python: $(VENV)-audit/.ready
	$(VENV)-audit/bin/pip-audit --strict --no-deps --disable-pip -r requirements-cli.txt

audit-npm:
	npm audit

$(VENV)-audit/.ready: | $(BIN)/python
	$(BIN)/python -m venv $(VENV)-audit
	$(VENV)-audit/bin/pip install -q --disable-pip-version-check pip-audit==2.10.1
	@touch $@

clean:  ## Remove what was built and installed here; models and training runs stay
	rm -rf "$(VENV)" "$(VENV)-audit" node_modules build .serverless .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info
	find . -name __pycache__ -not -path './.git/*' -prune -exec rm -rf {} +

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "hpe needs Python 3.11 or newer; python3 here is $$(python3 --version 2>&1): install one, or name it: make serve PYTHON=/path/to/python3.13" >&2; exit 1; }
	@$(PYTHON) -c '$(NEW_ENOUGH)' || { echo "hpe needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) has no venv module: apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv "$(VENV)"

$(RUN): requirements.txt requirements-cli.txt pyproject.toml | $(BIN)/python
	$(PIP) install -q -r requirements-cli.txt
	$(PIP) install -q --no-deps -e .
	@touch $@

$(DEV): requirements-dev.txt $(RUN)
	$(PIP) install -q --no-compile -r requirements-dev.txt $(if $(TORCH_INDEX),--extra-index-url "$(TORCH_INDEX)")
	@touch $@

# without it python -m fuzz still measures hostile pictures, then says what was not run, and fails
$(FUZZ): fuzz/requirements.txt $(DEV)
	@if $(PIP) install -q -r fuzz/requirements.txt; then touch $@; \
	else echo "atheris cannot be installed here (it has wheels for Linux on x86-64): fuzzing goes on without it" >&2; fi

$(NODE): package-lock.json
	npm ci --silent --no-audit --no-fund
	@touch $@
