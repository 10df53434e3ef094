-- What a transition must know before it writes, in one round trip. Each statement of a PL/pgSQL function sees what was
-- committed before it: what is read once the patient's row is held is true until the end of the transaction. One query
-- with subqueries would not do: all of it would see the rows as they were before the wait.
CREATE FUNCTION hold_for_transition(
    p_patient text, p_attribution text, p_number integer,
    OUT place text, OUT state text, OUT overtaken_by jsonb,
    OUT event text, OUT at timestamptz, OUT argument jsonb, OUT after text, OUT outcome jsonb
) LANGUAGE plpgsql AS $$
BEGIN
    SELECT p.place INTO place FROM patients p WHERE p.patient_id = p_patient FOR UPDATE;
    SELECT a.state, a.overtaken_by INTO state, overtaken_by
    FROM attributions a WHERE a.attribution_id = p_attribution FOR UPDATE;
    SELECT r.event, r.at, r.argument, r.after, r.outcome INTO event, at, argument, after, outcome
    FROM records r WHERE r.subject = 'attribution' AND r.subject_id = p_attribution AND r.number = p_number;
END $$;
