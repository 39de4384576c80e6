# 安心. `make help` lists what there is.
SHELL := /bin/bash
.DEFAULT_GOAL := help
UV := $(shell command -v uv 2>/dev/null || echo .tools/bin/uv)
RUN := $(UV) run --no-sync
# Tests write thousands of small transactions: where there is room in memory, they do it there.
ROOM := $(shell df -k --output=avail /dev/shm 2>/dev/null | awk 'NR==2 && $$1 > 2000000 {print "/dev/shm"}')
TESTS := TMPDIR=$(or $(ROOM),/tmp)
export RASA_TELEMETRY_ENABLED := false

.PHONY: browser postgres pictures help demo test check setup train lint types imports unit integration conversations e2e bench bench-language bench-understanding bench-sla language-report clean format

help: ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-20s %s\n", $$1, $$2}'

demo: setup train ## set up everything that is missing and start it, with demo members
	@$(RUN) anxin up --demo

test: setup train browser postgres check integration conversations e2e ## the whole suite

check: setup lint types imports unit ## lint, types, import rules, unit tests: under a minute

setup: .tools/ready ## build both environments from their locks

.tools/ready: pyproject.toml uv.lock rasa-env/pyproject.toml rasa-env/uv.lock
	@command -v python3 >/dev/null || { echo '需要 Python 3。请先安装 python3，再运行一次。'; exit 1; }
	@case "$$(uname -sm)" in "Linux x86_64") ;; *) echo '目前只支持 Linux x86-64（Rasa 依赖的 TensorFlow 只有这个平台的安装包）。'; exit 1;; esac
	@command -v $(UV) >/dev/null || { echo '… 正在安装 uv'; scripts/get-uv; }
	@echo '… [1/2] 正在建立应用环境'
	@$(UV) sync --locked --quiet --python 3.11
	@echo '… [2/2] 正在建立 Rasa 环境（约 2.5 GB，第一次需要一两分钟）'
	@cd rasa-env && UV_PROJECT_ENVIRONMENT=.venv $(abspath $(UV)) sync --locked --python 3.11 2>&1 | tail -1
	@mkdir -p $(@D) && touch $@

train: setup ## train the dialogue model if what it learns from has changed
	@$(RUN) anxin train

lint: setup
	@$(RUN) ruff check . && $(RUN) ruff format --check .

types: setup
	@$(RUN) mypy

imports: setup
	@$(RUN) lint-imports

unit: setup
	@$(RUN) pytest tests/unit -q

integration: setup ## services and edges on SQLite and PostgreSQL, vendor stand-ins, faults
	@$(TESTS) $(RUN) pytest tests/integration tests/contract tests/faults -q

conversations: train ## dialogues against the trained model and the real actions
	@$(TESTS) $(RUN) pytest tests/conversations tests/language -q

e2e: train browser ## all processes on loopback, a real browser
	@$(RUN) pytest tests/e2e -q

bench: train ## latency and throughput through the whole chain, beside the stock pipeline
	@$(RUN) python -m tests.bench.chain

bench-language: setup ## readers of intents side by side, about 25 minutes on idle cores; QUICK=1 learns a quarter of the lines
	@$(RUN) python -m tests.bench.language $(if $(QUICK),--quick)

bench-sla: setup ## how late broken promises are told with 10,000 open cases
	@$(RUN) python -m tests.bench.sla

bench-understanding: train ## what each reader of danger hears, and how many lines a second are understood
	@$(RUN) python -m tests.bench.understanding

language-report: train ## what is understood and what is not, as a page in var/reports/
	@$(RUN) python -m tests.language.report

pictures: train browser ## take the pictures of the README from the running product
	@$(RUN) python -m tests.pictures

format: setup ## put code in its usual form
	@$(RUN) ruff check --fix . ; $(RUN) ruff format .

browser:
	@command -v chromium >/dev/null || { echo '… 正在安装浏览器和中文字体'; scripts/apt-install chromium fonts-noto-cjk; }

postgres:
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || { echo '… 正在安装 PostgreSQL'; scripts/apt-install postgresql; }

clean: ## remove environments and trained models; data and keys in var/ stay
	rm -rf .venv rasa-env/.venv .tools models .rasa
