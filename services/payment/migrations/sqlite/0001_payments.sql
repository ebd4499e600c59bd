-- Payments, one an order; what restaurants are paid for a day; sums over everything there ever was.
CREATE TABLE payments (
    order_id TEXT PRIMARY KEY,
    restaurant_id TEXT NOT NULL,
    city TEXT NOT NULL DEFAULT '',
    -- voiding: the order ended while the bank was being asked; whatever it took goes back, and it takes nothing any more.
    status TEXT NOT NULL
        CHECK (status IN ('charging', 'voiding', 'completed', 'failed', 'refunding', 'refunded', 'void')),
    amount_cents INTEGER NOT NULL CHECK (amount_cents >= 0),
    -- A word such as 'card', never a number.
    method TEXT NOT NULL DEFAULT 'card',
    -- Why it failed or went back, for people.
    reason TEXT,
    synthetic INTEGER NOT NULL DEFAULT 0,
    session_id TEXT,
    -- Trace of whoever caused the last step.
    traceparent TEXT,
    -- How often the bank did not answer since the last step, and when it is asked again.
    attempts INTEGER NOT NULL DEFAULT 0,
    due_ms INTEGER NOT NULL DEFAULT 0,
    charged_ms INTEGER,
    refunded_ms INTEGER,
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    -- Somebody has to ask the bank.
    open INTEGER NOT NULL GENERATED ALWAYS AS (status IN ('charging', 'voiding', 'refunding')) VIRTUAL,
    charged INTEGER NOT NULL GENERATED ALWAYS AS (status IN ('completed', 'refunding', 'refunded')) VIRTUAL,
    refunded INTEGER NOT NULL GENERATED ALWAYS AS (status = 'refunded') VIRTUAL
) STRICT;

CREATE INDEX payments_open ON payments (due_ms) WHERE open = 1;
-- What moved of late; they hold all that is summed.
CREATE INDEX payments_created ON payments (created_ms);
CREATE INDEX payments_charged ON payments (charged_ms, amount_cents) WHERE charged_ms IS NOT NULL;
CREATE INDEX payments_refunded ON payments (refunded_ms, amount_cents) WHERE refunded_ms IS NOT NULL;

CREATE TABLE settlement (
    -- Days since 1970, UTC, by the charge: a refund counts for the day its charge was made.
    day INTEGER NOT NULL,
    restaurant_id TEXT NOT NULL,
    charges INTEGER NOT NULL,
    charged_cents INTEGER NOT NULL,
    refunds INTEGER NOT NULL,
    refunded_cents INTEGER NOT NULL,
    PRIMARY KEY (day, restaurant_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE payment_totals (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO payment_totals (name, value) VALUES
    ('payments', 0), ('charges', 0), ('charged_cents', 0), ('refunds', 0), ('refunded_cents', 0),
    ('bank_charged_cents', 0), ('bank_refunded_cents', 0);

-- Both follow every row, whoever writes it.
CREATE TRIGGER payments_counted AFTER INSERT ON payments BEGIN
    UPDATE payment_totals SET value = value + 1 WHERE name = 'payments';
END;

CREATE TRIGGER payments_uncounted AFTER DELETE ON payments BEGIN
    UPDATE payment_totals SET value = value - 1 WHERE name = 'payments';
END;

CREATE TRIGGER payments_inserted AFTER INSERT ON payments WHEN NEW.charged = 1 BEGIN
    UPDATE payment_totals SET value = value + CASE name
        WHEN 'charges' THEN 1
        WHEN 'charged_cents' THEN NEW.amount_cents
        WHEN 'refunds' THEN NEW.refunded
        ELSE NEW.refunded * NEW.amount_cents END
    WHERE name IN ('charges', 'charged_cents', 'refunds', 'refunded_cents');
    INSERT INTO settlement (day, restaurant_id, charges, charged_cents, refunds, refunded_cents)
    VALUES (COALESCE(NEW.charged_ms, NEW.updated_ms) / 86400000, NEW.restaurant_id,
        1, NEW.amount_cents, NEW.refunded, NEW.refunded * NEW.amount_cents)
    ON CONFLICT (day, restaurant_id) DO UPDATE SET
        charges = charges + excluded.charges, charged_cents = charged_cents + excluded.charged_cents,
        refunds = refunds + excluded.refunds, refunded_cents = refunded_cents + excluded.refunded_cents;
END;

CREATE TRIGGER payments_updated AFTER UPDATE OF status, amount_cents ON payments
WHEN NEW.charged <> OLD.charged OR NEW.refunded <> OLD.refunded OR (NEW.charged = 1 AND NEW.amount_cents <> OLD.amount_cents) BEGIN
    UPDATE payment_totals SET value = value + CASE name
        WHEN 'charges' THEN NEW.charged - OLD.charged
        WHEN 'charged_cents' THEN NEW.charged * NEW.amount_cents - OLD.charged * OLD.amount_cents
        WHEN 'refunds' THEN NEW.refunded - OLD.refunded
        ELSE NEW.refunded * NEW.amount_cents - OLD.refunded * OLD.amount_cents END
    WHERE name IN ('charges', 'charged_cents', 'refunds', 'refunded_cents');
    INSERT INTO settlement (day, restaurant_id, charges, charged_cents, refunds, refunded_cents)
    VALUES (COALESCE(NEW.charged_ms, NEW.updated_ms) / 86400000, NEW.restaurant_id,
        NEW.charged - OLD.charged, NEW.charged * NEW.amount_cents - OLD.charged * OLD.amount_cents,
        NEW.refunded - OLD.refunded, NEW.refunded * NEW.amount_cents - OLD.refunded * OLD.amount_cents)
    ON CONFLICT (day, restaurant_id) DO UPDATE SET
        charges = charges + excluded.charges, charged_cents = charged_cents + excluded.charged_cents,
        refunds = refunds + excluded.refunds, refunded_cents = refunded_cents + excluded.refunded_cents;
END;

CREATE TRIGGER payments_deleted AFTER DELETE ON payments WHEN OLD.charged = 1 BEGIN
    UPDATE payment_totals SET value = value - CASE name
        WHEN 'charges' THEN 1
        WHEN 'charged_cents' THEN OLD.amount_cents
        WHEN 'refunds' THEN OLD.refunded
        ELSE OLD.refunded * OLD.amount_cents END
    WHERE name IN ('charges', 'charged_cents', 'refunds', 'refunded_cents');
    UPDATE settlement SET charges = charges - 1, charged_cents = charged_cents - OLD.amount_cents,
        refunds = refunds - OLD.refunded, refunded_cents = refunded_cents - OLD.refunded * OLD.amount_cents
    WHERE day = COALESCE(OLD.charged_ms, OLD.updated_ms) / 86400000 AND restaurant_id = OLD.restaurant_id;
END;
