-- Payments, one an order; what restaurants are paid for a day; sums over everything there ever was.
CREATE TABLE payments (
    order_id TEXT COLLATE "C" PRIMARY KEY,
    restaurant_id TEXT COLLATE "C" NOT NULL,
    city TEXT NOT NULL DEFAULT '',
    -- voiding: the order ended while the bank was being asked; whatever it took goes back, and it takes nothing any more.
    status TEXT NOT NULL
        CHECK (status IN ('charging', 'voiding', 'completed', 'failed', 'refunding', 'refunded', 'void')),
    amount_cents BIGINT NOT NULL CHECK (amount_cents >= 0),
    -- A word such as 'card', never a number.
    method TEXT NOT NULL DEFAULT 'card',
    -- Why it failed or went back, for people.
    reason TEXT,
    synthetic BIGINT NOT NULL DEFAULT 0,
    session_id TEXT,
    -- Trace of whoever caused the last step.
    traceparent TEXT,
    -- How often the bank did not answer since the last step, and when it is asked again.
    attempts BIGINT NOT NULL DEFAULT 0,
    due_ms BIGINT NOT NULL DEFAULT 0,
    charged_ms BIGINT,
    refunded_ms BIGINT,
    created_ms BIGINT NOT NULL,
    updated_ms BIGINT NOT NULL,
    -- Somebody has to ask the bank.
    open BIGINT NOT NULL
        GENERATED ALWAYS AS (CASE WHEN status IN ('charging', 'voiding', 'refunding') THEN 1 ELSE 0 END) STORED,
    charged BIGINT NOT NULL
        GENERATED ALWAYS AS (CASE WHEN status IN ('completed', 'refunding', 'refunded') THEN 1 ELSE 0 END) STORED,
    refunded BIGINT NOT NULL
        GENERATED ALWAYS AS (CASE WHEN status = 'refunded' THEN 1 ELSE 0 END) STORED
);

CREATE INDEX payments_open ON payments (due_ms) WHERE open = 1;
-- What moved of late; they hold all that is summed.
CREATE INDEX payments_created ON payments (created_ms);
CREATE INDEX payments_charged ON payments (charged_ms, amount_cents) WHERE charged_ms IS NOT NULL;
CREATE INDEX payments_refunded ON payments (refunded_ms, amount_cents) WHERE refunded_ms IS NOT NULL;

CREATE TABLE settlement (
    -- Days since 1970, UTC, by the charge: a refund counts for the day its charge was made.
    day BIGINT NOT NULL,
    restaurant_id TEXT COLLATE "C" NOT NULL,
    charges BIGINT NOT NULL,
    charged_cents BIGINT NOT NULL,
    refunds BIGINT NOT NULL,
    refunded_cents BIGINT NOT NULL,
    PRIMARY KEY (day, restaurant_id)
);

CREATE TABLE payment_totals (
    name TEXT PRIMARY KEY,
    value BIGINT NOT NULL
);

INSERT INTO payment_totals (name, value) VALUES
    ('payments', 0), ('charges', 0), ('charged_cents', 0), ('refunds', 0), ('refunded_cents', 0),
    ('bank_charged_cents', 0), ('bank_refunded_cents', 0);

-- Both follow every row, whoever writes it. Totals come first, so that replicas which write the same restaurants wait there.
CREATE FUNCTION payments_changed() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    added RECORD;
    removed RECORD;
BEGIN
    SELECT 0::BIGINT AS payments, 0::BIGINT AS charges, 0::BIGINT AS charged_cents, 0::BIGINT AS refunds, 0::BIGINT AS refunded_cents
    INTO added;
    removed := added;
    IF TG_OP <> 'DELETE' THEN
        SELECT COUNT(*) AS payments, COALESCE(SUM(charged), 0)::BIGINT AS charges,
            COALESCE(SUM(charged * amount_cents), 0)::BIGINT AS charged_cents,
            COALESCE(SUM(refunded), 0)::BIGINT AS refunds, COALESCE(SUM(refunded * amount_cents), 0)::BIGINT AS refunded_cents
        INTO added FROM new_rows;
    END IF;
    IF TG_OP <> 'INSERT' THEN
        SELECT COUNT(*) AS payments, COALESCE(SUM(charged), 0)::BIGINT AS charges,
            COALESCE(SUM(charged * amount_cents), 0)::BIGINT AS charged_cents,
            COALESCE(SUM(refunded), 0)::BIGINT AS refunds, COALESCE(SUM(refunded * amount_cents), 0)::BIGINT AS refunded_cents
        INTO removed FROM old_rows;
    END IF;
    IF added = removed THEN
        RETURN NULL;
    END IF;
    UPDATE payment_totals SET value = value + CASE name
        WHEN 'payments' THEN added.payments - removed.payments
        WHEN 'charges' THEN added.charges - removed.charges
        WHEN 'charged_cents' THEN added.charged_cents - removed.charged_cents
        WHEN 'refunds' THEN added.refunds - removed.refunds
        ELSE added.refunded_cents - removed.refunded_cents END
    WHERE name IN ('payments', 'charges', 'charged_cents', 'refunds', 'refunded_cents');
    IF added.charges = 0 AND removed.charges = 0 THEN
        RETURN NULL;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO settlement AS sums (day, restaurant_id, charges, charged_cents, refunds, refunded_cents)
        SELECT COALESCE(charged_ms, updated_ms) / 86400000, restaurant_id,
            COUNT(*), SUM(amount_cents), SUM(refunded), SUM(refunded * amount_cents)
        FROM new_rows WHERE charged = 1 GROUP BY 1, 2 ORDER BY 1, 2
        ON CONFLICT (day, restaurant_id) DO UPDATE SET
            charges = sums.charges + excluded.charges, charged_cents = sums.charged_cents + excluded.charged_cents,
            refunds = sums.refunds + excluded.refunds, refunded_cents = sums.refunded_cents + excluded.refunded_cents;
    END IF;
    IF removed.charges > 0 THEN
        UPDATE settlement AS sums SET
            charges = sums.charges - gone.charges, charged_cents = sums.charged_cents - gone.charged_cents,
            refunds = sums.refunds - gone.refunds, refunded_cents = sums.refunded_cents - gone.refunded_cents
        FROM (
            SELECT COALESCE(charged_ms, updated_ms) / 86400000 AS day, restaurant_id, COUNT(*) AS charges,
                SUM(amount_cents) AS charged_cents, SUM(refunded) AS refunds, SUM(refunded * amount_cents) AS refunded_cents
            FROM old_rows WHERE charged = 1 GROUP BY 1, 2
        ) AS gone WHERE sums.day = gone.day AND sums.restaurant_id = gone.restaurant_id;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER payments_inserted AFTER INSERT ON payments
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION payments_changed();
CREATE TRIGGER payments_updated AFTER UPDATE ON payments
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION payments_changed();
CREATE TRIGGER payments_deleted AFTER DELETE ON payments
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION payments_changed();
