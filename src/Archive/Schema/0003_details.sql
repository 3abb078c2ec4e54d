-- The log-in whose address and user agent the record holds; null when it holds neither (any more).
ALTER TABLE archive_sessions ADD COLUMN details_since timestamptz NULL;

-- Of rows that are there already: the record's bytes 2 to 7 are the log-in in ms since 1970. Whether it holds details is found out when their time is over.
UPDATE archive_sessions SET details_since = to_timestamp((
    (get_byte(record, 2)::bigint << 40) | (get_byte(record, 3)::bigint << 32) | (get_byte(record, 4)::bigint << 24)
    | (get_byte(record, 5)::bigint << 16) | (get_byte(record, 6)::bigint << 8) | get_byte(record, 7)::bigint) / 1000.0)
WHERE length(record) >= 8;

CREATE INDEX archive_sessions_details ON archive_sessions (details_since) WHERE details_since IS NOT NULL;
CREATE INDEX archive_sessions_ended_records ON archive_sessions (ended_at) WHERE ended_at IS NOT NULL AND record IS NOT NULL;
