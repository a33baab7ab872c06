-- +goose Up

-- A conversation is a path in a tree. One that forks from another holds its own items only, and goes on with the numbers of
-- its parent behind the place of the fork: along a path, no number comes twice. A thread is a conversation that a response has
-- begun by itself: clients go on from its responses, and do not list it.
ALTER TABLE conversations
    ADD COLUMN thread           boolean     NOT NULL DEFAULT false,
    ADD COLUMN parent_id        text        REFERENCES conversations (id) ON DELETE CASCADE,
    ADD COLUMN parent_seq       bigint,
    ADD COLUMN tokens           bigint      NOT NULL DEFAULT 0, -- of the whole path, by estimate
    ADD COLUMN active_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    ADD COLUMN erase_at         timestamptz;                    -- it is to go as soon as nobody is at it

CREATE INDEX conversations_by_parent ON conversations (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX conversations_to_erase ON conversations (erase_at) WHERE erase_at IS NOT NULL;
CREATE INDEX conversations_by_age ON conversations (tenant, active_at);
DROP INDEX conversations_by_tenant;
CREATE INDEX conversations_by_tenant ON conversations (tenant, created_at DESC) WHERE NOT thread;

ALTER TABLE conversation_items
    ADD COLUMN role          text    NOT NULL DEFAULT '',
    ADD COLUMN tokens        integer NOT NULL DEFAULT 0,        -- by estimate
    ADD COLUMN tokens_before bigint  NOT NULL DEFAULT 0;        -- those of the path up to here

UPDATE conversation_items SET role = message ->> 'role', tokens = octet_length(message::text) / 4;
UPDATE conversation_items i SET tokens_before = s.before
FROM (SELECT conversation_id, seq, sum(tokens) OVER (PARTITION BY conversation_id ORDER BY seq) - tokens AS before FROM conversation_items) s
WHERE i.conversation_id = s.conversation_id AND i.seq = s.seq;
UPDATE conversations c SET tokens = coalesce((SELECT sum(tokens) FROM conversation_items WHERE conversation_id = c.id), 0);

CREATE INDEX conversation_items_system ON conversation_items (conversation_id, seq) WHERE role = 'system';

-- What a model wrote of a conversation's beginning, to stand in for it: everything before from_seq.
CREATE TABLE conversation_summaries (
    conversation_id text        NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    from_seq        bigint      NOT NULL,
    completion_id   text        NOT NULL,           -- that wrote it
    message         json        NOT NULL,           -- llm.Message
    tokens          integer     NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (conversation_id, from_seq)
);

-- stored: 'yes' if the client asked for the completion to be kept, 'no' if it asked for it not to be, else ''. What of the
-- request its dialect shows stands beside the request. replayed is conversations.Replayed. Content whose time is over goes at
-- content_until, however long others keep theirs; of completions whose content is gone, erased_at says since when.
ALTER TABLE completions
    ADD COLUMN stored        text NOT NULL DEFAULT '' CHECK (stored IN ('', 'yes', 'no')),
    ADD COLUMN background    boolean NOT NULL DEFAULT false,
    ADD COLUMN end_user      text NOT NULL DEFAULT '',
    ADD COLUMN metadata      jsonb,
    ADD COLUMN replayed      jsonb,
    ADD COLUMN content_until timestamptz,
    ADD COLUMN erased_at     timestamptz;

CREATE INDEX completions_stored ON completions (tenant, accepted_at DESC, id DESC) WHERE stored = 'yes';
CREATE INDEX completions_by_end_user ON completions (tenant, end_user) WHERE end_user <> '';
CREATE INDEX completions_content_until ON completions (content_until) WHERE content_until IS NOT NULL AND erased_at IS NULL;
CREATE INDEX completions_by_conversation ON completions (conversation_id) WHERE conversation_id IS NOT NULL;
CREATE INDEX completions_with_content ON completions (tenant, accepted_at) WHERE erased_at IS NULL AND state <> 'open';

ALTER TABLE completion_requests ADD COLUMN shown json;

-- Whose answer is kept, so that it can be forgotten with the rest.
ALTER TABLE completion_cache ADD COLUMN completion_id text;
CREATE INDEX completion_cache_by_completion ON completion_cache (completion_id);

-- Data keys that what is said is sealed under, each wrapped by the vault's keeper.
CREATE TABLE content_keys (
    id         text PRIMARY KEY,
    wrapped    bytea       NOT NULL,
    keeper     text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
