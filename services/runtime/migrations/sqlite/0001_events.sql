-- Events of this service that the bus has not taken over for good. Ids are never used twice, so that a relay can go on from the last.
CREATE TABLE event_outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    order_id TEXT NOT NULL,
    document TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL
);

-- Events whose effects are in this database.
CREATE TABLE event_inbox (
    consumer TEXT NOT NULL,
    event_id TEXT NOT NULL,
    claimed_at_ms BIGINT NOT NULL,
    PRIMARY KEY (consumer, event_id)
) WITHOUT ROWID;
CREATE INDEX event_inbox_by_age ON event_inbox (claimed_at_ms);

-- Events that could not be applied, for an operator.
CREATE TABLE event_parked (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    consumer TEXT NOT NULL,
    event_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    order_id TEXT NOT NULL,
    document TEXT NOT NULL,
    error TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    parked_at_ms BIGINT NOT NULL,
    UNIQUE (consumer, event_id)
);

-- Scheduled work: who may do it, when it is due, how it went.
CREATE TABLE jobs (
    name TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    leased_until_ms BIGINT NOT NULL,
    due_at_ms BIGINT NOT NULL,
    started_at_ms BIGINT,
    finished_at_ms BIGINT,
    outcome TEXT
) WITHOUT ROWID;
