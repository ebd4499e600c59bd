-- Restaurants and what they serve. `place` is the order in which they are shown.
CREATE TABLE restaurants (
    id TEXT PRIMARY KEY,
    place INTEGER NOT NULL,
    name TEXT NOT NULL,
    tagline TEXT NOT NULL,
    description TEXT NOT NULL,
    emoji TEXT NOT NULL,
    cuisine TEXT NOT NULL,
    city TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    hue_1 INTEGER NOT NULL,
    hue_2 INTEGER NOT NULL,
    -- Metres from the city's south-west corner.
    x INTEGER NOT NULL,
    y INTEGER NOT NULL,
    -- Minutes of the day, in its own time.
    opens INTEGER NOT NULL,
    closes INTEGER NOT NULL,
    paused INTEGER NOT NULL
) STRICT;

CREATE TABLE items (
    id TEXT PRIMARY KEY,
    restaurant_id TEXT NOT NULL REFERENCES restaurants (id),
    place INTEGER NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    emoji TEXT NOT NULL,
    cents INTEGER NOT NULL CHECK (cents > 0),
    in_stock INTEGER NOT NULL,
    category TEXT NOT NULL,
    -- JSON arrays.
    tags TEXT NOT NULL,
    options TEXT NOT NULL
) STRICT;

CREATE INDEX items_by_restaurant ON items (restaurant_id, place);

-- Grows with every change: whoever keeps a copy sees by it whether the copy is old. Writers take its row first, and so take turns.
CREATE TABLE menu_version (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    version INTEGER NOT NULL
) STRICT;

INSERT INTO menu_version (one, version) VALUES (1, 1);

-- What staff and operators changed. `who` is an account's id, never a name.
CREATE TABLE menu_audit (
    id INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    who TEXT NOT NULL,
    role TEXT NOT NULL,
    what TEXT NOT NULL
) STRICT;
