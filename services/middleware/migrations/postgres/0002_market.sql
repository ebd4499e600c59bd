-- Promotions by code, what the books say of stock, and what each pricing algorithm earned.
CREATE TABLE promotions (
    -- Upper case.
    code TEXT PRIMARY KEY,
    -- The promotion as JSON.
    document TEXT NOT NULL
);

-- What the platform came with, for a reset.
CREATE TABLE promotions_seed (
    code TEXT PRIMARY KEY,
    document TEXT NOT NULL
);

INSERT INTO promotions_seed (code, document) VALUES
    ('WELCOME10', '{"code":"WELCOME10","says":"10 % off","gives":{"kind":"percent","percent":10},"minimum":0.00,"active":true}'),
    ('COSMIC5', '{"code":"COSMIC5","says":"$5 off from $25","gives":{"kind":"amount","amount":5.00},"minimum":25.00,"active":true}'),
    ('FREEWAY', '{"code":"FREEWAY","says":"free delivery","gives":{"kind":"freeDelivery"},"minimum":0.00,"active":true}'),
    ('BIGBANG', '{"code":"BIGBANG","says":"half price","gives":{"kind":"percent","percent":50},"minimum":0.00,"active":false}');

INSERT INTO promotions (code, document) SELECT code, document FROM promotions_seed;

CREATE TABLE pricing_variants (
    variant TEXT PRIMARY KEY,
    orders BIGINT NOT NULL,
    cents BIGINT NOT NULL
);

-- Sums over all movements, kept beside every row that is written, by whomever.
CREATE TABLE ledger_totals (
    name TEXT PRIMARY KEY,
    value BIGINT NOT NULL
);

INSERT INTO ledger_totals (name, value)
SELECT 'movements', COALESCE(SUM(quantity), 0) FROM movements
UNION ALL SELECT 'sold_units', COALESCE(-SUM(quantity), 0) FROM movements WHERE kind = 'take' AND order_id <> ''
UNION ALL SELECT 'released_units', COALESCE(SUM(quantity), 0) FROM movements WHERE kind = 'release';

CREATE FUNCTION movements_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE ledger_totals SET value = ledger_totals.value + sums.value FROM (
        SELECT 'movements' AS name, CAST(SUM(quantity) AS BIGINT) AS value FROM changed
        UNION ALL SELECT 'sold_units', CAST(-SUM(quantity) AS BIGINT) FROM changed WHERE kind = 'take' AND order_id <> ''
        UNION ALL SELECT 'released_units', CAST(SUM(quantity) AS BIGINT) FROM changed WHERE kind = 'release'
    ) AS sums WHERE ledger_totals.name = sums.name AND sums.value <> 0;
    RETURN NULL;
END $$;

CREATE FUNCTION movements_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE ledger_totals SET value = ledger_totals.value - sums.value FROM (
        SELECT 'movements' AS name, CAST(SUM(quantity) AS BIGINT) AS value FROM changed
        UNION ALL SELECT 'sold_units', CAST(-SUM(quantity) AS BIGINT) FROM changed WHERE kind = 'take' AND order_id <> ''
        UNION ALL SELECT 'released_units', CAST(SUM(quantity) AS BIGINT) FROM changed WHERE kind = 'release'
    ) AS sums WHERE ledger_totals.name = sums.name AND sums.value <> 0;
    RETURN NULL;
END $$;

CREATE TRIGGER movements_inserted AFTER INSERT ON movements
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION movements_inserted();
CREATE TRIGGER movements_deleted AFTER DELETE ON movements
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION movements_deleted();

CREATE INDEX movements_by_time ON movements (at_ms);

-- How far the journal of the shared stock has been copied into `movements`.
CREATE TABLE journal_copied (
    one BIGINT PRIMARY KEY CHECK (one = 1),
    last_id TEXT NOT NULL
);

INSERT INTO journal_copied (one, last_id) VALUES (1, '0-0');
