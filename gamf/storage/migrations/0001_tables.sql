-- The list, the attributions, the enrolments and what is remembered of them. What the invariants of the rules forbid is
-- refused here as well, whoever writes. Business dates and instants are always given by the caller; only the columns
-- named recorded_at read the server's clock, and no rule reads those.

CREATE TABLE networks (
    rls          text PRIMARY KEY,
    name         text NOT NULL,
    region       text NOT NULL,
    time_zone    text NOT NULL,
    gaco_name    text NOT NULL,
    gaco_phone   text NOT NULL,
    coordinator  text NOT NULL
);

CREATE TABLE physicians (
    licence      text PRIMARY KEY CHECK (licence ~ '^[0-9]{5}$'),
    last_name    text NOT NULL,
    first_name   text NOT NULL,
    rls          text NOT NULL REFERENCES networks,
    status       text NOT NULL CHECK (status IN ('participating', 'non_participating', 'disengaged')),
    place        text NOT NULL,
    address      text NOT NULL,
    city         text NOT NULL,
    postal_code  text NOT NULL,
    email        text,
    leaves_on    date,                                            -- A16: from the notice, no new block
    leaves_cause text,
    CHECK ((leaves_on IS NULL) = (leaves_cause IS NULL))
);

-- A number that a person can say on the telephone: the year and a counter that begins again each year.
CREATE TABLE counters (
    kind text NOT NULL CHECK (kind IN ('attribution', 'block')),
    year integer NOT NULL,
    last integer NOT NULL CHECK (last >= 0),
    PRIMARY KEY (kind, year)
);

CREATE TABLE patients (
    patient_id       text PRIMARY KEY DEFAULT gen_random_uuid()::text,   -- opaque: the only name that leaves the database
    number           bigint GENERATED ALWAYS AS IDENTITY UNIQUE,         -- the registration number (A18)
    nam              text NOT NULL UNIQUE,
    last_name        text NOT NULL,
    first_name       text NOT NULL,
    birth_date       date NOT NULL,
    sex              text NOT NULL CHECK (sex IN ('F', 'M', 'X')),
    address          text NOT NULL,
    city             text NOT NULL,
    postal_code      text NOT NULL,
    language         text NOT NULL CHECK (language IN ('fr', 'en')),
    english_attested boolean NOT NULL,
    email            text,
    phone            text,
    representative   text,
    rls              text NOT NULL REFERENCES networks,
    registered_on    date NOT NULL,
    priority         text NOT NULL CHECK (priority IN ('A', 'B', 'C', 'D', 'E')),
    vulnerable       boolean NOT NULL,
    -- Invariant 1: exactly one place, with what holds the patient there.
    place            text NOT NULL DEFAULT 'waiting'
                     CHECK (place IN ('waiting', 'proposed', 'attributed', 'enrolled', 'left')),
    block_id         text,
    attribution_id   text,
    left_on          date,
    left_cause       text,
    CHECK ((place = 'proposed') = (block_id IS NOT NULL)),
    CHECK ((place = 'attributed') = (attribution_id IS NOT NULL)),
    CHECK ((place = 'left') = (left_on IS NOT NULL AND left_cause IS NOT NULL))
);
-- The draw walks this index and stops at the size of the block (A18).
CREATE INDEX patients_waiting ON patients (rls, priority, registered_on, number) WHERE place = 'waiting';
CREATE INDEX patients_listed ON patients (rls, place, priority, registered_on, number);

CREATE TABLE blocks (
    block_id      text PRIMARY KEY CHECK (block_id ~ '^[0-9]{4}-[0-9]{4,}$'),
    physician     text NOT NULL REFERENCES physicians,
    rls           text NOT NULL REFERENCES networks,
    size          integer NOT NULL CHECK (size > 0),
    requested_by  text NOT NULL,
    requested_at  timestamptz NOT NULL,
    policy        text NOT NULL,
    state         text NOT NULL CHECK (state IN ('drawn', 'attributed', 'closed', 'withdrawn')),
    attributed_at timestamptz,
    ended_at      timestamptz,
    CHECK (state NOT IN ('attributed', 'closed') OR attributed_at IS NOT NULL)
);
CREATE INDEX blocks_by_physician ON blocks (physician, block_id);

-- Who was drawn for a block, in the order of the draw.
CREATE TABLE block_patients (
    block_id       text NOT NULL REFERENCES blocks,
    position       integer NOT NULL CHECK (position > 0),
    patient_id     text NOT NULL REFERENCES patients,
    attribution_id text UNIQUE,
    PRIMARY KEY (block_id, position),
    UNIQUE (block_id, patient_id)
);

CREATE TABLE attributions (
    attribution_id text PRIMARY KEY CHECK (attribution_id ~ '^[0-9]{4}-[0-9]{6,}$'),
    block_id       text REFERENCES blocks,
    patient_id     text NOT NULL REFERENCES patients,
    physician      text NOT NULL REFERENCES physicians,
    rls            text NOT NULL REFERENCES networks,
    time_zone      text NOT NULL,
    priority       text NOT NULL,
    vulnerable     boolean NOT NULL,                              -- A9: as it was at the attribution
    attributed_at  timestamptz NOT NULL,
    policy         text NOT NULL,
    state          text NOT NULL,
    under_way      boolean NOT NULL,
    deadline       timestamptz,
    waiting_for    text,
    ended_on       date,
    transition     integer NOT NULL CHECK (transition >= 0),
    -- What another attribution's transaction decided about this one, to be told to its workflow (A11, A24).
    overtaken_by   jsonb,
    CHECK (ended_on IS NULL OR (deadline IS NULL AND NOT under_way))
);
-- Invariant 2: at most one attribution under way for a patient.
CREATE UNIQUE INDEX one_attribution_under_way ON attributions (patient_id) WHERE under_way;
CREATE INDEX attributions_by_patient ON attributions (patient_id, attribution_id);
CREATE INDEX attributions_by_physician ON attributions (physician, attribution_id);
CREATE INDEX attributions_by_block ON attributions (block_id, attribution_id);
CREATE INDEX attributions_by_state ON attributions (state, attribution_id);
CREATE INDEX attributions_by_deadline ON attributions (deadline) WHERE deadline IS NOT NULL;

CREATE TABLE enrolments (
    enrolment_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    patient_id     text NOT NULL REFERENCES patients,
    patient_number bigint NOT NULL REFERENCES patients (number),
    physician      text NOT NULL,                                 -- of another plan or RLS too (A24)
    category       text NOT NULL CHECK (category IN ('SV', 'MF')),
    period         daterange NOT NULL CHECK (NOT isempty(period) AND NOT lower_inf(period)),
    voided         boolean NOT NULL DEFAULT false,
    attribution_id text REFERENCES attributions,                  -- null outside LE 321 (A24)
    basis          text,
    CHECK ((category = 'SV') <= (attribution_id IS NOT NULL)),
    -- Invariant 2: non-voided enrolments of one patient never overlap. An integer range stands for the patient, since
    -- the embedded server has no btree_gist.
    CONSTRAINT enrolments_never_overlap
        EXCLUDE USING gist (int8range(patient_number, patient_number, '[]') WITH =, period WITH &&) WHERE (NOT voided)
);
CREATE UNIQUE INDEX one_enrolment_a_category ON enrolments (attribution_id, category);
CREATE INDEX enrolments_by_patient ON enrolments (patient_id, enrolment_id);

-- A8: after a refusal, never the same physician again.
CREATE TABLE not_offered (
    patient_id     text NOT NULL REFERENCES patients,
    physician      text NOT NULL REFERENCES physicians,
    attribution_id text NOT NULL REFERENCES attributions,
    PRIMARY KEY (patient_id, physician)
);

-- Invariant 4: one row a letter, whatever runs twice.
CREATE TABLE letters (
    letter_id      text PRIMARY KEY,                              -- attribution and transition number
    attribution_id text NOT NULL REFERENCES attributions,
    patient_id     text NOT NULL REFERENCES patients,
    kind           text NOT NULL CHECK (kind IN ('attribution', 'corrective')),
    standing       text,
    dated          date NOT NULL,
    state          text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'sending', 'sent', 'withheld')),
    queued_at      timestamptz NOT NULL,
    sent_at        timestamptz,
    language       text,
    sha256         text,
    CHECK ((kind = 'corrective') = (standing IS NOT NULL)),
    CHECK ((state = 'sent') = (sent_at IS NOT NULL))
);
CREATE INDEX letters_by_attribution ON letters (attribution_id);
CREATE INDEX letters_by_patient ON letters (patient_id);
CREATE INDEX letters_waiting ON letters (queued_at) WHERE state IN ('queued', 'sending');

CREATE TABLE tasks (
    task_id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    attribution_id text NOT NULL REFERENCES attributions,
    kind           text NOT NULL,
    owner          text NOT NULL CHECK (owner IN ('coordinator', 'gaco', 'clinic')),
    due            timestamptz,
    transition     integer NOT NULL,
    opened_at      timestamptz NOT NULL,
    closed_at      timestamptz,
    closed_by      text,
    UNIQUE (attribution_id, kind, transition)
);
CREATE INDEX tasks_open ON tasks (owner, due) WHERE closed_at IS NULL;

-- Invariant 5: who, when, what, under which policy version. `number` is the transition's; a refused fact has none.
CREATE TABLE records (
    record_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject      text NOT NULL CHECK (subject IN ('attribution', 'block', 'patient', 'physician', 'network', 'task')),
    subject_id   text NOT NULL,
    number       integer,
    event        text NOT NULL,
    at           timestamptz NOT NULL,
    by           text,
    argument     jsonb NOT NULL DEFAULT '{}',
    before       text,
    after        text,
    rules        text[] NOT NULL DEFAULT '{}',
    policy       text,
    refused      boolean NOT NULL DEFAULT false,
    reason       text,
    outcome      jsonb,                                           -- what the transaction answered, for whoever runs it again
    dedupe_key   text,
    recorded_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE UNIQUE INDEX one_record_a_transition ON records (subject, subject_id, number) WHERE number IS NOT NULL;
CREATE UNIQUE INDEX one_record_a_key ON records (subject, subject_id, dedupe_key) WHERE dedupe_key IS NOT NULL;
CREATE INDEX records_by_subject ON records (subject, subject_id, record_id);
