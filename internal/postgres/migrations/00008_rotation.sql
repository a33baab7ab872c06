-- +goose Up

-- The key in use stays a row of provider_keys, which servers of the release before read; what is to come and what was before is
-- in key_versions.
ALTER TABLE provider_keys
    DROP CONSTRAINT provider_keys_state_check,
    ADD CONSTRAINT provider_keys_state_check CHECK (state IN ('active', 'quarantined', 'disabled', 'revoked')),
    ADD COLUMN version     integer     NOT NULL DEFAULT 1,
    ADD COLUMN revision    integer     NOT NULL DEFAULT 0,      -- grows when what was known against the key no longer holds
    ADD COLUMN source      text        NOT NULL DEFAULT '',     -- where the key is read from, if it is not sealed here
    ADD COLUMN handle      text        NOT NULL DEFAULT '',     -- what its provider calls it; no secret
    ADD COLUMN expires_at  timestamptz,
    ADD COLUMN account     text        NOT NULL DEFAULT '',     -- keys of one account share its limits
    ADD COLUMN weight      integer     NOT NULL DEFAULT 0 CHECK (weight BETWEEN 0 AND 1000),
    ADD COLUMN tenants     text[]      NOT NULL DEFAULT '{}',   -- whom it serves; everybody if empty
    ADD COLUMN reason      text        NOT NULL DEFAULT '',     -- why it is in its state
    ADD COLUMN version_at  timestamptz NOT NULL DEFAULT clock_timestamp(), -- since when this version is in use
    ADD COLUMN verify_at   timestamptz,                         -- when a quarantined key is tried again
    ADD COLUMN verify_tries integer    NOT NULL DEFAULT 0;

UPDATE provider_keys SET version_at = updated_at;

CREATE TABLE key_versions (
    key_id      bigint      NOT NULL REFERENCES provider_keys (id) ON DELETE CASCADE,
    version     integer     NOT NULL,
    state       text        NOT NULL CHECK (state IN ('pending', 'draining', 'revoked')),
    sealed      bytea,                                          -- as in provider_keys; null before it is minted and after it is revoked
    wrapped_key bytea,
    keeper      text        NOT NULL DEFAULT '',
    fingerprint text        NOT NULL DEFAULT '',
    source      text        NOT NULL DEFAULT '',
    handle      text        NOT NULL DEFAULT '',
    expires_at  timestamptz,
    rotation    text        NOT NULL DEFAULT '',                -- which rotation made it, if one did
    reason      text        NOT NULL DEFAULT '',
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (key_id, version)
);

-- One rotation of a key, whatever came of it.
CREATE TABLE key_rotations (
    id          text        PRIMARY KEY,
    key_id      bigint      NOT NULL REFERENCES provider_keys (id) ON DELETE CASCADE,
    state       text        NOT NULL CHECK (state IN ('running', 'done', 'rehearsed', 'undone', 'failed')),
    step        text        NOT NULL DEFAULT '',                -- the one that is under way, or was the last
    because     text        NOT NULL DEFAULT '',                -- why it was begun
    dry_run     boolean     NOT NULL DEFAULT false,
    former      integer     NOT NULL,
    version     integer     NOT NULL,                           -- the one that is minted
    former_works boolean    NOT NULL DEFAULT false,             -- its provider takes it: there is something to go back to
    error       text        NOT NULL DEFAULT '',
    started_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at    timestamptz
);

CREATE UNIQUE INDEX key_rotations_one_at_once ON key_rotations (key_id) WHERE state = 'running';
CREATE INDEX key_rotations_by_key ON key_rotations (key_id, started_at DESC);

-- Who changed what, when, and why. No secret stands here.
CREATE TABLE audit_events (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor       text        NOT NULL,
    action      text        NOT NULL,                           -- such as key.set
    subject     text        NOT NULL,                           -- such as openai/main
    before      jsonb,
    after       jsonb,
    reason      text        NOT NULL DEFAULT ''
);

CREATE INDEX audit_events_by_subject ON audit_events (subject, id DESC);

-- What operators are to know. One that is raised again with the same key is the same.
CREATE TABLE alerts (
    id          text        PRIMARY KEY,
    dedupe      text        NOT NULL UNIQUE,
    kind        text        NOT NULL,
    severity    text        NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
    subject     text        NOT NULL,
    title       text        NOT NULL,
    text        text        NOT NULL,
    raised_at   timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE INDEX alerts_by_time ON alerts (raised_at DESC);

CREATE TABLE alert_deliveries (
    alert_id    text        NOT NULL REFERENCES alerts (id) ON DELETE CASCADE,
    webhook     text        NOT NULL,
    state       text        NOT NULL CHECK (state IN ('delivered', 'failed')),
    attempts    integer     NOT NULL DEFAULT 0,
    error       text        NOT NULL DEFAULT '',
    updated_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (alert_id, webhook)
);

-- Tokens of the admin API beside the root token, which is a file.
CREATE TABLE admin_tokens (
    id          text        PRIMARY KEY,
    name        text        NOT NULL,
    scopes      text[]      NOT NULL,
    hash        bytea       NOT NULL UNIQUE,                    -- SHA-256 of the whole token, which is 256 random bits
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at  timestamptz,
    revoked_at  timestamptz
);

-- The audit log names tokens by their names.
CREATE UNIQUE INDEX admin_tokens_one_of_a_name ON admin_tokens (name) WHERE revoked_at IS NULL;
