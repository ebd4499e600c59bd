-- Stock: where each item stands, every movement that led there, and what orders hold.
CREATE TABLE stock (
    item_id TEXT PRIMARY KEY,
    quantity INTEGER NOT NULL CHECK (quantity >= 0)
) STRICT;

CREATE TABLE movements (
    id INTEGER PRIMARY KEY,
    item_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    -- Signed: a take is negative.
    quantity INTEGER NOT NULL,
    order_id TEXT,
    at_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE reservations (
    order_id TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    -- The reservation as answered, as JSON; empty for one that was released before it was made.
    document TEXT NOT NULL,
    at_ms INTEGER NOT NULL
) STRICT;

CREATE INDEX reservations_by_state ON reservations (state, at_ms);
