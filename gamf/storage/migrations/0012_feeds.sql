-- What became of each line of a feed, so that one that was stopped, however it was stopped, goes on where it was. No rule
-- reads it: the facts themselves are in the record, and each counts once.
CREATE TABLE feeds (
    feed        text PRIMARY KEY CHECK (length(feed) BETWEEN 1 AND 200),
    begun_at    timestamptz NOT NULL,
    finished_at timestamptz
);
CREATE INDEX feeds_finished ON feeds (finished_at) WHERE finished_at IS NOT NULL;

CREATE TABLE feed_outcomes (
    feed    text NOT NULL REFERENCES feeds ON DELETE CASCADE,
    line    bigint NOT NULL CHECK (line > 0),
    sha256  text NOT NULL,                                        -- of the line: another one is not taken for it
    outcome jsonb NOT NULL,
    PRIMARY KEY (feed, line)
);
