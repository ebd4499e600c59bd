-- Promotions by code, what the books say of stock, and what each pricing algorithm earned.
CREATE TABLE promotions (
    -- Upper case.
    code TEXT PRIMARY KEY,
    -- The promotion as JSON.
    document TEXT NOT NULL
) STRICT;

-- What the platform came with, for a reset.
CREATE TABLE promotions_seed (
    code TEXT PRIMARY KEY,
    document TEXT NOT NULL
) STRICT;

INSERT INTO promotions_seed (code, document) VALUES
    ('WELCOME10', '{"code":"WELCOME10","says":"10 % off","gives":{"kind":"percent","percent":10},"minimum":0.00,"active":true}'),
    ('COSMIC5', '{"code":"COSMIC5","says":"$5 off from $25","gives":{"kind":"amount","amount":5.00},"minimum":25.00,"active":true}'),
    ('FREEWAY', '{"code":"FREEWAY","says":"free delivery","gives":{"kind":"freeDelivery"},"minimum":0.00,"active":true}'),
    ('BIGBANG', '{"code":"BIGBANG","says":"half price","gives":{"kind":"percent","percent":50},"minimum":0.00,"active":false}');

INSERT INTO promotions (code, document) SELECT code, document FROM promotions_seed;

CREATE TABLE pricing_variants (
    variant TEXT PRIMARY KEY,
    orders INTEGER NOT NULL,
    cents INTEGER NOT NULL
) STRICT;

-- Sums over all movements, kept beside every row that is written, by whomever.
CREATE TABLE ledger_totals (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT;

INSERT INTO ledger_totals (name, value)
SELECT 'movements', COALESCE(SUM(quantity), 0) FROM movements
UNION ALL SELECT 'sold_units', COALESCE(-SUM(quantity), 0) FROM movements WHERE kind = 'take' AND order_id <> ''
UNION ALL SELECT 'released_units', COALESCE(SUM(quantity), 0) FROM movements WHERE kind = 'release';

CREATE TRIGGER movements_inserted AFTER INSERT ON movements BEGIN
    UPDATE ledger_totals SET value = value + NEW.quantity WHERE name = 'movements';
    UPDATE ledger_totals SET value = value - NEW.quantity WHERE name = 'sold_units' AND NEW.kind = 'take' AND NEW.order_id <> '';
    UPDATE ledger_totals SET value = value + NEW.quantity WHERE name = 'released_units' AND NEW.kind = 'release';
END;

CREATE TRIGGER movements_deleted AFTER DELETE ON movements BEGIN
    UPDATE ledger_totals SET value = value - OLD.quantity WHERE name = 'movements';
    UPDATE ledger_totals SET value = value + OLD.quantity WHERE name = 'sold_units' AND OLD.kind = 'take' AND OLD.order_id <> '';
    UPDATE ledger_totals SET value = value - OLD.quantity WHERE name = 'released_units' AND OLD.kind = 'release';
END;

CREATE INDEX movements_by_time ON movements (at_ms);

-- How far the journal of the shared stock has been copied into `movements`.
CREATE TABLE journal_copied (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    last_id TEXT NOT NULL
) STRICT;

INSERT INTO journal_copied (one, last_id) VALUES (1, '0-0');
