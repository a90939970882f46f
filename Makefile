PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

DATA ?= ../shared/data
FIGURES := .cache/figures
TRAIN := $(DATA)/wcxb_dev.jsonl.gz $(DATA)/silver.jsonl.gz labeled
CHECKS := $(foreach name,cleaneval readability webmainbench,$(DATA)/$(name).jsonl.gz) tests/unseen

# Threads that wait leave the processor to others.
export OMP_WAIT_POLICY := PASSIVE

.PHONY: run test bench bench-scale model card setup clean

run: $(VENV)/run-time
	$(BIN)/linesift clean examples/dump.txt

setup: $(VENV)/development

test: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q

bench: setup
	$(BIN)/pip install -q --disable-pip-version-check -e '.[bench]'
	$(BIN)/python -m training.bench --data $(DATA)

bench-scale: setup
	$(BIN)/pip install -q --disable-pip-version-check -e '.[bench]'
	$(BIN)/python -m training.bench_scale

model: setup
	$(BIN)/python -m training.fit $(TRAIN) --lines 80 --features 0.6 --weight silver=0.5 \
	  --weight own=1.5 --out models/default --figures $(FIGURES)
	$(MAKE) card

card: setup
	for path in $(CHECKS); do $(BIN)/python -m training.evaluate models/default $$path \
	  --unseen-by $(TRAIN) --json $(FIGURES)/check-$$(basename $$path .jsonl.gz).json || exit 1; done
	$(BIN)/python -m training.card models/default $(FIGURES)/wcxb.json $(FIGURES)/silver.json \
	  $(FIGURES)/own.json $(foreach name,$(basename $(basename $(notdir $(CHECKS)))),--check $(name)=$(FIGURES)/check-$(name).json)

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/run-time: pyproject.toml | $(VENV)/bin/python
	$(BIN)/pip install -q --disable-pip-version-check -e .
	touch $@

$(VENV)/development: pyproject.toml | $(VENV)/bin/python
	$(BIN)/pip install -q --disable-pip-version-check -e '.[dev]'
	touch $@ $(VENV)/run-time

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
