-- What other software holds: tokens, answers given once to a key, and an order in which no change is missed.

-- A token acts as its account, with the account's roles. It is shown once; here is its fingerprint.
CREATE TABLE api_tokens (
    token_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    fingerprint bytea NOT NULL UNIQUE CHECK (length(fingerprint) = 32),
    account     text NOT NULL REFERENCES accounts,
    purpose     text NOT NULL CHECK (length(purpose) BETWEEN 1 AND 100),
    added_at    timestamptz NOT NULL,
    added_by    text NOT NULL,
    expires_at  timestamptz NOT NULL CHECK (expires_at > added_at),
    used_at     timestamptz,
    revoked_at  timestamptz
);
CREATE INDEX api_tokens_by_account ON api_tokens (account, token_id);

-- A request with a key is answered once; the same again gets the same answer. The key is kept as a fingerprint.
CREATE TABLE api_answers (
    account  text NOT NULL REFERENCES accounts,
    key      bytea NOT NULL CHECK (length(key) = 32),
    request  bytea NOT NULL CHECK (length(request) = 32),
    began_at timestamptz NOT NULL,
    status   integer,                                             -- null while the first one is under way
    kind     text,
    body     bytea,
    PRIMARY KEY (account, key),
    CHECK ((status IS NULL) = (body IS NULL) AND (status IS NULL) = (kind IS NULL))
);
CREATE INDEX api_answers_by_age ON api_answers (began_at);

-- The number of a record is given before its transaction ends, so a later number may be seen first. Together with the
-- transaction's, once every earlier transaction is over, nothing can come in between any more.
ALTER TABLE records ADD COLUMN transaction xid8 NOT NULL DEFAULT pg_current_xact_id();
CREATE INDEX records_by_transaction ON records (transaction, record_id);
