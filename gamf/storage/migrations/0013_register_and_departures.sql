-- What people correct and record about somebody in the register, and the departures of physicians.

-- The list by RLS whatever the place, and the whole list: a page is read from an index, in the order of A18.
CREATE INDEX patients_of_rls ON patients (rls, priority, registered_on, number);
CREATE INDEX patients_in_order ON patients (priority, registered_on, number, place);

-- R13. There is no public list of vulnerability codes: these are ours, and invented.
CREATE TABLE condition_codes (
    code     text PRIMARY KEY CHECK (code ~ '^[A-Z][A-Z0-9-]{1,15}$'),
    label_fr text NOT NULL,
    label_en text NOT NULL,
    origin   text NOT NULL DEFAULT 'gamf'
);
INSERT INTO condition_codes (code, label_fr, label_en) VALUES
    ('CHRONIQUE', 'Maladie chronique suivie', 'Chronic illness under care'),
    ('MENTALE', 'Trouble de santé mentale suivi', 'Mental health condition under care'),
    ('AUTONOMIE', 'Perte d’autonomie', 'Loss of autonomy'),
    ('GROSSESSE', 'Grossesse', 'Pregnancy'),
    ('PALLIATIF', 'Soins palliatifs', 'Palliative care');

CREATE TABLE conditions (
    condition_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    patient_id   text NOT NULL REFERENCES patients,
    code         text NOT NULL REFERENCES condition_codes,
    noted_on     date NOT NULL,                                   -- at the first visit or after it (R13)
    at           timestamptz NOT NULL,
    by           text NOT NULL
);
CREATE INDEX conditions_by_patient ON conditions (patient_id, condition_id);
CREATE TABLE condition_withdrawals (
    condition_id bigint PRIMARY KEY REFERENCES conditions,
    reason       text NOT NULL,
    at           timestamptz NOT NULL,
    by           text NOT NULL
);

-- A20: the values as they were and as they are, each time somebody corrects them. They are read by an audit alone.
CREATE TABLE corrections (
    correction_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    patient_id    text NOT NULL REFERENCES patients,
    reason        text NOT NULL,
    before        jsonb NOT NULL,
    after         jsonb NOT NULL,
    at            timestamptz NOT NULL,
    by            text NOT NULL
);
CREATE INDEX corrections_by_patient ON corrections (patient_id, correction_id);

-- A16: what was announced of a physician, and which attributions it reached, each once.
CREATE TABLE departures (
    departure_id text PRIMARY KEY CHECK (departure_id ~ '^[0-9]{5}-[0-9]+$'),
    physician    text NOT NULL REFERENCES physicians,
    rls          text NOT NULL REFERENCES networks,
    time_zone    text NOT NULL,
    leaves_on    date NOT NULL,
    cause        text NOT NULL,
    state        text NOT NULL CHECK (state IN ('announced', 'effective', 'done', 'withdrawn')),
    announced_by text NOT NULL,
    announced_at timestamptz NOT NULL,
    policy       text NOT NULL,
    reason       text,                                            -- why it was withdrawn
    ended_at     timestamptz,
    CHECK ((state = 'withdrawn') = (reason IS NOT NULL)),
    CHECK ((state IN ('done', 'withdrawn')) = (ended_at IS NOT NULL))
);
CREATE INDEX departures_by_physician ON departures (physician, announced_at);
CREATE UNIQUE INDEX one_departure_at_a_time ON departures (physician) WHERE state IN ('announced', 'effective');
CREATE TABLE departure_reached (
    departure_id   text NOT NULL REFERENCES departures,
    attribution_id text NOT NULL REFERENCES attributions,
    at             timestamptz NOT NULL,
    PRIMARY KEY (departure_id, attribution_id)
);

CREATE TRIGGER conditions_are_kept BEFORE UPDATE OR DELETE ON conditions
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER withdrawals_are_kept BEFORE UPDATE OR DELETE ON condition_withdrawals
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER corrections_are_kept BEFORE UPDATE OR DELETE ON corrections
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER reached_are_kept BEFORE UPDATE OR DELETE ON departure_reached
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
