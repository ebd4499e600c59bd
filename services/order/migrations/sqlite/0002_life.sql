-- What becomes of an order after it was accepted, and the books.

-- Whose it is: 'u:' and an account, or 's:' and a browser's session.
DROP INDEX orders_by_session;
ALTER TABLE orders RENAME COLUMN session_id TO owner_id;
UPDATE orders SET owner_id = 's:' || owner_id;
-- Where it came from: for events, not for access.
ALTER TABLE orders ADD COLUMN session_id TEXT;
ALTER TABLE orders ADD COLUMN user_id TEXT;
ALTER TABLE orders ADD COLUMN synthetic INTEGER NOT NULL DEFAULT 0;
ALTER TABLE orders ADD COLUMN traceparent TEXT;
-- Things ordered, over all lines.
ALTER TABLE orders ADD COLUMN units INTEGER NOT NULL DEFAULT 0;
-- 'pending 1763632800000,paid 1763632801000'; null until something follows the beginning.
ALTER TABLE orders ADD COLUMN history TEXT;
ALTER TABLE orders ADD COLUMN reason TEXT;
-- Null until money was taken.
ALTER TABLE orders ADD COLUMN paid_at_ms INTEGER;
-- Who has to do something, and until when; both null when nothing is left to do.
ALTER TABLE orders ADD COLUMN holder TEXT CHECK (holder IN ('payment', 'restaurant', 'delivery', 'operator'));
ALTER TABLE orders ADD COLUMN deadline_ms INTEGER;
-- When the autopilot does the next thing.
ALTER TABLE orders ADD COLUMN due_at_ms INTEGER;

UPDATE orders SET
    units = (SELECT COALESCE(SUM(value ->> 'quantity'), 0) FROM json_each(document, '$.items')),
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
    restaurant_id TEXT PRIMARY KEY,
    -- 1 by default: it accepts and cooks by itself.
    autopilot INTEGER NOT NULL
) STRICT;

-- The books: sums over everything there ever was. Triggers keep them, so that nothing gets into the tables beside them.
CREATE TABLE ledger_totals (
    name TEXT NOT NULL,
    -- Always 0 here; PostgreSQL spreads its writers.
    shard INTEGER NOT NULL,
    value INTEGER NOT NULL,
    PRIMARY KEY (name, shard)
) STRICT, WITHOUT ROWID;

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
    at_ms INTEGER NOT NULL,
    name TEXT NOT NULL,
    amount INTEGER NOT NULL
) STRICT;

CREATE INDEX ledger_recent_by_moment ON ledger_recent (at_ms);

CREATE TRIGGER book_new_order AFTER INSERT ON orders BEGIN
    UPDATE ledger_totals SET value = value + CASE name WHEN 'orders' THEN 1 ELSE NEW.units END WHERE name IN ('orders', 'sold_units');
END;

CREATE TRIGGER book_removed_order AFTER DELETE ON orders BEGIN
    UPDATE ledger_totals SET value = value - CASE name WHEN 'orders' THEN 1 ELSE OLD.units END WHERE name IN ('orders', 'sold_units');
END;

CREATE TRIGGER book_units AFTER UPDATE OF units ON orders WHEN OLD.units <> NEW.units BEGIN
    UPDATE ledger_totals SET value = value + NEW.units - OLD.units WHERE name = 'sold_units';
END;

-- Paid: `paid_at_ms` is not null.
CREATE TRIGGER book_new_payment AFTER INSERT ON orders WHEN NEW.paid_at_ms IS NOT NULL BEGIN
    UPDATE ledger_totals SET value = value + CASE name WHEN 'paid' THEN 1 ELSE NEW.total_cents END WHERE name IN ('paid', 'paid_cents');
END;

CREATE TRIGGER book_removed_payment AFTER DELETE ON orders WHEN OLD.paid_at_ms IS NOT NULL BEGIN
    UPDATE ledger_totals SET value = value - CASE name WHEN 'paid' THEN 1 ELSE OLD.total_cents END WHERE name IN ('paid', 'paid_cents');
END;

CREATE TRIGGER book_payment AFTER UPDATE OF paid_at_ms, total_cents ON orders
WHEN (OLD.paid_at_ms IS NULL) <> (NEW.paid_at_ms IS NULL) OR OLD.total_cents <> NEW.total_cents BEGIN
    UPDATE ledger_totals SET value = value
        + (NEW.paid_at_ms IS NOT NULL) * CASE name WHEN 'paid' THEN 1 ELSE NEW.total_cents END
        - (OLD.paid_at_ms IS NOT NULL) * CASE name WHEN 'paid' THEN 1 ELSE OLD.total_cents END
    WHERE name IN ('paid', 'paid_cents');
END;

-- How it ended.
CREATE TRIGGER book_new_end AFTER INSERT ON orders WHEN NEW.status IN ('delivered', 'cancelled', 'rejected', 'paymentFailed') BEGIN
    UPDATE ledger_totals SET value = value + CASE name
        WHEN 'delivered' THEN NEW.status = 'delivered'
        WHEN 'released_units' THEN (NEW.status <> 'delivered') * NEW.units
        ELSE (NEW.status IN ('cancelled', 'rejected') AND NEW.paid_at_ms IS NOT NULL) * NEW.total_cents END
    WHERE name IN ('delivered', 'released_units', 'refund_due_cents');
END;

CREATE TRIGGER book_removed_end AFTER DELETE ON orders WHEN OLD.status IN ('delivered', 'cancelled', 'rejected', 'paymentFailed') BEGIN
    UPDATE ledger_totals SET value = value - CASE name
        WHEN 'delivered' THEN OLD.status = 'delivered'
        WHEN 'released_units' THEN (OLD.status <> 'delivered') * OLD.units
        ELSE (OLD.status IN ('cancelled', 'rejected') AND OLD.paid_at_ms IS NOT NULL) * OLD.total_cents END
    WHERE name IN ('delivered', 'released_units', 'refund_due_cents');
END;

CREATE TRIGGER book_end AFTER UPDATE OF status, units, total_cents, paid_at_ms ON orders
WHEN OLD.status IN ('delivered', 'cancelled', 'rejected', 'paymentFailed')
    OR NEW.status IN ('delivered', 'cancelled', 'rejected', 'paymentFailed') BEGIN
    UPDATE ledger_totals SET value = value + CASE name
        WHEN 'delivered' THEN (NEW.status = 'delivered') - (OLD.status = 'delivered')
        WHEN 'released_units' THEN (NEW.status IN ('cancelled', 'rejected', 'paymentFailed')) * NEW.units
            - (OLD.status IN ('cancelled', 'rejected', 'paymentFailed')) * OLD.units
        ELSE (NEW.status IN ('cancelled', 'rejected') AND NEW.paid_at_ms IS NOT NULL) * NEW.total_cents
            - (OLD.status IN ('cancelled', 'rejected') AND OLD.paid_at_ms IS NOT NULL) * OLD.total_cents END
    WHERE name IN ('delivered', 'released_units', 'refund_due_cents');
END;

-- Requests that were answered with an order. Their rows are forgotten after a day, their number is not.
CREATE TRIGGER book_new_answer AFTER INSERT ON requests WHEN NEW.state = 'done' BEGIN
    UPDATE ledger_totals SET value = value + 1 WHERE name = 'requests_done';
END;

CREATE TRIGGER book_answer AFTER UPDATE OF state ON requests WHEN OLD.state <> 'done' AND NEW.state = 'done' BEGIN
    UPDATE ledger_totals SET value = value + 1 WHERE name = 'requests_done';
END;
