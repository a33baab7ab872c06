-- +goose Up

-- Provider keys, each sealed under a data key of its own, which a key-encryption keeper outside of this database wraps.
CREATE TABLE provider_keys (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    provider    text        NOT NULL,
    name        text        NOT NULL,
    sealed      bytea       NOT NULL,               -- format byte, nonce, AES-256-GCM of the key; bound to provider/name
    wrapped_key bytea       NOT NULL,               -- the data key as the keeper encrypted it
    keeper      text        NOT NULL,               -- which keeper that was
    fingerprint text        NOT NULL,               -- tells two keys apart; says nothing about either
    state       text        NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'disabled')),
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (provider, name)
);
