-- Kitchen tickets: one for each order that was paid.
CREATE TABLE tickets (
    order_id TEXT PRIMARY KEY,
    restaurant_id TEXT NOT NULL,
    -- The restaurant's own day, and the ticket's number on it.
    day TEXT NOT NULL,
    number INTEGER NOT NULL,
    -- The order's status as it was last heard of.
    state TEXT NOT NULL,
    state_at_ms INTEGER NOT NULL,
    total_cents INTEGER NOT NULL,
    units INTEGER NOT NULL,
    -- JSON: [{"itemId", "quantity", "total"}]
    lines TEXT NOT NULL,
    paid_at_ms INTEGER NOT NULL,
    accepted_at_ms INTEGER,
    ready_at_ms INTEGER,
    -- Delivered, cancelled or rejected.
    ended_at_ms INTEGER,
    -- The money has to go back.
    refunded_at_ms INTEGER
) STRICT;

CREATE INDEX tickets_by_time ON tickets (paid_at_ms, total_cents);
CREATE INDEX tickets_open ON tickets (paid_at_ms) WHERE ended_at_ms IS NULL;
CREATE INDEX tickets_refunded ON tickets (refunded_at_ms, total_cents) WHERE refunded_at_ms IS NOT NULL;

-- The last number given on each restaurant's day.
CREATE TABLE ticket_days (
    restaurant_id TEXT NOT NULL,
    day TEXT NOT NULL,
    last_number INTEGER NOT NULL,
    PRIMARY KEY (restaurant_id, day)
) STRICT, WITHOUT ROWID;

-- Roll-ups by hour of the restaurant's own time, so that a day's figures are a few rows however many tickets there are.
CREATE TABLE ticket_hours (
    restaurant_id TEXT NOT NULL,
    -- When the hour began.
    hour_ms INTEGER NOT NULL,
    orders INTEGER NOT NULL,
    cents INTEGER NOT NULL,
    refunds INTEGER NOT NULL,
    refunded_cents INTEGER NOT NULL,
    -- How many became ready, and how long that took from being accepted, together.
    cooked INTEGER NOT NULL,
    cooking_ms INTEGER NOT NULL,
    PRIMARY KEY (restaurant_id, hour_ms)
) STRICT, WITHOUT ROWID;

CREATE TABLE item_hours (
    restaurant_id TEXT NOT NULL,
    hour_ms INTEGER NOT NULL,
    item_id TEXT NOT NULL,
    units INTEGER NOT NULL,
    PRIMARY KEY (restaurant_id, hour_ms, item_id)
) STRICT, WITHOUT ROWID;

-- Items of one restaurant that were ordered together. Each pair is there once, the smaller id first.
CREATE TABLE item_pairs (
    restaurant_id TEXT NOT NULL,
    item_id TEXT NOT NULL,
    with_id TEXT NOT NULL,
    orders INTEGER NOT NULL,
    PRIMARY KEY (restaurant_id, item_id, with_id)
) STRICT, WITHOUT ROWID;

-- Sums over all tickets, kept beside every row that is written, by whomever.
CREATE TABLE menu_totals (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT;

INSERT INTO menu_totals (name, value) VALUES ('tickets', 0), ('ticket_cents', 0), ('refunded_tickets', 0), ('refunded_cents', 0);

CREATE TRIGGER tickets_inserted AFTER INSERT ON tickets BEGIN
    UPDATE menu_totals SET value = value + 1 WHERE name = 'tickets';
    UPDATE menu_totals SET value = value + NEW.total_cents WHERE name = 'ticket_cents';
    UPDATE menu_totals SET value = value + 1 WHERE name = 'refunded_tickets' AND NEW.refunded_at_ms IS NOT NULL;
    UPDATE menu_totals SET value = value + NEW.total_cents WHERE name = 'refunded_cents' AND NEW.refunded_at_ms IS NOT NULL;
END;

CREATE TRIGGER tickets_updated AFTER UPDATE OF total_cents, refunded_at_ms ON tickets
WHEN OLD.total_cents <> NEW.total_cents OR (OLD.refunded_at_ms IS NULL) <> (NEW.refunded_at_ms IS NULL)
BEGIN
    UPDATE menu_totals SET value = value + NEW.total_cents - OLD.total_cents WHERE name = 'ticket_cents';
    UPDATE menu_totals SET value = value + (NEW.refunded_at_ms IS NOT NULL) - (OLD.refunded_at_ms IS NOT NULL)
        WHERE name = 'refunded_tickets';
    UPDATE menu_totals SET value = value
        + NEW.total_cents * (NEW.refunded_at_ms IS NOT NULL) - OLD.total_cents * (OLD.refunded_at_ms IS NOT NULL)
        WHERE name = 'refunded_cents';
END;

CREATE TRIGGER tickets_deleted AFTER DELETE ON tickets BEGIN
    UPDATE menu_totals SET value = value - 1 WHERE name = 'tickets';
    UPDATE menu_totals SET value = value - OLD.total_cents WHERE name = 'ticket_cents';
    UPDATE menu_totals SET value = value - 1 WHERE name = 'refunded_tickets' AND OLD.refunded_at_ms IS NOT NULL;
    UPDATE menu_totals SET value = value - OLD.total_cents WHERE name = 'refunded_cents' AND OLD.refunded_at_ms IS NOT NULL;
END;
