-- The draw follows the population profile of the RLS (R4): groups by vulnerability and age, each in the order of the list.

-- Within a year of birth, the list is in its order. The draw walks each year of a group and stops at the group's seats, whatever
-- the ages are on that day and wherever in the list the group's people stand.
CREATE INDEX patients_by_group
    ON patients (rls, vulnerable, (extract(year FROM birth_date)::integer), priority, registered_on, number)
    INCLUDE (birth_date) WHERE place = 'waiting';

-- How many wait, by year of birth: the sum of what each statement changed. A change is added and never waits for another, however
-- many patients move at once; a draw, alone in its RLS, puts a sum in the place of its changes.
CREATE TABLE waiting_changes (
    rls        text NOT NULL,                                     -- that of a patient, who has a known one
    vulnerable boolean NOT NULL,
    birth_year integer NOT NULL,
    change     bigint NOT NULL
);
CREATE INDEX waiting_changes_by_rls ON waiting_changes (rls);
INSERT INTO waiting_changes
SELECT rls, vulnerable, extract(year FROM birth_date)::integer, count(*) FROM patients WHERE place = 'waiting' GROUP BY 1, 2, 3;

CREATE FUNCTION count_waiting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO waiting_changes
        SELECT rls, vulnerable, extract(year FROM birth_date)::integer, count(*) FROM after WHERE place = 'waiting' GROUP BY 1, 2, 3;
    ELSE
        INSERT INTO waiting_changes
        SELECT rls, vulnerable, extract(year FROM birth_date)::integer, sum(change) FROM (
            SELECT rls, vulnerable, birth_date, -1 AS change FROM before WHERE place = 'waiting'
            UNION ALL SELECT rls, vulnerable, birth_date, 1 FROM after WHERE place = 'waiting') AS changes
        GROUP BY 1, 2, 3 HAVING sum(change) <> 0;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER waiting_counted_in AFTER INSERT ON patients
    REFERENCING NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION count_waiting();
CREATE TRIGGER waiting_counted AFTER UPDATE ON patients
    REFERENCING OLD TABLE AS before NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION count_waiting();

-- A8: the draw reads whom a physician is not offered without looking up each patient.
ALTER TABLE not_offered ADD COLUMN patient_number bigint REFERENCES patients (number);
UPDATE not_offered o SET patient_number = p.number FROM patients p WHERE p.patient_id = o.patient_id;
ALTER TABLE not_offered ALTER COLUMN patient_number SET NOT NULL;
CREATE INDEX not_offered_by_physician ON not_offered (physician) INCLUDE (patient_number);

-- What a coordinator has set: the share of each group, in percent. An RLS without any follows its waiting list.
CREATE TABLE profile_shares (
    rls        text NOT NULL REFERENCES networks,
    vulnerable boolean NOT NULL,
    ages       text NOT NULL,
    share      numeric NOT NULL CHECK (share BETWEEN 0 AND 100),
    PRIMARY KEY (rls, vulnerable, ages)
);

-- Why each one is on the list, as it was at the draw. Null for whoever was not drawn by group.
ALTER TABLE block_patients
    ADD COLUMN vulnerable boolean,
    ADD COLUMN ages text,
    ADD COLUMN rank integer CHECK (rank > 0),
    ADD COLUMN priority text,
    ADD CONSTRAINT drawn_by_group CHECK (num_nulls(vulnerable, ages, rank, priority) IN (0, 4));
