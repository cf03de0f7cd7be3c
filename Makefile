# The commands that one needs: make help. On Windows run what stands behind a name.
PYTHON ?= python
.PHONY: help install test coverage lint types docs gate dashboard site

help:  ## list the commands
	@grep -E '^[a-z]+: .*##' $(MAKEFILE_LIST) | sed -E 's/: .*## /\t/' | expand -t 12

install:  ## install what the tests, the checks and the documentation need
	$(PYTHON) -m pip install -r requirements-dev.txt -r requirements-docs.txt
	$(PYTHON) -m pip install --no-deps --ignore-requires-python -r requirements-axe.txt

test:  ## run the tests
	$(PYTHON) -m pytest

coverage:  ## run the tests and say which share of the lines they run
	$(PYTHON) -m pytest --cov=facecore --cov=ui --cov=webapp --cov-report=
	$(PYTHON) -m coverage report --format=total

lint:  ## check style and layout
	ruff check .
	ruff format --check .

types:  ## check types
	mypy

docs:  ## build the documentation into site/, warnings are errors
	NO_MKDOCS_2_WARNING=1 $(PYTHON) -m mkdocs build --strict

gate:  ## run all that must pass before a change goes in (a quarter of an hour)
	.ci/run

dashboard:  ## run the dashboard
	$(PYTHON) -m streamlit run dashboard.py

site:  ## run the upload site, for development
	$(PYTHON) -m flask --app webapp run --debug
