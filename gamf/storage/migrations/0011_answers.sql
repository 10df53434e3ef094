-- What follows from the answers: a list that nobody approves, who replaces whom, and what RAMQ was told.

-- A21: until when a drawn list may be approved; null once it no longer waits for that.
ALTER TABLE blocks
    ADD COLUMN deadline timestamptz,
    ADD CONSTRAINT only_a_drawn_list_has_a_deadline CHECK (deadline IS NULL OR state = 'drawn');
CREATE INDEX blocks_by_deadline ON blocks (deadline) WHERE deadline IS NOT NULL;

ALTER TABLE attributions
    ADD COLUMN confirmed_on date,                                 -- R6: the local day of the physician's acceptance
    ADD COLUMN replaces text UNIQUE REFERENCES attributions;      -- R5, A17: nobody is replaced twice

-- R5: why an attribution may be cancelled. No list of official codes is published: these are ours.
CREATE TABLE cancellation_reasons (
    code        text PRIMARY KEY CHECK (code ~ '^[a-z][a-z0-9_]{1,39}$'),
    label_fr    text NOT NULL CHECK (label_fr <> ''),
    label_en    text NOT NULL CHECK (label_en <> ''),
    exceptional boolean NOT NULL,                                 -- another patient is drawn (A17)
    active      boolean NOT NULL DEFAULT true,
    ours        boolean NOT NULL DEFAULT true
);
INSERT INTO cancellation_reasons (code, label_fr, label_en, exceptional) VALUES
    ('personal_tie', 'Lien familial ou personnel avec le médecin', 'Family or personal tie with the physician', true),
    ('dispute', 'Plainte ou litige entre le patient et le médecin', 'Complaint or dispute between patient and physician', true),
    ('safety', 'Sécurité du médecin, du personnel ou du patient', 'Safety of the physician, the staff or the patient', true),
    ('broken_relationship', 'Relation de soins rompue par le passé', 'Care relationship broken in the past', true),
    ('out_of_reach', 'Lieu de pratique hors d’atteinte pour le patient', 'Place of practice out of the patient’s reach', true),
    ('no_answer', 'Le médecin ne répond pas (A2)', 'The physician does not answer (A2)', false),
    ('sv_not_entered', 'La clinique n’a pas saisi la SV à temps (A6)', 'The clinic did not enter the SV in time (A6)', false),
    ('administrative', 'Correction administrative', 'Administrative correction', false);

-- Which subjects there are is the code's to say.
ALTER TABLE records
    DROP CONSTRAINT records_subject_check,
    ADD CONSTRAINT records_subject_check CHECK (subject ~ '^[a-z_]+$');

-- R6: the files of confirmed names, one a block and its supplements. The content stays until it is handed over, so that
-- a second try hands over the same bytes; afterwards its fingerprint tells what went.
CREATE TABLE ramq_files (
    block_id  text NOT NULL REFERENCES blocks,
    number    integer NOT NULL CHECK (number > 0),
    name      text NOT NULL UNIQUE,
    names     integer NOT NULL CHECK (names > 0),
    sha256    text NOT NULL,
    made_at   timestamptz NOT NULL,
    handed_at timestamptz,
    content   bytea,
    PRIMARY KEY (block_id, number),
    CHECK ((content IS NULL) = (handed_at IS NOT NULL))
);
CREATE INDEX ramq_files_waiting ON ramq_files (made_at) WHERE handed_at IS NULL;
-- Who was named in which file: nobody twice.
CREATE TABLE ramq_names (
    attribution_id text PRIMARY KEY REFERENCES attributions,
    block_id       text NOT NULL,
    number         integer NOT NULL,
    FOREIGN KEY (block_id, number) REFERENCES ramq_files
);
CREATE INDEX ramq_names_by_file ON ramq_names (block_id, number);
CREATE TRIGGER ramq_names_are_kept BEFORE UPDATE OR DELETE ON ramq_names FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ramq_files_are_kept BEFORE DELETE OR UPDATE OF block_id, number, name, names, sha256, made_at
    ON ramq_files FOR EACH ROW EXECUTE FUNCTION refuse_change();
