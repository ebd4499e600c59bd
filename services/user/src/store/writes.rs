//! What is written, many jobs in one transaction.

use super::{Change, NewSession, Person};
use async_trait::async_trait;
use contract::account::Account;
use contract::{RestaurantId, Timestamp};
use runtime::args;
use runtime::store::sql::{Apply, Connection};

pub enum Job {
    Add { account: Box<Account>, password: String },
    Know { person: Box<Person>, id: String, now: Timestamp },
    Change { id: String, change: Change },
    SetPassword { id: String, old: String, new: String, keep: Option<String> },
    Open(NewSession),
    End(String),
    Forget(Timestamp),
    Seed { accounts: Vec<Account>, password: String, anew: bool },
}

/// How many rows it changed.
pub struct AccountWrites;

#[async_trait]
impl Apply for AccountWrites {
    type Job = Job;
    type Done = u64;

    async fn apply(&self, transaction: &mut Connection<'_>, jobs: &[Job]) -> Result<Vec<u64>, sqlx::Error> {
        let mut done = Vec::with_capacity(jobs.len());
        for job in jobs {
            done.push(write(transaction, job).await?);
        }
        Ok(done)
    }
}

async fn write(transaction: &mut Connection<'_>, job: &Job) -> Result<u64, sqlx::Error> {
    match job {
        Job::Add { account, password } => add(transaction, account, password, None).await,
        Job::Know { person, id, now } => know(transaction, person, id, *now).await,
        Job::Change { id, change } => {
            let addresses = change.addresses.as_ref().map(json).transpose()?;
            let name = change.name.as_ref().map(|name| name.as_str());
            let sql = "UPDATE accounts SET name = COALESCE($2, name), addresses = COALESCE($3, addresses) WHERE id = $1";
            transaction.run(sql, args![id, name, addresses]).await
        }
        Job::SetPassword { id, old, new, keep } => {
            let changed = transaction.run("UPDATE accounts SET password = $3 WHERE id = $1 AND password = $2", args![id, old, new]).await?;
            if changed > 0 {
                let kept = keep.as_deref().unwrap_or_default();
                transaction.run("DELETE FROM sessions WHERE account_id = $1 AND token_hash <> $2", args![id, kept]).await?;
            }
            Ok(changed)
        }
        Job::Open(session) => {
            let sql = "INSERT INTO sessions (token_hash, account_id, created_at_ms, last_seen_ms) \
                       SELECT $1, id, CAST($3 AS BIGINT), CAST($3 AS BIGINT) FROM accounts WHERE id = $2";
            transaction.run(sql, args![&session.token_hash, &session.account_id, session.at]).await
        }
        Job::End(token_hash) => transaction.run("DELETE FROM sessions WHERE token_hash = $1", args![token_hash]).await,
        Job::Forget(unseen_since) => transaction.run("DELETE FROM sessions WHERE last_seen_ms <= $1", args![*unseen_since]).await,
        Job::Seed { accounts, password, anew } => {
            if *anew {
                transaction.run("DELETE FROM accounts WHERE demo IS NULL", Vec::new()).await?;
            }
            seed(transaction, accounts, password, *anew).await
        }
    }
}

async fn add(transaction: &mut Connection<'_>, account: &Account, password: &str, demo: Option<i64>) -> Result<u64, sqlx::Error> {
    let sql = "INSERT INTO accounts (id, email, name, role, staff_of, courier_id, addresses, password, demo, created_at_ms) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING";
    let args = args![
        &account.id,
        &account.email,
        account.name.as_str(),
        account.role.as_str(),
        account.staff_of.as_ref().map(RestaurantId::as_str),
        account.courier_id.as_deref(),
        json(&account.addresses)?,
        password,
        demo,
        account.created_at,
    ];
    transaction.run(sql, args).await
}

/// The token is right about role and name; addresses are the person's own.
async fn know(transaction: &mut Connection<'_>, person: &Person, id: &str, now: Timestamp) -> Result<u64, sqlx::Error> {
    let sql = "INSERT INTO accounts (id, email, name, role, staff_of, courier_id, addresses, issuer, subject, created_at_ms) \
               VALUES ($1, $2, $3, $4, $5, $6, '[]', $7, $8, $9) \
               ON CONFLICT (issuer, subject) WHERE issuer IS NOT NULL DO UPDATE SET email = excluded.email, name = excluded.name, \
               role = excluded.role, staff_of = excluded.staff_of, courier_id = excluded.courier_id";
    let args = args![
        id,
        &person.email,
        person.name.as_str(),
        person.role.as_str(),
        person.staff_of.as_ref().map(RestaurantId::as_str),
        person.courier_id.as_deref(),
        &person.issuer,
        &person.subject,
        now,
    ];
    transaction.run(sql, args).await
}

async fn seed(transaction: &mut Connection<'_>, accounts: &[Account], password: &str, anew: bool) -> Result<u64, sqlx::Error> {
    let mut added = 0;
    for (at, account) in (0_i64..).zip(accounts) {
        added += add(transaction, account, password, Some(at)).await?;
        if anew {
            let sql = "UPDATE accounts SET name = $2, addresses = $3, password = $4 WHERE id = $1";
            transaction.run(sql, args![&account.id, account.name.as_str(), json(&account.addresses)?, password]).await?;
        }
    }
    Ok(added)
}

fn json(value: &impl serde::Serialize) -> Result<String, sqlx::Error> {
    serde_json::to_string(value).map_err(|error| sqlx::Error::Encode(Box::new(error)))
}
