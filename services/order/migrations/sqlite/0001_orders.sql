-- Orders, the requests that made them (idempotency and intents), and what is still to be told to others (outbox).
CREATE TABLE requests (
    -- Scope and key together name a request; sending it again answers the same.
    scope TEXT NOT NULL,
    key TEXT NOT NULL,
    -- SHA-256 of the body, so that the same key with another body is noticed.
    body_hash TEXT NOT NULL,
    -- One cart makes one order.
    cart_id TEXT NOT NULL UNIQUE,
    order_id TEXT NOT NULL UNIQUE,
    -- intent: being worked on. aborting: given up, stock to be released. done: the order stands.
    state TEXT NOT NULL CHECK (state IN ('intent', 'aborting', 'done')),
    created_at_ms INTEGER NOT NULL,
    PRIMARY KEY (scope, key)
) STRICT;

CREATE INDEX requests_by_state ON requests (state, created_at_ms);

CREATE TABLE orders (
    -- UUID version 7: sorts by time.
    id TEXT PRIMARY KEY,
    session_id TEXT,
    customer_name TEXT NOT NULL,
    restaurant_id TEXT NOT NULL,
    status TEXT NOT NULL,
    total_cents INTEGER NOT NULL CHECK (total_cents >= 0),
    created_at_ms INTEGER NOT NULL,
    updated_at_ms INTEGER NOT NULL,
    -- The order as accepted, as JSON: what does not change.
    document TEXT NOT NULL
) STRICT;

CREATE INDEX orders_by_session ON orders (session_id, id);
CREATE INDEX orders_by_name ON orders (customer_name, id);

CREATE TABLE outbox (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    order_id TEXT NOT NULL,
    payload TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    due_at_ms INTEGER NOT NULL
) STRICT;

CREATE INDEX outbox_by_due ON outbox (due_at_ms, id);
