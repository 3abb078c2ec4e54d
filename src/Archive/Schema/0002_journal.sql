-- Revocations that were answered while Redis was away, until a host has carried them out. Any host may: each is safe to carry out twice.
CREATE TABLE archive_journal (
    id text PRIMARY KEY,
    position bigint GENERATED ALWAYS AS IDENTITY,
    entry text NOT NULL,
    written_at timestamptz NOT NULL DEFAULT now());

CREATE UNIQUE INDEX archive_journal_position ON archive_journal (position);
