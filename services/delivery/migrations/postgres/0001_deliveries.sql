-- Cities with couriers, the couriers, what they deliver, and sums over everything there ever was.
CREATE TABLE cities (
    city TEXT COLLATE "C" PRIMARY KEY,
    -- Its name in the ids of its couriers.
    slug TEXT NOT NULL,
    -- Number of the freelancer who joined last.
    joined BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE couriers (
    id TEXT COLLATE "C" PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL,
    emoji TEXT NOT NULL,
    city TEXT COLLATE "C" NOT NULL,
    -- Where they are or, on the way, where the way began.
    x BIGINT NOT NULL,
    y BIGINT NOT NULL,
    -- What is being carried.
    order_id TEXT COLLATE "C",
    -- 0: a person makes the steps.
    autopilot BIGINT NOT NULL DEFAULT 1,
    freelancer BIGINT NOT NULL DEFAULT 0,
    free_since_ms BIGINT NOT NULL,
    -- Deliveries of that day (days since 1970, UTC).
    delivered BIGINT NOT NULL DEFAULT 0,
    delivered_day BIGINT NOT NULL DEFAULT 0
);

CREATE INDEX couriers_by_city ON couriers (city, name, id);
-- No order is carried by two. Without the condition SQLite would look for free couriers of a city here, among those of all cities.
CREATE UNIQUE INDEX couriers_carrying ON couriers (order_id) WHERE order_id IS NOT NULL;
CREATE INDEX couriers_free ON couriers (city, id) WHERE order_id IS NULL;
CREATE INDEX couriers_idle ON couriers (free_since_ms) WHERE order_id IS NULL AND freelancer = 1;

CREATE TABLE deliveries (
    order_id TEXT COLLATE "C" PRIMARY KEY,
    restaurant_id TEXT NOT NULL,
    restaurant_name TEXT NOT NULL,
    customer_name TEXT NOT NULL,
    city TEXT COLLATE "C" NOT NULL,
    status TEXT COLLATE "C" NOT NULL CHECK (status IN ('queued', 'assigned', 'pickedUp', 'completed')),
    -- Who carries it or has carried it; names stay when a freelancer has left.
    courier_id TEXT COLLATE "C",
    courier_name TEXT,
    courier_emoji TEXT,
    -- Places of restaurant and customer.
    from_x BIGINT NOT NULL,
    from_y BIGINT NOT NULL,
    to_x BIGINT NOT NULL,
    to_y BIGINT NOT NULL,
    -- The way that is being ridden: where it began. It leads to the restaurant, then to the customer.
    leg_x BIGINT,
    leg_y BIGINT,
    departed_at_ms BIGINT,
    arrives_at_ms BIGINT,
    -- At the customer's door.
    expected_at_ms BIGINT,
    -- When the next step is made by itself.
    due_at_ms BIGINT,
    -- The kitchen was ready: the queue is in this order.
    ready_at_ms BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL,
    -- Who ordered: an account, or a browser's session.
    owner TEXT,
    -- For the events.
    session_id TEXT,
    synthetic BIGINT NOT NULL DEFAULT 0,
    traceparent TEXT,
    -- The request that made the last step by hand: sent again, it makes no other.
    step_request TEXT
);

CREATE INDEX deliveries_queued ON deliveries (city, ready_at_ms, order_id) WHERE status = 'queued';
CREATE INDEX deliveries_due ON deliveries (due_at_ms) WHERE due_at_ms IS NOT NULL;
CREATE INDEX deliveries_open ON deliveries (created_at_ms, order_id) WHERE status <> 'completed';
CREATE INDEX deliveries_by_age ON deliveries (created_at_ms);
CREATE INDEX deliveries_completed ON deliveries (updated_at_ms) WHERE status = 'completed';
-- Nobody carries two.
CREATE UNIQUE INDEX deliveries_carried ON deliveries (courier_id) WHERE status IN ('assigned', 'pickedUp');

CREATE TABLE delivery_totals (
    name TEXT PRIMARY KEY,
    value BIGINT NOT NULL
);

INSERT INTO delivery_totals (name, value) VALUES ('deliveries', 0), ('completed', 0);

-- They follow every row, whoever writes it. 'completed' comes first on every path, so that replicas never wait for each other in turn.
CREATE FUNCTION deliveries_changed() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    added BIGINT := 0;
    completed BIGINT := 0;
BEGIN
    IF TG_OP <> 'DELETE' THEN
        SELECT COUNT(*), COUNT(*) FILTER (WHERE status = 'completed') INTO added, completed FROM new_rows;
    END IF;
    IF TG_OP <> 'INSERT' THEN
        SELECT added - COUNT(*), completed - COUNT(*) FILTER (WHERE status = 'completed') INTO added, completed FROM old_rows;
    END IF;
    IF completed <> 0 THEN
        UPDATE delivery_totals SET value = value + completed WHERE name = 'completed';
    END IF;
    IF added <> 0 THEN
        UPDATE delivery_totals SET value = value + added WHERE name = 'deliveries';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER deliveries_inserted AFTER INSERT ON deliveries
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION deliveries_changed();
CREATE TRIGGER deliveries_updated AFTER UPDATE ON deliveries
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION deliveries_changed();
CREATE TRIGGER deliveries_deleted AFTER DELETE ON deliveries
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION deliveries_changed();
