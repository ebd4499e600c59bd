//! Emptying tables at once, however much they hold.
//!
//! A `DELETE` of all rows runs every trigger for every row: for a million that is seconds. Both databases can let go of a table's content as
//! a whole instead, and then no trigger runs.

use super::{Connection, Inner};
use sqlx::{AssertSqlSafe, Row, SqliteConnection};

impl Connection<'_> {
    /// Empties these tables. Their triggers do not run: whoever keeps sums by them sets the sums to nothing in the same transaction. No
    /// table may be referred to by one that is not among them.
    ///
    /// # Errors
    /// As every error in a transaction, it ends the transaction.
    pub async fn clear(&mut self, tables: &[&'static str]) -> Result<(), sqlx::Error> {
        match &mut self.0 {
            Inner::Sqlite(connection) => {
                for table in tables {
                    clear_sqlite(connection, table).await?;
                }
            }
            Inner::Postgres(connection) => {
                let sql = format!("TRUNCATE {}", tables.join(", "));
                sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut **connection).await?;
            }
        }
        Ok(())
    }
}

/// SQLite lets go of a table as a whole when it has no triggers: they step aside until it is empty.
async fn clear_sqlite(connection: &mut SqliteConnection, table: &'static str) -> Result<(), sqlx::Error> {
    let mut triggers: Vec<(String, String)> = Vec::new();
    // What is in memory is small, and its other connections would stand in the way of a change to the schema.
    if is_file(connection).await? {
        let sql = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = $1";
        for row in sqlx::query(sql).bind(table).fetch_all(&mut *connection).await? {
            triggers.push((row.try_get(0)?, row.try_get(1)?));
        }
    }
    for (name, _) in &triggers {
        sqlx::raw_sql(AssertSqlSafe(format!("DROP TRIGGER {name}"))).execute(&mut *connection).await?;
    }
    sqlx::raw_sql(AssertSqlSafe(format!("DELETE FROM {table}"))).execute(&mut *connection).await?;
    for (_, sql) in triggers {
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *connection).await?;
    }
    Ok(())
}

async fn is_file(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    let row = sqlx::query("SELECT file FROM pragma_database_list WHERE name = 'main'").fetch_one(connection).await?;
    Ok(row.try_get::<Option<String>, _>(0)?.is_some_and(|file| !file.is_empty()))
}
