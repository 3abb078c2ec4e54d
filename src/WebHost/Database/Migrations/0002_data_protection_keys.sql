-- The ring of keys that encrypts what the host keeps but must read again, such as the keys of authenticators. All hosts share it; no key is ever deleted,
-- because what it encrypted would be lost.
CREATE TABLE data_protection_keys (
    name text PRIMARY KEY,
    kind text NOT NULL,
    xml text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
