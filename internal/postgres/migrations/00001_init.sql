-- +goose Up

-- One row a process. A row that is gone, or was deleted by another process after it expired, means: that process is dead,
-- and whoever deletes it re-drives what it held. Times are this database's, never a process's.
CREATE TABLE instances (
    id         text PRIMARY KEY,
    address    text        NOT NULL DEFAULT '',
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz NOT NULL
) WITH (fillfactor = 50);

-- One row an accepted request: small, for it is updated twice. Bodies stand in their own append-only tables.
CREATE TABLE completions (
    id              text PRIMARY KEY,
    tenant          text        NOT NULL,
    workflow_id     text        NOT NULL,
    fingerprint     bytea       NOT NULL,           -- SHA-256 of the canonical request: same key with another body is a conflict
    dialect         text        NOT NULL,
    route           text        NOT NULL,
    conversation_id text,
    state           text        NOT NULL CHECK (state IN ('open', 'succeeded', 'failed')),
    instance_id     text        NOT NULL,           -- the process that drives it
    epoch           integer     NOT NULL DEFAULT 1, -- raised by each re-drive; only the current epoch may record
    accepted_at     timestamptz NOT NULL,
    driven_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    deadline        timestamptz NOT NULL,
    finished_at     timestamptz,
    provider        text,
    model           text,
    attempts        integer     NOT NULL DEFAULT 0,
    failovers       integer     NOT NULL DEFAULT 0,
    provider_ms     bigint      NOT NULL DEFAULT 0, -- time spent waiting for providers, in milliseconds
    error           jsonb                           -- llm.Error of the final failure
) WITH (fillfactor = 80);

CREATE INDEX completions_open ON completions (instance_id) WHERE state = 'open';
CREATE INDEX completions_by_tenant ON completions (tenant, accepted_at DESC);

CREATE TABLE completion_requests (
    completion_id text PRIMARY KEY REFERENCES completions (id) ON DELETE CASCADE,
    body          json NOT NULL
);

CREATE TABLE completion_answers (
    completion_id text PRIMARY KEY REFERENCES completions (id) ON DELETE CASCADE,
    body          json NOT NULL
);

-- One row a call to a provider, inserted before the call is made.
CREATE TABLE attempts (
    completion_id text        NOT NULL REFERENCES completions (id) ON DELETE CASCADE,
    number        integer     NOT NULL,
    epoch         integer     NOT NULL,
    instance_id   text        NOT NULL,
    state         text        NOT NULL CHECK (state IN ('started', 'succeeded', 'failed', 'possibly_billed')),
    deployment    text        NOT NULL,
    provider      text        NOT NULL,
    model         text        NOT NULL,
    key_name      text        NOT NULL DEFAULT '',
    chosen_because text       NOT NULL DEFAULT '',
    error         jsonb,                            -- llm.Error
    decision      text        NOT NULL DEFAULT '',  -- what was decided after this attempt
    reason        text        NOT NULL DEFAULT '',  -- and why
    usage         jsonb,
    answer        json,                             -- held only between a call on another worker and its recording
    started_at    timestamptz NOT NULL,
    finished_at   timestamptz,
    PRIMARY KEY (completion_id, number)
) WITH (fillfactor = 70);

CREATE TABLE conversations (
    id                text PRIMARY KEY,
    tenant            text        NOT NULL,
    metadata          jsonb       NOT NULL DEFAULT '{}',
    created_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    next_seq          bigint      NOT NULL DEFAULT 1,
    active_completion text                          -- the turn in flight: a second one is refused
) WITH (fillfactor = 70);

CREATE INDEX conversations_by_tenant ON conversations (tenant, created_at DESC);

-- The append-only log. Order and uniqueness are the database's to keep.
CREATE TABLE conversation_items (
    conversation_id text        NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    seq             bigint      NOT NULL,
    completion_id   text        NOT NULL,
    message         json        NOT NULL,           -- llm.Message
    provider        text        NOT NULL DEFAULT '', -- provenance; empty for what the client sent
    model           text        NOT NULL DEFAULT '',
    created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (conversation_id, seq)
);

CREATE INDEX conversation_items_by_completion ON conversation_items (completion_id);
