-- The simulated bank: what it says happened, by key. It survives us, as a real one does.
CREATE TABLE provider_charges (
    key TEXT COLLATE "C" PRIMARY KEY,
    -- closed: a refund came first, so that nothing is ever taken under this key.
    state TEXT NOT NULL CHECK (state IN ('charged', 'declined', 'closed', 'refunded')),
    amount_cents BIGINT NOT NULL,
    refunded_cents BIGINT NOT NULL DEFAULT 0,
    reason TEXT,
    at_ms BIGINT NOT NULL,
    refunded_ms BIGINT,
    taken_cents BIGINT NOT NULL
        GENERATED ALWAYS AS (CASE WHEN state IN ('charged', 'refunded') THEN amount_cents ELSE 0 END) STORED
);

CREATE INDEX provider_charges_by_time ON provider_charges (at_ms, amount_cents) WHERE state IN ('charged', 'refunded');
CREATE INDEX provider_charges_refunded ON provider_charges (refunded_ms, refunded_cents) WHERE refunded_ms IS NOT NULL;

CREATE FUNCTION provider_charges_changed() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    charged BIGINT := 0;
    returned BIGINT := 0;
    old_charged BIGINT := 0;
    old_returned BIGINT := 0;
BEGIN
    IF TG_OP <> 'DELETE' THEN
        SELECT COALESCE(SUM(taken_cents), 0), COALESCE(SUM(refunded_cents), 0) INTO charged, returned FROM new_rows;
    END IF;
    IF TG_OP <> 'INSERT' THEN
        SELECT COALESCE(SUM(taken_cents), 0), COALESCE(SUM(refunded_cents), 0) INTO old_charged, old_returned FROM old_rows;
    END IF;
    IF charged <> old_charged THEN
        UPDATE payment_totals SET value = value + charged - old_charged WHERE name = 'bank_charged_cents';
    END IF;
    IF returned <> old_returned THEN
        UPDATE payment_totals SET value = value + returned - old_returned WHERE name = 'bank_refunded_cents';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER provider_charges_inserted AFTER INSERT ON provider_charges
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION provider_charges_changed();
CREATE TRIGGER provider_charges_updated AFTER UPDATE ON provider_charges
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION provider_charges_changed();
CREATE TRIGGER provider_charges_deleted AFTER DELETE ON provider_charges
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION provider_charges_changed();
