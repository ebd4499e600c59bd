-- What becomes of an order after it was accepted, and the books.

-- Whose it is: 'u:' and an account, or 's:' and a browser's session.
DROP INDEX orders_by_session;
ALTER TABLE orders RENAME COLUMN session_id TO owner_id;
UPDATE orders SET owner_id = 's:' || owner_id;
ALTER TABLE orders
    -- Where it came from: for events, not for access.
    ADD COLUMN session_id TEXT,
    ADD COLUMN user_id TEXT,
    ADD COLUMN synthetic BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN traceparent TEXT,
    -- Things ordered, over all lines.
    ADD COLUMN units BIGINT NOT NULL DEFAULT 0,
    -- 'pending 1763632800000,paid 1763632801000'; null until something follows the beginning.
    ADD COLUMN history TEXT,
    ADD COLUMN reason TEXT,
    -- Null until money was taken.
    ADD COLUMN paid_at_ms BIGINT,
    -- Who has to do something, and until when; both null when nothing is left to do.
    ADD COLUMN holder TEXT CHECK (holder IN ('payment', 'restaurant', 'delivery', 'operator')),
    ADD COLUMN deadline_ms BIGINT,
    -- When the autopilot does the next thing.
    ADD COLUMN due_at_ms BIGINT;

UPDATE orders SET
    units = (SELECT COALESCE(SUM(CAST(line ->> 'quantity' AS BIGINT)), 0) FROM json_array_elements(document::json -> 'items') AS line),
    holder = CASE WHEN status = 'pending' THEN 'payment'
        WHEN status IN ('paid', 'accepted', 'preparing') THEN 'restaurant'
        WHEN status IN ('ready', 'assigned', 'pickedUp') THEN 'delivery' END,
    deadline_ms = CASE WHEN status = 'pending' THEN created_at_ms + 60000
        WHEN status IN ('paid', 'accepted', 'preparing', 'ready', 'assigned', 'pickedUp') THEN updated_at_ms + 3600000 END;

CREATE INDEX orders_by_owner ON orders (owner_id, id);
CREATE INDEX orders_by_owner_and_name ON orders (owner_id, customer_name, id);
CREATE INDEX orders_by_board ON orders (restaurant_id, status, id);
CREATE INDEX orders_by_deadline ON orders (deadline_ms) WHERE deadline_ms IS NOT NULL;
CREATE INDEX orders_by_due ON orders (due_at_ms) WHERE due_at_ms IS NOT NULL;
-- Orders that wait and that nobody has. There are none.
CREATE INDEX orders_without_holder ON orders (id)
    WHERE holder IS NULL AND status NOT IN ('delivered', 'cancelled', 'rejected', 'paymentFailed');

-- Kitchens that are not as they are by default.
CREATE TABLE kitchens (
    restaurant_id TEXT COLLATE "C" PRIMARY KEY,
    -- 1 by default: it accepts and cooks by itself.
    autopilot BIGINT NOT NULL
);

-- The books: sums over everything there ever was. Triggers keep them, so that nothing gets into the tables beside them.
CREATE TABLE ledger_totals (
    name TEXT COLLATE "C" NOT NULL,
    -- By connection, so that writers of many replicas do not wait for each other.
    shard BIGINT NOT NULL,
    value BIGINT NOT NULL,
    PRIMARY KEY (name, shard)
) WITH (fillfactor = 50);

INSERT INTO ledger_totals (name, shard, value) VALUES
    ('orders', 0, (SELECT COUNT(*) FROM orders)),
    ('requests_done', 0, (SELECT COUNT(*) FROM orders)),
    ('sold_units', 0, (SELECT COALESCE(SUM(units), 0) FROM orders)),
    ('released_units', 0, 0),
    ('paid', 0, 0),
    ('paid_cents', 0, 0),
    ('refund_due_cents', 0, 0),
    ('delivered', 0, 0);

-- What moved of late, by sum: other books may not have heard of it yet.
CREATE TABLE ledger_recent (
    at_ms BIGINT NOT NULL,
    name TEXT NOT NULL,
    amount BIGINT NOT NULL
);

CREATE INDEX ledger_recent_by_moment ON ledger_recent (at_ms);

-- What one order is worth in the books.
CREATE FUNCTION order_shares(sign BIGINT, status TEXT, paid_at_ms BIGINT, total_cents BIGINT, units BIGINT)
RETURNS TABLE (name TEXT, amount BIGINT) LANGUAGE sql IMMUTABLE AS $$
    VALUES
        ('delivered', CASE WHEN status = 'delivered' THEN sign ELSE 0 END),
        ('orders', sign),
        ('paid', CASE WHEN paid_at_ms IS NOT NULL THEN sign ELSE 0 END),
        ('paid_cents', CASE WHEN paid_at_ms IS NOT NULL THEN sign * total_cents ELSE 0 END),
        ('refund_due_cents', CASE WHEN paid_at_ms IS NOT NULL AND status IN ('cancelled', 'rejected') THEN sign * total_cents ELSE 0 END),
        ('released_units', CASE WHEN status IN ('cancelled', 'rejected', 'paymentFailed') THEN sign * units ELSE 0 END),
        ('sold_units', sign * units)
$$;

-- Always in the order of the names: two writers that share a shard must not stop each other.
CREATE FUNCTION book_new_orders() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO ledger_totals AS total (name, shard, value)
    SELECT share.name, pg_backend_pid() % 16, CAST(SUM(share.amount) AS BIGINT)
    FROM fresh, order_shares(1, fresh.status, fresh.paid_at_ms, fresh.total_cents, fresh.units) AS share
    GROUP BY share.name HAVING SUM(share.amount) <> 0 ORDER BY share.name
    ON CONFLICT (name, shard) DO UPDATE SET value = total.value + excluded.value;
    RETURN NULL;
END $$;

CREATE FUNCTION book_changed_orders() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO ledger_totals AS total (name, shard, value)
    SELECT share.name, pg_backend_pid() % 16, CAST(SUM(share.amount) AS BIGINT)
    FROM (
        SELECT 1 AS sign, status, paid_at_ms, total_cents, units FROM fresh
        UNION ALL SELECT -1, status, paid_at_ms, total_cents, units FROM stale
    ) AS changed, order_shares(changed.sign, changed.status, changed.paid_at_ms, changed.total_cents, changed.units) AS share
    GROUP BY share.name HAVING SUM(share.amount) <> 0 ORDER BY share.name
    ON CONFLICT (name, shard) DO UPDATE SET value = total.value + excluded.value;
    RETURN NULL;
END $$;

CREATE FUNCTION book_removed_orders() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO ledger_totals AS total (name, shard, value)
    SELECT share.name, pg_backend_pid() % 16, CAST(SUM(share.amount) AS BIGINT)
    FROM stale, order_shares(-1, stale.status, stale.paid_at_ms, stale.total_cents, stale.units) AS share
    GROUP BY share.name HAVING SUM(share.amount) <> 0 ORDER BY share.name
    ON CONFLICT (name, shard) DO UPDATE SET value = total.value + excluded.value;
    RETURN NULL;
END $$;

CREATE TRIGGER book_new_orders AFTER INSERT ON orders
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION book_new_orders();
CREATE TRIGGER book_changed_orders AFTER UPDATE ON orders
    REFERENCING OLD TABLE AS stale NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION book_changed_orders();
CREATE TRIGGER book_removed_orders AFTER DELETE ON orders
    REFERENCING OLD TABLE AS stale FOR EACH STATEMENT EXECUTE FUNCTION book_removed_orders();

-- Requests that were answered with an order. Their rows are forgotten after a day, their number is not.
CREATE FUNCTION book_new_answers() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO ledger_totals AS total (name, shard, value)
    SELECT 'requests_done', pg_backend_pid() % 16, COUNT(*) FROM fresh WHERE fresh.state = 'done' HAVING COUNT(*) > 0
    ON CONFLICT (name, shard) DO UPDATE SET value = total.value + excluded.value;
    RETURN NULL;
END $$;

CREATE FUNCTION book_changed_answers() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO ledger_totals AS total (name, shard, value)
    SELECT 'requests_done', pg_backend_pid() % 16, COUNT(*)
    FROM fresh JOIN stale ON stale.order_id = fresh.order_id
    WHERE fresh.state = 'done' AND stale.state <> 'done' HAVING COUNT(*) > 0
    ON CONFLICT (name, shard) DO UPDATE SET value = total.value + excluded.value;
    RETURN NULL;
END $$;

CREATE TRIGGER book_new_answers AFTER INSERT ON requests
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION book_new_answers();
CREATE TRIGGER book_changed_answers AFTER UPDATE ON requests
    REFERENCING OLD TABLE AS stale NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION book_changed_answers();
