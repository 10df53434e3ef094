-- A task may be about an attribution, a block or a patient: exactly one of them.

ALTER TABLE tasks
    ALTER COLUMN attribution_id DROP NOT NULL,
    ADD COLUMN block_id text REFERENCES blocks,
    ADD COLUMN patient_id text REFERENCES patients,
    ADD CONSTRAINT tasks_about_one CHECK (num_nonnulls(attribution_id, block_id, patient_id) = 1),
    DROP CONSTRAINT tasks_attribution_id_kind_transition_key,
    ADD CONSTRAINT one_task
        UNIQUE NULLS NOT DISTINCT (attribution_id, block_id, patient_id, kind, transition);
CREATE INDEX tasks_by_block ON tasks (block_id) WHERE block_id IS NOT NULL;
CREATE INDEX tasks_by_patient ON tasks (patient_id) WHERE patient_id IS NOT NULL;
