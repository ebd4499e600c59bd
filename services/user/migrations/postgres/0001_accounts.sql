-- People with an account, and their log-ins.
CREATE TABLE accounts (
    id TEXT COLLATE "C" PRIMARY KEY,
    -- In lower case. Empty when the issuer of tokens did not tell it.
    email TEXT COLLATE "C" NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('customer', 'restaurant', 'courier', 'operator')),
    staff_of TEXT,
    courier_id TEXT,
    -- JSON: [{id, label, text}]
    addresses TEXT NOT NULL,
    -- A PHC string of argon2id. Null for those who come with a token of the issuer.
    password TEXT,
    -- Together they name a person of the issuer of tokens.
    issuer TEXT COLLATE "C",
    subject TEXT COLLATE "C",
    -- Place in the list of the demonstration's accounts.
    demo BIGINT,
    created_at_ms BIGINT NOT NULL
);

-- What an issuer says about somebody's address takes nobody's account away.
CREATE UNIQUE INDEX accounts_by_email ON accounts (email) WHERE issuer IS NULL;
CREATE UNIQUE INDEX accounts_by_subject ON accounts (issuer, subject) WHERE issuer IS NOT NULL;
CREATE INDEX accounts_of_the_demonstration ON accounts (demo) WHERE demo IS NOT NULL;

CREATE TABLE sessions (
    -- SHA-256 of the token. The token itself is in the person's browser only.
    token_hash TEXT COLLATE "C" PRIMARY KEY,
    account_id TEXT COLLATE "C" NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    created_at_ms BIGINT NOT NULL,
    last_seen_ms BIGINT NOT NULL
);

CREATE INDEX sessions_by_account ON sessions (account_id);
CREATE INDEX sessions_by_last_seen ON sessions (last_seen_ms);
