//! Accounts and log-ins in SQL.

use super::writes::{AccountWrites, Job};
use super::{AccountBook, Change, NewSession, Person, Session};
use crate::domain::{Email, Record};
use async_trait::async_trait;
use contract::account::Account;
use contract::{CustomerName, RestaurantId, Role, Timestamp};
use runtime::args;
use runtime::store::sql::{Database, GroupCommit, Row, Schema, Value};
use runtime::store::{StoreError, StoreGuard};

pub const SCHEMA: Schema = Schema {
    sqlite: &[(1, "accounts", include_str!("../../migrations/sqlite/0001_accounts.sql"))],
    postgres: &[(1, "accounts", include_str!("../../migrations/postgres/0001_accounts.sql"))],
};

pub struct SqlAccountBook {
    database: Database,
    writer: GroupCommit<AccountWrites>,
    guard: StoreGuard,
}

/// Columns of an account, in the order [`account`] reads them.
macro_rules! select_account {
    ($rest:literal) => {
        concat!(
            "SELECT a.id, a.email, a.name, a.role, a.staff_of, a.courier_id, a.addresses, a.created_at_ms, a.password FROM accounts a ",
            $rest
        )
    };
}

fn decode(error: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(error))
}

fn account(row: &Row) -> Result<Account, sqlx::Error> {
    let role = row.text(3)?;
    Ok(Account {
        id: row.text(0)?,
        email: row.text(1)?,
        name: CustomerName::parse(&row.text(2)?).map_err(decode)?,
        role: Role::from_text(&role).ok_or_else(|| sqlx::Error::Decode(format!("{role} is no role").into()))?,
        staff_of: row.opt_text(4)?.map(RestaurantId::new),
        courier_id: row.opt_text(5)?,
        addresses: serde_json::from_str(&row.text(6)?).map_err(decode)?,
        created_at: Timestamp::from_millis(row.int(7)?),
    })
}

fn record(row: &Row) -> Result<Record, sqlx::Error> {
    Ok(Record { account: account(row)?, password: row.opt_text(8)? })
}

impl SqlAccountBook {
    pub fn new(database: Database, guard: StoreGuard) -> Self {
        Self { writer: GroupCommit::start(&database, AccountWrites), database, guard }
    }

    async fn write(&self, operation: &'static str, job: Job) -> Result<u64, StoreError> {
        self.guard.run(operation, self.writer.submit(job)).await
    }

    async fn read<T>(
        &self,
        operation: &'static str,
        sql: &'static str,
        args: Vec<Value>,
        of: impl Fn(&Row) -> Result<T, sqlx::Error>,
    ) -> Result<Option<T>, StoreError> {
        let read = async { Ok(self.database.optional(sql, args).await?.as_ref().map(of).transpose()?) };
        self.guard.run(operation, read).await
    }
}

#[async_trait]
impl AccountBook for SqlAccountBook {
    async fn add(&self, account: &Account, password: &str) -> Result<bool, StoreError> {
        let job = Job::Add { account: Box::new(account.clone()), password: password.to_owned() };
        Ok(self.write("add", job).await? > 0)
    }

    async fn by_email(&self, email: &Email) -> Result<Option<Record>, StoreError> {
        self.read("by_email", select_account!("WHERE a.email = $1 AND a.issuer IS NULL"), args![email.as_str()], record).await
    }

    async fn find(&self, id: &str) -> Result<Option<Record>, StoreError> {
        self.read("find", select_account!("WHERE a.id = $1"), args![id], record).await
    }

    async fn known(&self, person: &Person, id: &str, now: Timestamp) -> Result<Account, StoreError> {
        let find = || async {
            let sql = select_account!("WHERE a.issuer = $1 AND a.subject = $2");
            self.read("by_subject", sql, args![&person.issuer, &person.subject], account).await
        };
        // Most tokens say what the last one said; then nothing is written.
        if let Some(account) = find().await?
            && says(person, &account)
        {
            return Ok(account);
        }
        self.write("know", Job::Know { person: Box::new(person.clone()), id: id.to_owned(), now }).await?;
        find().await?.ok_or_else(|| StoreError::Unavailable("the account was removed in between".to_owned()))
    }

    async fn change(&self, id: &str, change: &Change) -> Result<Option<Account>, StoreError> {
        self.write("change", Job::Change { id: id.to_owned(), change: change.clone() }).await?;
        Ok(self.find(id).await?.map(|record| record.account))
    }

    async fn set_password(&self, id: &str, old: &str, new: &str, keep: Option<&str>) -> Result<bool, StoreError> {
        let job = Job::SetPassword { id: id.to_owned(), old: old.to_owned(), new: new.to_owned(), keep: keep.map(str::to_owned) };
        Ok(self.write("set_password", job).await? > 0)
    }

    async fn open(&self, session: &NewSession) -> Result<bool, StoreError> {
        Ok(self.write("open", Job::Open(session.clone())).await? > 0)
    }

    async fn session(&self, token_hash: &str, seen_after: Timestamp) -> Result<Option<Session>, StoreError> {
        let sql = "SELECT a.id, a.email, a.name, a.role, a.staff_of, a.courier_id, a.addresses, a.created_at_ms, s.last_seen_ms \
                   FROM sessions s JOIN accounts a ON a.id = s.account_id WHERE s.token_hash = $1 AND s.last_seen_ms > $2";
        let session = |row: &Row| Ok(Session { account: account(row)?, last_seen: Timestamp::from_millis(row.int(8)?) });
        self.read("session", sql, args![token_hash, seen_after], session).await
    }

    async fn touch(&self, token_hash: &str, now: Timestamp) -> Result<(), StoreError> {
        let sql = "UPDATE sessions SET last_seen_ms = $2 WHERE token_hash = $1 AND last_seen_ms < $2";
        let write = async { Ok(self.database.run(sql, args![token_hash, now]).await.map(drop)?) };
        self.guard.run("touch", write).await
    }

    async fn end(&self, token_hash: &str) -> Result<(), StoreError> {
        self.write("end", Job::End(token_hash.to_owned())).await.map(drop)
    }

    async fn forget_sessions(&self, unseen_since: Timestamp) -> Result<u64, StoreError> {
        self.write("forget_sessions", Job::Forget(unseen_since)).await
    }

    async fn seed(&self, accounts: &[Account], password: &str) -> Result<(), StoreError> {
        let job = Job::Seed { accounts: accounts.to_vec(), password: password.to_owned(), anew: false };
        self.write("seed", job).await.map(drop)
    }

    async fn demo(&self) -> Result<Vec<Account>, StoreError> {
        let read = async {
            let rows = self.database.all(select_account!("WHERE a.demo IS NOT NULL ORDER BY a.demo"), Vec::new()).await?;
            Ok(rows.iter().map(account).collect::<Result<_, _>>()?)
        };
        self.guard.run("demo", read).await
    }

    async fn reset(&self, accounts: &[Account], password: &str) -> Result<(), StoreError> {
        let job = Job::Seed { accounts: accounts.to_vec(), password: password.to_owned(), anew: true };
        self.write("reset", job).await.map(drop)
    }
}

fn says(person: &Person, account: &Account) -> bool {
    person.email == account.email
        && person.name == account.name
        && person.role == account.role
        && person.staff_of == account.staff_of
        && person.courier_id == account.courier_id
}
