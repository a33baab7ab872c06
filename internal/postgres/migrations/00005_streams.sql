-- +goose Up

-- What becomes of a stream that breaks (continue, restart, fail); empty if the answer is not streamed. A request to cancel
-- stands in the row, so that whoever drives the completion next knows of it.
ALTER TABLE completions
    ADD COLUMN recovery            text NOT NULL DEFAULT '',
    ADD COLUMN cancel_requested_at timestamptz,
    DROP CONSTRAINT completions_state_check,
    ADD CONSTRAINT completions_state_check CHECK (state IN ('open', 'succeeded', 'failed', 'cancelled'));

-- What clients had seen of the answer when the attempt failed: nothing, text, or something that cannot be gone on with.
ALTER TABLE attempts ADD COLUMN shown text NOT NULL DEFAULT '';

-- What a streamed answer has said so far, in pieces written every so often. Rows are read in the order of their key; one
-- that begins before the end of those before it takes the place of what stands there. The recorded answer takes the place
-- of all of them but the whole ones, which say in which order the answer was told where that cannot be seen from it.
CREATE TABLE completion_transcripts (
    completion_id text    NOT NULL REFERENCES completions (id) ON DELETE CASCADE,
    epoch         integer NOT NULL,
    attempt       integer NOT NULL,
    from_place    bigint  NOT NULL,
    whole         boolean NOT NULL DEFAULT false,
    events        json    NOT NULL,
    PRIMARY KEY (completion_id, epoch, attempt, from_place, whole)
);

-- What processes prove to each other that they belong together by: tokens for one completion each are derived from it.
CREATE TABLE peer_secret (
    one    boolean PRIMARY KEY DEFAULT true CHECK (one),
    secret bytea   NOT NULL
);
INSERT INTO peer_secret (secret)
    VALUES (decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex'));
