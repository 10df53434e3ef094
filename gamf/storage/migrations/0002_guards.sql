-- What nobody may do, whatever the program that tries.

-- Invariant 5: a record is never edited nor removed.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'A20: % is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER records_are_kept BEFORE UPDATE OR DELETE ON records FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER records_are_not_truncated BEFORE TRUNCATE ON records EXECUTE FUNCTION refuse_change();

-- Invariant 3: the initial registration date never changes, nor does the number that orders equals (A18).
CREATE FUNCTION keep_registration() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'A18: the initial registration date never changes' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER registration_is_kept BEFORE UPDATE OF registered_on, number, patient_id ON patients FOR EACH ROW
    WHEN (OLD.registered_on IS DISTINCT FROM NEW.registered_on OR OLD.number IS DISTINCT FROM NEW.number
          OR OLD.patient_id IS DISTINCT FROM NEW.patient_id)
    EXECUTE FUNCTION keep_registration();
-- Invariant 1: nobody is in no place.
CREATE TRIGGER patients_are_kept BEFORE DELETE ON patients FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- An enrolment's start is never rewritten, and what was voided stays so (A20).
CREATE FUNCTION keep_enrolment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.voided OR lower(OLD.period) <> lower(NEW.period)
       OR (OLD.patient_id, OLD.patient_number, OLD.physician, OLD.category)
          IS DISTINCT FROM (NEW.patient_id, NEW.patient_number, NEW.physician, NEW.category) THEN
        RAISE EXCEPTION 'A20: an enrolment is closed or voided, never rewritten'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER enrolments_are_kept BEFORE UPDATE OR DELETE ON enrolments FOR EACH ROW EXECUTE FUNCTION keep_enrolment();

-- Invariant 1, at each commit: the place agrees with what is under way and what is enrolled.
CREATE FUNCTION place_disagrees(p patients) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT CASE p.place
        WHEN 'attributed' THEN NOT EXISTS (
            SELECT FROM attributions a WHERE a.attribution_id = p.attribution_id AND a.patient_id = p.patient_id AND a.under_way)
        ELSE EXISTS (SELECT FROM attributions a WHERE a.patient_id = p.patient_id AND a.under_way)
          OR (p.place = 'enrolled') <> EXISTS (
            SELECT FROM enrolments e WHERE e.patient_id = p.patient_id AND NOT e.voided AND upper_inf(e.period))
    END
$$;
CREATE FUNCTION check_place() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM patients p WHERE p.patient_id = NEW.patient_id AND place_disagrees(p)) THEN
        RAISE EXCEPTION 'invariant 1: a patient is in exactly one place' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER patient_in_one_place AFTER UPDATE OF place, attribution_id ON patients
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_place();
CREATE CONSTRAINT TRIGGER attribution_agrees AFTER INSERT OR UPDATE OF under_way ON attributions
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_place();
CREATE CONSTRAINT TRIGGER enrolment_agrees AFTER INSERT OR UPDATE OF period, voided ON enrolments
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_place();
