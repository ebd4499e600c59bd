-- Cities with couriers, the couriers, what they deliver, and sums over everything there ever was.
CREATE TABLE cities (
    city TEXT PRIMARY KEY,
    -- Its name in the ids of its couriers.
    slug TEXT NOT NULL,
    -- Number of the freelancer who joined last.
    joined INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE TABLE couriers (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    emoji TEXT NOT NULL,
    city TEXT NOT NULL,
    -- Where they are or, on the way, where the way began.
    x INTEGER NOT NULL,
    y INTEGER NOT NULL,
    -- What is being carried.
    order_id TEXT,
    -- 0: a person makes the steps.
    autopilot INTEGER NOT NULL DEFAULT 1,
    freelancer INTEGER NOT NULL DEFAULT 0,
    free_since_ms INTEGER NOT NULL,
    -- Deliveries of that day (days since 1970, UTC).
    delivered INTEGER NOT NULL DEFAULT 0,
    delivered_day INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE INDEX couriers_by_city ON couriers (city, name, id);
-- No order is carried by two. Without the condition SQLite would look for free couriers of a city here, among those of all cities.
CREATE UNIQUE INDEX couriers_carrying ON couriers (order_id) WHERE order_id IS NOT NULL;
CREATE INDEX couriers_free ON couriers (city, id) WHERE order_id IS NULL;
CREATE INDEX couriers_idle ON couriers (free_since_ms) WHERE order_id IS NULL AND freelancer = 1;

CREATE TABLE deliveries (
    order_id TEXT PRIMARY KEY,
    restaurant_id TEXT NOT NULL,
    restaurant_name TEXT NOT NULL,
    customer_name TEXT NOT NULL,
    city TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('queued', 'assigned', 'pickedUp', 'completed')),
    -- Who carries it or has carried it; names stay when a freelancer has left.
    courier_id TEXT,
    courier_name TEXT,
    courier_emoji TEXT,
    -- Places of restaurant and customer.
    from_x INTEGER NOT NULL,
    from_y INTEGER NOT NULL,
    to_x INTEGER NOT NULL,
    to_y INTEGER NOT NULL,
    -- The way that is being ridden: where it began. It leads to the restaurant, then to the customer.
    leg_x INTEGER,
    leg_y INTEGER,
    departed_at_ms INTEGER,
    arrives_at_ms INTEGER,
    -- At the customer's door.
    expected_at_ms INTEGER,
    -- When the next step is made by itself.
    due_at_ms INTEGER,
    -- The kitchen was ready: the queue is in this order.
    ready_at_ms INTEGER NOT NULL,
    created_at_ms INTEGER NOT NULL,
    updated_at_ms INTEGER NOT NULL,
    -- Who ordered: an account, or a browser's session.
    owner TEXT,
    -- For the events.
    session_id TEXT,
    synthetic INTEGER NOT NULL DEFAULT 0,
    traceparent TEXT,
    -- The request that made the last step by hand: sent again, it makes no other.
    step_request TEXT
) STRICT;

CREATE INDEX deliveries_queued ON deliveries (city, ready_at_ms, order_id) WHERE status = 'queued';
CREATE INDEX deliveries_due ON deliveries (due_at_ms) WHERE due_at_ms IS NOT NULL;
CREATE INDEX deliveries_open ON deliveries (created_at_ms, order_id) WHERE status <> 'completed';
CREATE INDEX deliveries_by_age ON deliveries (created_at_ms);
CREATE INDEX deliveries_completed ON deliveries (updated_at_ms) WHERE status = 'completed';
-- Nobody carries two.
CREATE UNIQUE INDEX deliveries_carried ON deliveries (courier_id) WHERE status IN ('assigned', 'pickedUp');

CREATE TABLE delivery_totals (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO delivery_totals (name, value) VALUES ('deliveries', 0), ('completed', 0);

-- They follow every row, whoever writes it.
CREATE TRIGGER deliveries_inserted AFTER INSERT ON deliveries BEGIN
    UPDATE delivery_totals SET value = value + 1
    WHERE name = 'deliveries' OR (name = 'completed' AND NEW.status = 'completed');
END;

CREATE TRIGGER deliveries_updated AFTER UPDATE OF status ON deliveries
WHEN (NEW.status = 'completed') <> (OLD.status = 'completed') BEGIN
    UPDATE delivery_totals SET value = value + (NEW.status = 'completed') - (OLD.status = 'completed') WHERE name = 'completed';
END;

CREATE TRIGGER deliveries_deleted AFTER DELETE ON deliveries BEGIN
    UPDATE delivery_totals SET value = value - 1
    WHERE name = 'deliveries' OR (name = 'completed' AND OLD.status = 'completed');
END;
