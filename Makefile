# Two commands are enough: "make run" and "make test". Both need Go and PostgreSQL's server binaries; the latter are fetched
# when the machine has none.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

TOOLS := $(CURDIR)/.bin
GOLANGCI_LINT_VERSION := v2.15.0
WORKFLOWCHECK_VERSION := v0.6.0
GOVULNCHECK_VERSION := v1.8.0

# Each tool's file carries its version, so that a new version here is a new file there.
GOLANGCI_LINT := $(TOOLS)/golangci-lint-$(GOLANGCI_LINT_VERSION)
WORKFLOWCHECK := $(TOOLS)/workflowcheck-$(WORKFLOWCHECK_VERSION)
GOVULNCHECK := $(TOOLS)/govulncheck-$(GOVULNCHECK_VERSION)

# The version that "holdfast version" prints. Outside of a git clone it stays "development".
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || true)
LDFLAGS := -X github.com/holdfast-dev/holdfast/internal/buildinfo.Version=$(VERSION)

ARGS ?=
FUZZTIME ?= 30s
FUZZMINIMIZE ?= 10s

.PHONY: help
help: ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##@ Run

.PHONY: build build-slim run
build: ## build bin/holdfast, with the Temporal server inside (the first time takes minutes)
	@mkdir -p bin
	go build -ldflags '$(LDFLAGS)' -o bin/holdfast ./cmd/holdfast

build-slim: ## build bin/holdfast-slim for production: static, without the Temporal server
	@mkdir -p bin
	CGO_ENABLED=0 go build -tags slim -trimpath -ldflags '-s -w $(LDFLAGS)' -o bin/holdfast-slim ./cmd/holdfast

run: build ## run everything on this machine; ARGS="--config gateway.yaml" for more
	@exec bin/holdfast up $(ARGS)

##@ Test

.PHONY: test test-short test-js replay golden record-histories fuzz bench bench-providers cover
test: ## run every test; starts all that the tests need by itself
	@.ci/test

test-short: ## run the tests that need neither the binary nor minutes
	@.ci/test -short

test-js: build ## the official JavaScript SDKs against the real binary (needs Node and the npm registry)
	cd e2e/js && npm ci --ignore-scripts --no-audit --no-fund
	cd e2e/js && HOLDFAST_TEST_BINARY=$(CURDIR)/bin/holdfast npm test

replay: ## replay the recorded workflow histories against the code as it is
	go test -count=1 -run Replay ./workflows

golden: ## rewrite golden files from what the code does now; read the diff
	@packages=$$(grep -rlE 'flag\.Bool\("update"|providertest"' --include='*_test.go' . | xargs -n1 dirname | sort -u); \
	echo "go test -update" $$packages; \
	for package in $$packages; do go test -count=1 "$$package" -update; done

record-histories: build ## record workflow histories anew, from deployed code, never from a branch that changes workflows
	RECORD_HISTORIES=1 HOLDFAST_TEST_BINARY=$(CURDIR)/bin/holdfast go test -count=1 -run 'TestRecord.*Histories' ./workflows

fuzz: ## fuzz every fuzz target for FUZZTIME (30s) each
	@grep -rlE '^func Fuzz' --include='*_test.go' . | while read -r file; do \
	  sed -nE 's/^func (Fuzz[A-Za-z0-9_]*)\(.*/\1/p' "$$file" | while read -r target; do \
	    echo "== $$(dirname "$$file") $$target"; \
	    go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime $(FUZZMINIMIZE) "$$(dirname "$$file")"; \
	  done; \
	done

bench: build ## measure what a completion costs on this machine, beside the floors that bound it
	bin/holdfast bench $(ARGS)

bench-providers: ## what it costs to speak to each vendor, beside the vendor's SDK alone: ns and allocations a turn, an event
	go test -run '^$$' -bench . -benchmem ./providers/...

cover: ## write coverage.out and say how much the tests of each package cover
	@.ci/test -short -coverprofile=$(CURDIR)/coverage.out
	go tool cover -func=coverage.out | tail -1

##@ Check

.PHONY: lint fmt compose-check docs-check vuln ci
lint: $(GOLANGCI_LINT) $(WORKFLOWCHECK) ## lint, and check that workflows are deterministic
	$(GOLANGCI_LINT) run
	$(WORKFLOWCHECK) -config .ci/workflowcheck.yaml ./workflows/...

fmt: $(GOLANGCI_LINT) ## format the code
	$(GOLANGCI_LINT) fmt

compose-check: build ## check docker-compose.yml and the Dockerfile, without Docker's engine
	HOLDFAST_TEST_BINARY=$(CURDIR)/bin/holdfast go test -count=1 -run 'Compose|Dockerfile' ./internal/doctest
	@if docker compose version >/dev/null 2>&1; then .ci/secrets --check-only; else echo "docker compose is not installed: its own check is left out"; fi

docs-check: build ## check the documents against the code
	HOLDFAST_TEST_BINARY=$(CURDIR)/bin/holdfast go test -count=1 ./internal/doctest

vuln: $(GOVULNCHECK) ## look for known vulnerabilities (asks vuln.go.dev)
	$(GOVULNCHECK) ./...

ci: ## all that CI does, on this machine
	@.ci/run

##@ Set up

.PHONY: tools secrets clean
tools: $(GOLANGCI_LINT) $(WORKFLOWCHECK) ## install the pinned tools into .bin

$(GOLANGCI_LINT):
	@.ci/tool github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION) $@

$(WORKFLOWCHECK):
	@.ci/tool go.temporal.io/sdk/contrib/tools/workflowcheck@$(WORKFLOWCHECK_VERSION) $@

$(GOVULNCHECK):
	@.ci/tool golang.org/x/vuln/cmd/govulncheck@$(GOVULNCHECK_VERSION) $@

secrets: ## make ./secrets and ./.env for docker compose; what exists is kept
	@.ci/secrets

clean: ## remove what was built; data directories and secrets stay
	rm -rf bin .bin .build coverage.out
