-- Who signs in to the console and the API, as what, and what became of their passwords and sessions.

CREATE TABLE accounts (
    account         text PRIMARY KEY CHECK (account ~ '^[a-z][a-z0-9._-]{1,62}$'),  -- stands as `by` on every fact
    password        text NOT NULL,                                -- argon2's own encoding; never a password
    must_change     boolean NOT NULL,                             -- somebody else chose it
    password_set_at timestamptz NOT NULL,
    added_at        timestamptz NOT NULL,
    disabled_at     timestamptz
);

-- A role, and what it is limited to.
CREATE TABLE account_grants (
    account    text NOT NULL REFERENCES accounts,
    role       text NOT NULL CHECK (role IN ('coordinator', 'gaco', 'clinic', 'ramq', 'auditor', 'operator')),
    rls        text[] NOT NULL DEFAULT '{}',
    physicians text[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (account, role),
    CHECK ((cardinality(rls) > 0) = (role IN ('coordinator', 'gaco'))),
    CHECK ((cardinality(physicians) > 0) = (role = 'clinic'))
);

-- Invariant 5, for accounts: who changed what, when; and who came in. Never a password, nor what was typed as one.
CREATE TABLE account_records (
    record_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account     text NOT NULL,
    event       text NOT NULL,
    at          timestamptz NOT NULL,
    by          text NOT NULL,
    address     text,
    detail      jsonb NOT NULL DEFAULT '{}',
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX account_records_by_account ON account_records (account, record_id);
CREATE TRIGGER account_records_are_kept BEFORE UPDATE OR DELETE ON account_records
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER account_records_are_not_truncated BEFORE TRUNCATE ON account_records EXECUTE FUNCTION refuse_change();

-- The identifier is in its owner's cookie alone; here is its fingerprint.
CREATE TABLE sessions (
    fingerprint bytea PRIMARY KEY CHECK (length(fingerprint) = 32),
    account     text NOT NULL REFERENCES accounts,
    began_at    timestamptz NOT NULL,
    seen_at     timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    address     text
);
CREATE INDEX sessions_by_account ON sessions (account);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

-- A form is sent once: the same one sent again changes nothing.
CREATE TABLE used_forms (
    form    bytea PRIMARY KEY CHECK (length(form) = 32),
    used_at timestamptz NOT NULL
);
CREATE INDEX used_forms_by_age ON used_forms (used_at);

-- Attempts to sign in that did not succeed, or not yet. The name is a fingerprint: a password is sometimes typed there.
CREATE TABLE sign_in_attempts (
    attempt_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name       bytea NOT NULL CHECK (length(name) = 32),
    address    text NOT NULL,
    at         timestamptz NOT NULL
);
CREATE INDEX sign_in_attempts_by_name ON sign_in_attempts (name, at);
CREATE INDEX sign_in_attempts_by_address ON sign_in_attempts (address, at);
CREATE INDEX sign_in_attempts_by_age ON sign_in_attempts (at);
