-- +goose Up

-- What processes know of providers' domains, as they tell each other. Health is failover.Health; state, until and held are taken
-- out of it for the rules by which one entry takes the place of another.
CREATE TABLE provider_health (
    domain     text PRIMARY KEY,
    state      text        NOT NULL CHECK (state IN ('closed', 'open', 'half_open')),
    until      timestamptz,                         -- NULL: an operator alone decides
    held       boolean     NOT NULL DEFAULT false,
    health     jsonb       NOT NULL,
    version    bigint      NOT NULL DEFAULT 1,
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 70);

-- One row a probe: what was asked, what came of it, and what it used. Probes are accounted for here and nowhere else.
CREATE TABLE provider_probes (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    domain      text        NOT NULL,
    deployment  text        NOT NULL,
    provider    text        NOT NULL,
    model       text        NOT NULL,
    key_name    text        NOT NULL DEFAULT '',
    method      text        NOT NULL CHECK (method IN ('free', 'generation')),
    kind        text        NOT NULL DEFAULT '',    -- of its failure; empty if it went well
    error       jsonb,                              -- llm.Error
    usage       jsonb,                              -- llm.Usage
    took_ms     bigint      NOT NULL,
    probed_at   timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE INDEX provider_probes_by_domain ON provider_probes (domain, id DESC);

-- Who would be called and why, as it was when the completion was taken up; failover.Plan.
ALTER TABLE completions ADD COLUMN plan json;

-- Whether the answer came from a cache or from a target for want of anything better: '', 'hit', 'stale' or 'degraded'.
ALTER TABLE completions ADD COLUMN served_from text NOT NULL DEFAULT '';

-- Answers given before, by the hash of tenant, route and canonical request.
CREATE TABLE completion_cache (
    key        bytea PRIMARY KEY,
    tenant     text        NOT NULL,
    route      text        NOT NULL,
    provider   text        NOT NULL,
    model      text        NOT NULL,
    body       json        NOT NULL,                -- llm.Response
    stored_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    fresh_till timestamptz NOT NULL,
    stale_till timestamptz NOT NULL                 -- gone after this
);

CREATE INDEX completion_cache_by_age ON completion_cache (stale_till);
