-- Whose a task is besides its owner, so that a coordinator's or a clinic's list is one walk of an index: the RLS, and the
-- physician if there is one. Every task has a date.

ALTER TABLE tasks ADD COLUMN rls text REFERENCES networks, ADD COLUMN physician text REFERENCES physicians;

-- Whoever writes a task says what it is about; the rest follows from that.
CREATE FUNCTION scope_task() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT s.rls, s.physician INTO NEW.rls, NEW.physician FROM (
        SELECT a.rls, a.physician FROM attributions a WHERE a.attribution_id = NEW.attribution_id
        UNION ALL SELECT b.rls, b.physician FROM blocks b WHERE b.block_id = NEW.block_id
        UNION ALL SELECT p.rls, NULL FROM patients p WHERE p.patient_id = NEW.patient_id
    ) AS s;
    RETURN NEW;
END $$;
CREATE TRIGGER task_is_scoped BEFORE INSERT ON tasks FOR EACH ROW EXECUTE FUNCTION scope_task();

-- A patient who moves takes along what is asked about them.
CREATE FUNCTION move_tasks() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE tasks SET rls = NEW.rls WHERE patient_id = NEW.patient_id AND closed_at IS NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER tasks_move_along AFTER UPDATE OF rls ON patients FOR EACH ROW
    WHEN (OLD.rls IS DISTINCT FROM NEW.rls) EXECUTE FUNCTION move_tasks();

UPDATE tasks t SET rls = s.rls, physician = s.physician, due = coalesce(due, opened_at + interval '7 days')
FROM (
    SELECT t.task_id, coalesce(a.rls, b.rls, p.rls) AS rls, coalesce(a.physician, b.physician) AS physician
    FROM tasks t
    LEFT JOIN attributions a ON a.attribution_id = t.attribution_id
    LEFT JOIN blocks b ON b.block_id = t.block_id
    LEFT JOIN patients p ON p.patient_id = t.patient_id
) AS s
WHERE s.task_id = t.task_id;
ALTER TABLE tasks ALTER COLUMN due SET NOT NULL, ALTER COLUMN rls SET NOT NULL;

DROP INDEX tasks_open;
CREATE INDEX tasks_open ON tasks (due, task_id) WHERE closed_at IS NULL;
CREATE INDEX tasks_open_by_owner ON tasks (owner, due, task_id) WHERE closed_at IS NULL;
CREATE INDEX tasks_open_by_rls ON tasks (rls, owner, due, task_id) WHERE closed_at IS NULL;
CREATE INDEX tasks_open_by_physician ON tasks (physician, owner, due, task_id) WHERE closed_at IS NULL;

-- The daily digest: where a coordinator is written to, and what was written to whom on which day, once.

ALTER TABLE networks ADD COLUMN coordinator_email text;

CREATE TABLE digests (
    digest_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    recipient  text NOT NULL CHECK (recipient IN ('coordinator', 'clinic')),
    address    text NOT NULL,
    time_zone  text NOT NULL,
    on_date    date NOT NULL,                                     -- the local day
    content    jsonb NOT NULL,                                    -- references only
    state      text NOT NULL DEFAULT 'due' CHECK (state IN ('due', 'sent', 'refused')),
    sent_at    timestamptz,
    CONSTRAINT one_digest UNIQUE (recipient, address, time_zone, on_date),
    CHECK ((state = 'sent') = (sent_at IS NOT NULL))
);

-- What moved in a stretch of time: what came back since yesterday, and the indicators of each month.
CREATE INDEX records_moves ON records (at) INCLUDE (subject_id, before, after)
    WHERE subject = 'attribution' AND number IS NOT NULL;
