-- Kitchen tickets: one for each order that was paid.
CREATE TABLE tickets (
    order_id TEXT COLLATE "C" PRIMARY KEY,
    restaurant_id TEXT COLLATE "C" NOT NULL,
    -- The restaurant's own day, and the ticket's number on it.
    day TEXT COLLATE "C" NOT NULL,
    number BIGINT NOT NULL,
    -- The order's status as it was last heard of.
    state TEXT COLLATE "C" NOT NULL,
    state_at_ms BIGINT NOT NULL,
    total_cents BIGINT NOT NULL,
    units BIGINT NOT NULL,
    -- JSON: [{"itemId", "quantity", "total"}]
    lines TEXT NOT NULL,
    paid_at_ms BIGINT NOT NULL,
    accepted_at_ms BIGINT,
    ready_at_ms BIGINT,
    -- Delivered, cancelled or rejected.
    ended_at_ms BIGINT,
    -- The money has to go back.
    refunded_at_ms BIGINT
);

CREATE INDEX tickets_by_time ON tickets (paid_at_ms, total_cents);
CREATE INDEX tickets_open ON tickets (paid_at_ms) WHERE ended_at_ms IS NULL;
CREATE INDEX tickets_refunded ON tickets (refunded_at_ms, total_cents) WHERE refunded_at_ms IS NOT NULL;

-- The last number given on each restaurant's day.
CREATE TABLE ticket_days (
    restaurant_id TEXT COLLATE "C" NOT NULL,
    day TEXT COLLATE "C" NOT NULL,
    last_number BIGINT NOT NULL,
    PRIMARY KEY (restaurant_id, day)
);

-- Roll-ups by hour of the restaurant's own time, so that a day's figures are a few rows however many tickets there are.
CREATE TABLE ticket_hours (
    restaurant_id TEXT COLLATE "C" NOT NULL,
    -- When the hour began.
    hour_ms BIGINT NOT NULL,
    orders BIGINT NOT NULL,
    cents BIGINT NOT NULL,
    refunds BIGINT NOT NULL,
    refunded_cents BIGINT NOT NULL,
    -- How many became ready, and how long that took from being accepted, together.
    cooked BIGINT NOT NULL,
    cooking_ms BIGINT NOT NULL,
    PRIMARY KEY (restaurant_id, hour_ms)
);

CREATE TABLE item_hours (
    restaurant_id TEXT COLLATE "C" NOT NULL,
    hour_ms BIGINT NOT NULL,
    item_id TEXT COLLATE "C" NOT NULL,
    units BIGINT NOT NULL,
    PRIMARY KEY (restaurant_id, hour_ms, item_id)
);

-- Items of one restaurant that were ordered together. Each pair is there once, the smaller id first.
CREATE TABLE item_pairs (
    restaurant_id TEXT COLLATE "C" NOT NULL,
    item_id TEXT COLLATE "C" NOT NULL,
    with_id TEXT COLLATE "C" NOT NULL,
    orders BIGINT NOT NULL,
    PRIMARY KEY (restaurant_id, item_id, with_id)
);

-- Sums over all tickets, kept beside every row that is written, by whomever.
CREATE TABLE menu_totals (
    name TEXT COLLATE "C" PRIMARY KEY,
    value BIGINT NOT NULL
);

INSERT INTO menu_totals (name, value) VALUES ('tickets', 0), ('ticket_cents', 0), ('refunded_tickets', 0), ('refunded_cents', 0);

CREATE FUNCTION tickets_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE menu_totals SET value = menu_totals.value + sums.value FROM (
        SELECT 'tickets' AS name, COUNT(*) AS value FROM changed
        UNION ALL SELECT 'ticket_cents', CAST(SUM(total_cents) AS BIGINT) FROM changed
        UNION ALL SELECT 'refunded_tickets', COUNT(*) FROM changed WHERE refunded_at_ms IS NOT NULL
        UNION ALL SELECT 'refunded_cents', CAST(SUM(total_cents) AS BIGINT) FROM changed WHERE refunded_at_ms IS NOT NULL
    ) AS sums WHERE menu_totals.name = sums.name AND sums.value <> 0;
    RETURN NULL;
END $$;

CREATE FUNCTION tickets_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE menu_totals SET value = menu_totals.value + sums.value FROM (
        SELECT 'ticket_cents' AS name,
            (SELECT CAST(SUM(total_cents) AS BIGINT) FROM after) - (SELECT CAST(SUM(total_cents) AS BIGINT) FROM before) AS value
        UNION ALL SELECT 'refunded_tickets', (SELECT COUNT(refunded_at_ms) FROM after) - (SELECT COUNT(refunded_at_ms) FROM before)
        UNION ALL SELECT 'refunded_cents',
            (SELECT CAST(COALESCE(SUM(total_cents), 0) AS BIGINT) FROM after WHERE refunded_at_ms IS NOT NULL)
            - (SELECT CAST(COALESCE(SUM(total_cents), 0) AS BIGINT) FROM before WHERE refunded_at_ms IS NOT NULL)
    ) AS sums WHERE menu_totals.name = sums.name AND sums.value <> 0;
    RETURN NULL;
END $$;

CREATE FUNCTION tickets_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE menu_totals SET value = menu_totals.value - sums.value FROM (
        SELECT 'tickets' AS name, COUNT(*) AS value FROM changed
        UNION ALL SELECT 'ticket_cents', CAST(SUM(total_cents) AS BIGINT) FROM changed
        UNION ALL SELECT 'refunded_tickets', COUNT(*) FROM changed WHERE refunded_at_ms IS NOT NULL
        UNION ALL SELECT 'refunded_cents', CAST(SUM(total_cents) AS BIGINT) FROM changed WHERE refunded_at_ms IS NOT NULL
    ) AS sums WHERE menu_totals.name = sums.name AND sums.value <> 0;
    RETURN NULL;
END $$;

CREATE TRIGGER tickets_inserted AFTER INSERT ON tickets
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION tickets_inserted();
CREATE TRIGGER tickets_updated AFTER UPDATE ON tickets
    REFERENCING OLD TABLE AS before NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION tickets_updated();
CREATE TRIGGER tickets_deleted AFTER DELETE ON tickets
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION tickets_deleted();
