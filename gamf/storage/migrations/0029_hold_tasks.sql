-- What a transition must know before it writes now tells which kinds of the patient's tasks are open, so that a
-- transition asks for none to be closed where there is none: three round trips fewer in an MF, one in an acceptance.
DROP FUNCTION hold_for_transition;
CREATE FUNCTION hold_for_transition(
    p_patient text, p_attribution text, p_number integer,
    OUT place text, OUT state text, OUT overtaken_by jsonb,
    OUT event text, OUT at timestamptz, OUT argument jsonb, OUT after text, OUT outcome jsonb,
    OUT open_tasks text[]
) LANGUAGE plpgsql AS $$
BEGIN
    SELECT p.place INTO place FROM patients p WHERE p.patient_id = p_patient FOR UPDATE;
    SELECT a.state, a.overtaken_by INTO state, overtaken_by
    FROM attributions a WHERE a.attribution_id = p_attribution FOR UPDATE;
    SELECT r.event, r.at, r.argument, r.after, r.outcome INTO event, at, argument, after, outcome
    FROM records r WHERE r.subject = 'attribution' AND r.subject_id = p_attribution AND r.number = p_number;
    -- Which are open is asked last: a server that has not counted the tasks yet would walk all that are open instead.
    WITH concerned AS MATERIALIZED (
        SELECT t.kind, t.closed_at FROM tasks t WHERE t.patient_id = p_patient
        UNION ALL
        SELECT t.kind, t.closed_at FROM attributions a JOIN tasks t USING (attribution_id) WHERE a.patient_id = p_patient
    )
    SELECT coalesce(array_agg(DISTINCT c.kind), '{}') INTO open_tasks FROM concerned c WHERE c.closed_at IS NULL;
END $$;
