-- Who an identity provider (OpenID Connect) says that somebody is, and the sign-ins that are under way there.

-- A provider's subject is one account's, and an account has one subject of a provider.
CREATE TABLE account_identities (
    issuer    text NOT NULL,
    subject   text NOT NULL CHECK (length(subject) BETWEEN 1 AND 255),
    account   text NOT NULL REFERENCES accounts,
    linked_at timestamptz NOT NULL,
    PRIMARY KEY (issuer, subject),
    UNIQUE (account, issuer)
);

-- The state and what goes with it are in the browser and in the address alone; here is the fingerprint of both.
CREATE TABLE sign_in_flows (
    fingerprint bytea PRIMARY KEY CHECK (length(fingerprint) = 32),
    address     text NOT NULL,
    began_at    timestamptz NOT NULL,
    back        text NOT NULL                                     -- a path of the console
);
CREATE INDEX sign_in_flows_by_address ON sign_in_flows (address, began_at);
CREATE INDEX sign_in_flows_by_age ON sign_in_flows (began_at);

-- Whose provider opened the session; none for a password.
ALTER TABLE sessions ADD COLUMN issuer text;
