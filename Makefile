# make demo   the whole way on synthetic clips, on a CPU
# make test   the test suite
# make test-fast   what a push needs: all of it but long runs and the SLURM of two nodes
# make coverage   lines and branches of the package that the tests reach, child processes included
# make reference   the pages that are generated from the code: recipe keys, commands, public functions
# make site   the documentation as a site, into build/site
# make lock   uv.lock: pyproject.toml and constraints.txt resolved for every supported Python
# make image  a container image with emotrain (docker, or podman as DOCKER=podman)
# make cluster-test   only the tests that run jobs on a SLURM of two nodes, started here (root; apt: slurm-wlm, munge)
# make nightly  hours: tests/endurance.py with another seed every night, every accelerate configuration on two nodes
# make audit  known faults in the packages of constraints.txt (pip-audit, where its service can be reached)
# make hashes constraints.hashes.txt: the same versions with the hash of each file
# All set up .venv first, with the versions of constraints.txt; by uv where it is installed, which takes seconds.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SEED ?= 0
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
# uv knows nothing of pip's own settings (an index behind a firewall), so pip has the last word.
UV := $(shell command -v uv 2>/dev/null)
ifneq ($(UV),)
INSTALL := ./.ci/uv-or-pip $(BIN)/python --constraint constraints.txt
endif
DOCKER ?= docker
TAG ?= emotrain:latest
export OMP_NUM_THREADS ?= 1
export TOKENIZERS_PARALLELISM = false

.PHONY: demo test test-fast coverage reference site lock image audit hashes fuzz endurance nightly cluster-test lint bench tiny-base action-units figures clean

demo: $(VENV)/.run
	$(BIN)/emotrain demo

PYTEST := $(BIN)/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder

test: $(VENV)/.dev
	$(PYTEST)

test-fast: $(VENV)/.dev
	$(PYTEST) -m 'not slow and not cluster'

# Tests of time limits may fail while lines are counted; what they reached counts all the same.
coverage: $(VENV)/.dev
	$(INSTALL) 'coverage>=7.10'
	mkdir -p build/coverage
	$(BIN)/coverage erase
	-$(BIN)/coverage run -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder -m 'not cluster'
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --sort=cover

fuzz: $(VENV)/.dev
	$(BIN)/python tests/fuzz.py --cases 3000

endurance: $(VENV)/.dev
	$(BIN)/python tests/endurance.py --damages 500 --kills 1000 --seed $(SEED)

nightly: SEED := $(shell date +%Y%j)
nightly: endurance
	EMOTRAIN_NIGHTLY=1 $(BIN)/python -m pytest tests/cluster/test_every_configuration.py

cluster-test: $(VENV)/.dev
	tests/cluster/two_nodes.sh check
	$(BIN)/python -m pytest tests/cluster

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

audit:
	.ci/audit

hashes: $(VENV)/bin/python
	.ci/hashes $(BIN)/python > constraints.hashes.txt

reference: $(VENV)/.dev
	$(BIN)/python docs/reference.py

site: $(VENV)/.dev
	$(INSTALL) --editable '.[docs]'
	$(BIN)/mkdocs build --strict

lock:
	.ci/lock

image:
	$(DOCKER) build --file containers/Dockerfile --tag $(TAG) .

bench: $(VENV)/.dev
	$(BIN)/python benchmarks/motion_events.py --clips 88 --seed 303
	$(BIN)/python benchmarks/decode.py --repeats 3
	$(BIN)/python benchmarks/score.py --model tiny --repeats 8
	$(BIN)/python benchmarks/score.py --model large --repeats 2
	$(BIN)/python benchmarks/training_step.py --repeats 8
	$(BIN)/python benchmarks/train.py --shapes tiny --vocabulary 1k --batch 8 --steps 8
	$(BIN)/python benchmarks/train.py --shapes wide --vocabulary 1k
	$(BIN)/python benchmarks/train.py --shapes wide --vocabulary 1k --keyframes 8 --image-size 224 --frame-size 224 --batch 2 --steps 4
	$(BIN)/python benchmarks/train.py --shapes wide --vocabulary 152k --steps 3 --repeats 1
	$(BIN)/python benchmarks/frames.py --repeats 5
	$(BIN)/python benchmarks/scale.py
	$(BIN)/python benchmarks/inference.py

tiny-base: $(VENV)/.run
	$(BIN)/python -m emotrain.modeling.tiny

action-units: $(VENV)/.run
	$(BIN)/python -m emotrain.motion.action_unit_fit --people 60 --looks 40 --seed 7000

figures: $(VENV)/.run
	$(BIN)/python -m emotrain.synthetic.contact_sheet docs/assets/faces.png
	$(BIN)/python -m emotrain.synthetic.scene_sheet docs/assets/scenes.jpg
	$(BIN)/python -m emotrain.synthetic.style_sheet docs/assets/styles.jpg
	$(BIN)/python docs/draw_pipeline.py docs/assets/pipeline.svg

clean:
	rm -rf $(VENV) runs/demo build dist .pytest_cache .hypothesis .mypy_cache .ruff_cache

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: $(VENV)/bin/python pyproject.toml constraints.txt
	@echo "installing emotrain and its dependencies into $(VENV) (about 7 GB, minutes)"
	$(INSTALL) --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.run
	$(INSTALL) --editable '.[dev]'
	@touch $@
