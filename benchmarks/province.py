"""A province in the tables: its RLS, physicians, blocks, attributions and all that hangs on them, as SQL writes it.

Nothing here goes by Temporal: lists are read from PostgreSQL alone. The biggest RLS has some six in a hundred of all.
"""

from datetime import datetime
from typing import Final, NamedTuple

from gamf.storage.connection import Connection

RLS: Final = tuple(f"B{number:03d}" for number in range(1, 94))
"""The 93 local networks, the biggest first."""
_A_BLOCK: Final = 170
"""Attributions of a block."""
_WAITING: Final = 5
"""One waits for so many attributed."""
_FEWEST_PHYSICIANS: Final = 186
_FIRST_LICENCE: Final = 40_000
_SETTINGS: Final = (
    "SET statement_timeout = 0; SET maintenance_work_mem = '256MB'; SET synchronous_commit = off"
)
_TABLES: Final = (
    "patients",
    "blocks",
    "block_patients",
    "attributions",
    "enrolments",
    "records",
    "letters",
    "tasks",
    "ramq_files",
)
_FOREIGN_KEYS: Final = """
    SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) AS drop,
           format('ALTER TABLE %s ADD CONSTRAINT %I %s%s', conrelid::regclass, conname, pg_get_constraintdef(oid),
                  CASE contype WHEN 'f' THEN ' NOT VALID' END) AS make
    FROM pg_constraint WHERE contype IN ('f', 'x') AND conrelid = ANY ($1::text[]::regclass[])
"""
_INDEXES: Final = """
    SELECT format('DROP INDEX %s', i.indexrelid::regclass) AS drop, pg_get_indexdef(i.indexrelid) AS make
    FROM pg_index i
    WHERE i.indrelid = ANY ($1::text[]::regclass[])
      AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid)
"""
_NETWORKS: Final = """
    INSERT INTO networks (rls, name, region, time_zone, gaco_name, gaco_phone, coordinator)
    SELECT rls, 'RLS inventé', 'Région inventée', 'America/Toronto', 'GACO inventé', '418 555-0101', 'banc'
    FROM unnest($1::text[]) AS n (rls)
"""
_PHYSICIANS: Final = """
    INSERT INTO physicians (licence, last_name, first_name, rls, status, place, address, city, postal_code)
    SELECT ($1 + k)::text, 'Inventé-' || substr(md5(k::text), 1, 4), 'Médecin',
           ($3::text[])[1 + floor(93 * power(k::float / $2, 1.6))::int],
           CASE WHEN k % 20 = 0 THEN 'disengaged' ELSE 'participating' END,
           'Clinique inventée', '1, rue Inventée', 'Québec', 'G1A 1A1'
    FROM generate_series(0, $2::int - 1) AS k
"""
# How the n-th attribution is: the last ones wait for an answer, those before for the SV, the oldest are over.
_PLAN: Final = """
    CREATE TEMPORARY TABLE plan AS
    SELECT n, p.licence, p.rls, h, '2998-' || lpad(b::text, 5, '0') AS block_id,
           '2998-' || lpad(n::text, 7, '0') AS attribution_id,
           '00000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0') AS patient_id,
           $1::timestamptz - (1 - r) * interval '900 days' AS at,
           CASE WHEN r > 0.99 THEN CASE WHEN h < 90 THEN 'proposed' ELSE 'unanswered' END
                WHEN r > 0.97 THEN CASE WHEN h < 55 THEN 'confirmed' WHEN h < 92 THEN 'overdue' ELSE 'refused' END
                WHEN r > 0.6 THEN CASE WHEN h < 70 THEN 'enrolled_sv' WHEN h < 85 THEN 'enrolled_mf'
                                       WHEN h < 90 THEN 'patient_refused' WHEN h < 94 THEN 'cancelled'
                                       ELSE 'lapsed' END
                ELSE CASE WHEN h < 65 THEN 'enrolled_mf' WHEN h < 80 THEN 'expired'
                          WHEN h < 90 THEN 'enrolled_elsewhere'
                          ELSE 'patient_left' END END AS state
    FROM (SELECT n, n::float / $2 AS r, (n * 7919 % 100)::int AS h, (n - 1) / $4 AS b
          FROM generate_series(1, $2::bigint) AS n) AS s
    JOIN (SELECT licence, rls, row_number() OVER (ORDER BY md5(licence)) - 1 AS turn FROM physicians
          WHERE licence::int >= $3) AS p ON p.turn = s.b % (SELECT count(*) FROM physicians WHERE licence::int >= $3)
    ORDER BY n
"""
_PATIENTS: Final = """
    INSERT INTO patients (patient_id, nam, last_name, first_name, birth_date, sex, address, city, postal_code, language,
                          english_attested, rls, registered_on, priority, vulnerable, place, attribution_id, left_on,
                          left_cause)
    SELECT patient_id, 'BANC' || lpad(n::text, 9, '0'), 'Inventé', 'Patient', date '1980-01-02' - h * 100, 'X',
            '1, rue Inventée', 'Québec', 'G1A 1A1', 'fr', false, rls, (at - interval '300 days')::date - h,
           substr('ABCDE', 1 + (n % 5)::int, 1), n % 2 = 0, place,
           CASE place WHEN 'attributed' THEN attribution_id END,
           CASE place WHEN 'left' THEN at::date END, CASE place WHEN 'left' THEN 'deceased' END
    FROM (
        SELECT n, patient_id, attribution_id, rls, h, at,
               CASE WHEN state IN ('enrolled_mf', 'enrolled_elsewhere') THEN 'enrolled'
                    WHEN state = 'patient_left' THEN 'left'
                    WHEN state IN ('refused', 'patient_refused', 'cancelled', 'lapsed', 'expired') THEN 'waiting'
                    ELSE 'attributed' END AS place
        FROM plan
        UNION ALL
        SELECT $1 + n, '00000000-0000-4000-8001-' || lpad(to_hex(n), 12, '0'), NULL, rls, h,
               $2::timestamptz - (n * 104729 % 900) * interval '1 day', 'waiting'
        FROM plan WHERE n % $3 = 0
    ) AS s
"""
_COUNTED: Final = """
    INSERT INTO waiting_changes (rls, vulnerable, birth_year, priority, change)
    SELECT rls, vulnerable, extract(year FROM birth_date)::integer, priority, count(*) FROM patients
    WHERE place = 'waiting' GROUP BY 1, 2, 3, 4
"""
_BLOCKS: Final = """
    INSERT INTO blocks (block_id, physician, rls, size, requested_by, requested_at, policy, state, attributed_at,
                        ended_at)
    SELECT block_id, min(licence), min(rls), count(*), 'banc', min(at), 'banc',
           CASE WHEN bool_or(state = 'proposed') THEN 'attributed' ELSE 'closed' END, min(at),
           CASE WHEN bool_or(state = 'proposed') THEN NULL ELSE max(at) END
    FROM plan GROUP BY block_id
"""
_ATTRIBUTIONS: Final = """
    INSERT INTO attributions (attribution_id, block_id, patient_id, physician, rls, time_zone, priority, vulnerable,
                              attributed_at, policy, state, under_way, deadline, waiting_for, ended_on, transition)
    SELECT attribution_id, block_id, patient_id, licence, rls,
           'America/Toronto', substr('ABCDE', 1 + (n % 5)::int, 1), n % 2 = 0, at, 'banc', state, under_way,
           CASE WHEN under_way THEN CASE state
                WHEN 'enrolled_sv' THEN $1::timestamptz + (n * 31 % 1000) * interval '1 day'
                WHEN 'confirmed' THEN $1::timestamptz + (n * 31 % 14) * interval '1 day'
                ELSE $1::timestamptz + (n * 31 % 72) * interval '1 hour' END END,
           CASE WHEN under_way THEN 'physician' END, CASE WHEN NOT under_way THEN at::date END, 1
    FROM (SELECT *, state IN ('proposed', 'unanswered', 'confirmed', 'overdue', 'enrolled_sv') AS under_way
          FROM plan) AS s
"""
_MEMBERS: Final = """
    INSERT INTO block_patients (block_id, position, patient_id, attribution_id)
    SELECT block_id, 1 + (n - 1) % $1, patient_id, attribution_id FROM plan
"""
# Of one RLS alone: an index of all of them, by which they never overlap, would take longer than all the rest.
_ENROLMENTS: Final = """
    INSERT INTO enrolments (patient_id, patient_number, physician, category, period, attribution_id)
    SELECT a.patient_id, p.number, a.physician, CASE a.state WHEN 'enrolled_sv' THEN 'SV' ELSE 'MF' END,
           daterange(a.attributed_at::date, CASE a.state WHEN 'enrolled_sv' THEN a.attributed_at::date + 1095 END),
           a.attribution_id
    FROM attributions a JOIN patients p USING (patient_id)
    WHERE a.rls = ($1::text[])[1] AND a.state IN ('enrolled_sv', 'enrolled_mf')
"""
_RECORDS: Final = """
    INSERT INTO records (subject, subject_id, number, event, at, by, before, after, policy)
    SELECT 'attribution', attribution_id, step, CASE step WHEN 0 THEN 'proposed' ELSE 'accepted' END,
           attributed_at + step * interval '2 days', 'banc', CASE step WHEN 1 THEN 'proposed' END,
           CASE step WHEN 0 THEN 'proposed' ELSE state END, 'banc'
    FROM attributions, generate_series(0, 1) AS step WHERE rls = ANY ($1::text[])
"""
_LETTERS: Final = """
    INSERT INTO letters (letter_id, attribution_id, patient_id, kind, dated, state, queued_at, sent_at, language,
                         sha256)
    SELECT attribution_id || '-1', attribution_id, patient_id, 'attribution', attributed_at::date, l.state,
           attributed_at,
           CASE l.state WHEN 'sent' THEN attributed_at END, 'fr', repeat('a', 64)
    FROM attributions,
         LATERAL (SELECT CASE right(attribution_id, 3) WHEN '001' THEN 'withheld' WHEN '002' THEN 'queued'
                              ELSE 'sent' END AS state) AS l
    WHERE attributions.rls = ANY ($1::text[]) AND attributions.state <> 'proposed'
"""
# What is overdue or unanswered asks the coordinator, what is confirmed the clinic; two in ten old ones did.
_TASKS: Final = """
    INSERT INTO tasks (attribution_id, kind, owner, due, transition, opened_at, closed_at, rls, physician)
    SELECT attribution_id, kind, CASE kind WHEN 'sv_to_enter' THEN 'clinic' ELSE 'coordinator' END,
           coalesce(deadline, attributed_at + interval '3 days'), 1, attributed_at,
           CASE WHEN deadline IS NULL THEN attributed_at + interval '2 days' END, rls, physician
    FROM attributions, LATERAL (SELECT CASE state WHEN 'confirmed' THEN 'sv_to_enter' WHEN 'overdue' THEN 'sv_overdue'
                                                  ELSE 'answer_overdue' END AS kind) AS k
    WHERE rls = ANY ($1::text[]) AND (state IN ('confirmed', 'overdue', 'unanswered')
                                      OR deadline IS NULL AND right(attribution_id, 1) IN ('3', '7'))
"""
_FILES: Final = """
    INSERT INTO ramq_files (block_id, number, name, names, sha256, made_at, handed_at)
    SELECT block_id, 1, block_id || '-1.csv', size, repeat('a', 64), ended_at, ended_at FROM blocks
    WHERE rls = ANY ($1::text[]) AND state = 'closed'
"""


class Province(NamedTuple):
    """Who stands for each role, of the biggest RLS on."""

    rls: tuple[str, ...]
    physicians: tuple[str, str]
    """Two of the biggest RLS."""
    block_id: str
    """A block of the first of the two."""


async def fill(conn: Connection, rows: int, now: datetime) -> Province:
    """Write a province of so many attributions; what the tables ask of each row is asked of all of them at the end."""
    await conn.execute(_SETTINGS)
    made = [row for query in (_FOREIGN_KEYS, _INDEXES) for row in await conn.fetch(query, list(_TABLES))]
    for each in made:
        await conn.execute(each["drop"])
    for table in _TABLES:
        await conn.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    await _write(conn, rows, now)
    for table in _TABLES:
        await conn.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    for each in reversed(made):
        await conn.execute(each["make"])
    await conn.execute(f"VACUUM ANALYZE {', '.join(_TABLES)}, networks, physicians, waiting_changes")
    await conn.execute("RESET ALL")
    return await _province(conn)


async def _write(conn: Connection, rows: int, now: datetime) -> None:
    rls = list(RLS)
    await conn.execute(_NETWORKS, rls)
    await conn.execute(_PHYSICIANS, _FIRST_LICENCE, max(rows // _A_BLOCK, _FEWEST_PHYSICIANS), rls)
    await conn.execute(_PLAN, now, rows, _FIRST_LICENCE, _A_BLOCK)
    await conn.execute(_PATIENTS, rows, now, _WAITING)
    await conn.execute(_COUNTED)
    await conn.execute(_BLOCKS)
    await conn.execute(_ATTRIBUTIONS, now)
    await conn.execute(_MEMBERS, _A_BLOCK)
    await conn.execute("DROP TABLE plan")
    for statement in (_ENROLMENTS, _RECORDS, _LETTERS, _TASKS, _FILES):
        await conn.execute(statement, rls)


async def _province(conn: Connection) -> Province:
    busiest = await conn.fetch(
        """
        SELECT d.licence, max(b.block_id) AS block FROM physicians d LEFT JOIN blocks b ON b.physician = d.licence
        WHERE d.rls = $1 GROUP BY 1 ORDER BY count(b.block_id) DESC, 1 LIMIT 2
        """,
        RLS[0],
    )
    one, two = (row["licence"] for row in busiest)
    return Province(RLS, (one, two), busiest[0]["block"] or "")
