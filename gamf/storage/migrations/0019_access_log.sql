-- LRSSS, s. 103: every look at a person: by whom, when, what was shown, from where. A look may be at several people.

CREATE TABLE looks (
    look_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account     text NOT NULL,
    at          timestamptz NOT NULL,
    channel     text NOT NULL CHECK (channel IN ('cli', 'console', 'api')),
    address     text,
    use_case    text NOT NULL,
    shown       text[] NOT NULL,
    people      integer NOT NULL CHECK (people >= 0),
    refused     boolean NOT NULL,                                 -- asked for, and not shown
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK (refused = (cardinality(shown) = 0))
);
CREATE INDEX looks_by_account ON looks (account, look_id);
CREATE INDEX looks_by_instant ON looks (at);

CREATE TABLE looked_at (
    patient_id text NOT NULL REFERENCES patients,
    look_id    bigint NOT NULL REFERENCES looks,
    PRIMARY KEY (patient_id, look_id)
);
CREATE INDEX looked_at_by_look ON looked_at (look_id);

CREATE TRIGGER looks_are_kept BEFORE UPDATE OR DELETE ON looks FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER looks_are_not_truncated BEFORE TRUNCATE ON looks EXECUTE FUNCTION refuse_change();
CREATE TRIGGER looked_at_is_kept BEFORE UPDATE OR DELETE ON looked_at FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER looked_at_is_not_truncated BEFORE TRUNCATE ON looked_at EXECUTE FUNCTION refuse_change();
