-- The simulated bank: what it says happened, by key. It survives us, as a real one does.
CREATE TABLE provider_charges (
    key TEXT PRIMARY KEY,
    -- closed: a refund came first, so that nothing is ever taken under this key.
    state TEXT NOT NULL CHECK (state IN ('charged', 'declined', 'closed', 'refunded')),
    amount_cents INTEGER NOT NULL,
    refunded_cents INTEGER NOT NULL DEFAULT 0,
    reason TEXT,
    at_ms INTEGER NOT NULL,
    refunded_ms INTEGER,
    taken_cents INTEGER NOT NULL
        GENERATED ALWAYS AS (CASE WHEN state IN ('charged', 'refunded') THEN amount_cents ELSE 0 END) VIRTUAL
) STRICT;

CREATE INDEX provider_charges_by_time ON provider_charges (at_ms, amount_cents) WHERE state IN ('charged', 'refunded');
CREATE INDEX provider_charges_refunded ON provider_charges (refunded_ms, refunded_cents) WHERE refunded_ms IS NOT NULL;

CREATE TRIGGER provider_charges_inserted AFTER INSERT ON provider_charges WHEN NEW.taken_cents <> 0 BEGIN
    UPDATE payment_totals SET value = value + NEW.taken_cents WHERE name = 'bank_charged_cents';
    UPDATE payment_totals SET value = value + NEW.refunded_cents WHERE name = 'bank_refunded_cents' AND NEW.refunded_cents <> 0;
END;

CREATE TRIGGER provider_charges_updated AFTER UPDATE ON provider_charges BEGIN
    UPDATE payment_totals SET value = value + NEW.taken_cents - OLD.taken_cents
    WHERE name = 'bank_charged_cents' AND NEW.taken_cents <> OLD.taken_cents;
    UPDATE payment_totals SET value = value + NEW.refunded_cents - OLD.refunded_cents
    WHERE name = 'bank_refunded_cents' AND NEW.refunded_cents <> OLD.refunded_cents;
END;

CREATE TRIGGER provider_charges_deleted AFTER DELETE ON provider_charges WHEN OLD.taken_cents <> 0 BEGIN
    UPDATE payment_totals SET value = value - OLD.taken_cents WHERE name = 'bank_charged_cents';
    UPDATE payment_totals SET value = value - OLD.refunded_cents WHERE name = 'bank_refunded_cents' AND OLD.refunded_cents <> 0;
END;
