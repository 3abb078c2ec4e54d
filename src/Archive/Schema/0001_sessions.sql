-- Times are the database's clock except those of a session, which are Redis's. user_ref and sid are as in Redis's key names.

-- A user's generation is the authority: Redis's is restored from here. It only ever grows.
CREATE TABLE archive_users (
    user_ref text PRIMARY KEY,
    generation bigint NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now(),
    -- The row must outlive every session that carries an older generation.
    keep_until timestamptz NOT NULL);

CREATE INDEX archive_users_changed ON archive_users (changed_at, user_ref);
CREATE INDEX archive_users_kept ON archive_users (keep_until);

-- A session is live while ended_at is null, its generation is the user's, and expires_at is ahead. An ended row stays until its session would
-- have expired: it is what keeps the session from coming back. One without a record is a revocation that came before the session's own row.
CREATE TABLE archive_sessions (
    user_ref text NOT NULL,
    sid text NOT NULL,
    generation bigint NOT NULL DEFAULT 0,
    -- As in Redis, in the newest format. The columns beside it win.
    record bytea NULL,
    last_seen_at timestamptz NULL,
    expires_at timestamptz NULL,
    absolute_expires_at timestamptz NULL,
    ended_at timestamptz NULL,
    -- True when it ended by revocation; false when its id was rotated away.
    revoked boolean NOT NULL DEFAULT false,
    successor text NULL,
    -- Until then a revocation of this id is one of its successor.
    alias_until timestamptz NULL,
    keep_until timestamptz NOT NULL,
    PRIMARY KEY (user_ref, sid));

CREATE INDEX archive_sessions_ended ON archive_sessions (ended_at, user_ref, sid) WHERE ended_at IS NOT NULL;
CREATE INDEX archive_sessions_kept ON archive_sessions (keep_until);
