# The two commands are `make demo` and `make test`; each builds .venv first when it is missing or out of date.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

.PHONY: demo test gates mutants lint format clean

demo: $(VENV)/installed
	$(BIN)/python -m tour

test: $(VENV)/installed
	$(BIN)/python -m pytest -n 2

gates: $(VENV)/installed
	GATES=all $(BIN)/python -m pytest -n 2 tests/workbook/test_gates.py

mutants: $(VENV)/installed
	$(BIN)/python -m workbook.mutants $(FILE) $(if $(ALL),--all)

lint: $(VENV)/installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

format: $(VENV)/installed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

$(VENV)/installed: pyproject.toml constraints.txt lab/papers.py
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed, $(PYTHON) is $$($(PYTHON) --version); try: make PYTHON=python3.11"; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test,real,ko,scale]'
	@touch $@

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .ruff_cache .hypothesis
