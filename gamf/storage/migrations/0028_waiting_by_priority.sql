-- How many wait is counted by priority too: a place in line is then a sum and a count within one priority, from the nearer end.
-- Whoever reads the list of the whole province has up to fifty such places on a page (docs/decisions/lists.md).

TRUNCATE waiting_changes;
ALTER TABLE waiting_changes ADD COLUMN priority text NOT NULL;
DROP INDEX waiting_changes_by_rls;
CREATE INDEX waiting_changes_by_rls ON waiting_changes (rls, priority) INCLUDE (change);
INSERT INTO waiting_changes (rls, vulnerable, birth_year, priority, change)
SELECT rls, vulnerable, extract(year FROM birth_date)::integer, priority, count(*) FROM patients WHERE place = 'waiting' GROUP BY 1, 2, 3, 4;

CREATE OR REPLACE FUNCTION count_waiting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO waiting_changes (rls, vulnerable, birth_year, priority, change)
        SELECT rls, vulnerable, extract(year FROM birth_date)::integer, priority, count(*) FROM after WHERE place = 'waiting'
        GROUP BY 1, 2, 3, 4;
    ELSE
        INSERT INTO waiting_changes (rls, vulnerable, birth_year, priority, change)
        SELECT rls, vulnerable, extract(year FROM birth_date)::integer, priority, sum(change) FROM (
            SELECT rls, vulnerable, birth_date, priority, -1 AS change FROM before WHERE place = 'waiting'
            UNION ALL SELECT rls, vulnerable, birth_date, priority, 1 FROM after WHERE place = 'waiting') AS changes
        GROUP BY 1, 2, 3, 4 HAVING sum(change) <> 0;
    END IF;
    RETURN NULL;
END $$;
