-- Messages to customers, what each customer wants to hear by, and sums over every message there ever was.
CREATE TABLE messages (
    -- Never used twice, so that a page can go on from the last.
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    -- The event's id and the channel: the same fact is told once. It begins with the order's id.
    id TEXT NOT NULL UNIQUE,
    order_id TEXT NOT NULL,
    channel TEXT NOT NULL CHECK (channel IN ('email', 'sms', 'push')),
    -- The customer's name.
    recipient TEXT NOT NULL,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'sent', 'failed')),
    synthetic INTEGER NOT NULL DEFAULT 0,
    -- How often nobody took it, and when it is tried again.
    attempts INTEGER NOT NULL DEFAULT 0,
    due_ms INTEGER NOT NULL DEFAULT 0,
    created_ms INTEGER NOT NULL,
    sent_ms INTEGER
) STRICT;

CREATE INDEX messages_queued ON messages (due_ms) WHERE status = 'queued';
CREATE INDEX messages_created ON messages (created_ms);

CREATE TABLE message_preferences (
    -- An account or a session.
    owner TEXT PRIMARY KEY,
    email INTEGER NOT NULL,
    sms INTEGER NOT NULL,
    push INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL
) STRICT;

-- Whom to tell that the money is back: a payment knows no names.
CREATE TABLE message_contacts (
    order_id TEXT PRIMARY KEY,
    recipient TEXT NOT NULL,
    owner TEXT,
    restaurant_name TEXT NOT NULL,
    at_ms INTEGER NOT NULL
) STRICT;

CREATE INDEX message_contacts_by_time ON message_contacts (at_ms);

CREATE TABLE message_totals (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- queued: was to be sent and did not fail. They outlive the messages, which are removed when they are old.
INSERT INTO message_totals (name, value) VALUES ('queued', 0), ('sent', 0), ('failed', 0);

CREATE TRIGGER messages_inserted AFTER INSERT ON messages BEGIN
    UPDATE message_totals SET value = value + 1 WHERE name = 'queued' AND NEW.status <> 'failed';
    UPDATE message_totals SET value = value + 1 WHERE name = NEW.status AND NEW.status <> 'queued';
END;

CREATE TRIGGER messages_updated AFTER UPDATE OF status ON messages WHEN NEW.status <> OLD.status BEGIN
    UPDATE message_totals SET value = value + 1 WHERE name = NEW.status AND NEW.status <> 'queued';
    UPDATE message_totals SET value = value - 1 WHERE name = OLD.status AND OLD.status <> 'queued';
    UPDATE message_totals SET value = value + (OLD.status = 'failed') - (NEW.status = 'failed')
    WHERE name = 'queued' AND (OLD.status = 'failed' OR NEW.status = 'failed');
END;
