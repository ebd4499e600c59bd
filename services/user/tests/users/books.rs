//! An account book to be tried, and accounts to put into it.

use contract::account::Account;
use contract::{CustomerName, Role, Timestamp};
use runtime::Platform;
use runtime::store::sql::Database;
use std::sync::Arc;
use tempfile::TempDir;
use testkit::MORNING;
use user::store::{AccountBook, NewSession, SCHEMA, SqlAccountBook};
use user::{Email, NAME};

pub struct Books {
    pub book: Arc<dyn AccountBook>,
    pub platform: Platform,
    place: Place,
}

enum Place {
    Memory,
    File(TempDir),
    Postgres(String),
}

impl Books {
    pub async fn in_memory() -> Self {
        Self::at(Place::Memory).await
    }

    pub async fn in_a_file() -> Self {
        Self::at(Place::File(tempfile::tempdir().unwrap())).await
    }

    pub async fn in_postgres() -> Self {
        Self::at(Place::Postgres(testkit::postgres_database().await)).await
    }

    async fn at(place: Place) -> Self {
        let (platform, _) = testkit::platform();
        Self { book: opened(&platform, &place).await, platform, place }
    }

    /// What another process works with, at the same time or after a restart.
    pub async fn replica(&self) -> Arc<dyn AccountBook> {
        assert!(!matches!(self.place, Place::Memory), "memory has no replicas");
        opened(&self.platform, &self.place).await
    }

    /// An account of this name, with a password hash that is its name.
    pub async fn with(&self, name: &str) -> Account {
        let account = account(name);
        assert!(self.book.add(&account, name).await.unwrap());
        account
    }

    /// Opens a log-in with this token hash.
    pub async fn open(&self, account: &Account, token_hash: &str, at: Timestamp) -> bool {
        let session = NewSession { token_hash: token_hash.to_owned(), account_id: account.id.clone(), at };
        self.book.open(&session).await.unwrap()
    }

    /// Whose log-in this is, if it was seen after a moment.
    pub async fn whose(&self, token_hash: &str, seen_after: Timestamp) -> Option<String> {
        self.book.session(token_hash, seen_after).await.unwrap().map(|session| session.account.id)
    }
}

async fn opened(platform: &Platform, place: &Place) -> Arc<dyn AccountBook> {
    let url = match place {
        Place::Memory => "sqlite::memory:".to_owned(),
        Place::File(folder) => format!("sqlite:{}", folder.path().join("user.db").display()),
        Place::Postgres(url) => url.clone(),
    };
    let database = Database::open(&url, NAME, &SCHEMA).await.unwrap();
    let guard = platform.guard(NAME, "accounts", database.backend());
    Arc::new(SqlAccountBook::new(database, guard))
}

pub fn account(name: &str) -> Account {
    Account {
        id: format!("id-of-{name}"),
        email: format!("{name}@example.com"),
        name: CustomerName::parse(name).unwrap(),
        role: Role::Customer,
        staff_of: None,
        courier_id: None,
        addresses: Vec::new(),
        created_at: MORNING,
    }
}

pub fn email(text: &str) -> Email {
    Email::parse(text).unwrap()
}
