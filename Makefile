.PHONY: setup test lint
setup: .venv/ready
.venv/ready: pyproject.toml
	python3 -m venv .venv
	.venv/bin/pip install --quiet -e '.[dev]'
	touch $@
test: setup
	.venv/bin/pytest
lint: setup
	.venv/bin/ruff check .
	.venv/bin/mypy
