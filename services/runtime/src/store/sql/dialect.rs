//! The few places where our SQL differs between the two backends.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    Sqlite,
    Postgres,
}

/// A statement by where its text lies: cheaper to hash than the text itself. Statements are literals, so this is bounded.
type Key = (Dialect, usize, usize);

static REWRITTEN: RwLock<Option<HashMap<Key, &'static str>>> = RwLock::new(None);

impl Dialect {
    /// The statement as this backend understands it. The first call for a statement rewrites it and keeps the outcome for ever.
    pub fn of(self, sql: &'static str) -> &'static str {
        let key = (self, sql.as_ptr() as usize, sql.len());
        let known = REWRITTEN.read().unwrap_or_else(PoisonError::into_inner).as_ref().and_then(|all| all.get(&key).copied());
        known.unwrap_or_else(|| {
            let rewritten = self.rewrite(sql);
            let kept: &'static str = if rewritten == sql { sql } else { Box::leak(rewritten.into_boxed_str()) };
            REWRITTEN.write().unwrap_or_else(PoisonError::into_inner).get_or_insert_default().entry(key).or_insert(kept)
        })
    }

    fn rewrite(self, sql: &str) -> String {
        match self {
            Self::Sqlite => {
                let sql = replace_call(sql, "rows_of", |parameter| format!("json_each({parameter})"));
                let sql = replace_call(&sql, "list_of", |parameter| format!("json_each({parameter})"));
                // The writer is alone.
                sql.replace(" FOR UPDATE SKIP LOCKED", "").replace(" FOR UPDATE", "")
            }
            Self::Postgres => {
                let sql = replace_call(sql, "rows_of", |parameter| format!("json_array_elements({parameter}::json)"));
                replace_call(&sql, "list_of", |parameter| format!("json_array_elements_text({parameter}::json)"))
            }
        }
    }
}

/// Replaces each `name(argument)`; the argument is a parameter or a column.
fn replace_call(sql: &str, name: &str, with: impl Fn(&str) -> String) -> String {
    let open = format!("{name}(");
    let mut rest = sql;
    let mut out = String::with_capacity(sql.len());
    while let Some((before, call)) = rest.split_once(&open)
        && let Some((argument, after)) = call.split_once(')')
    {
        out.push_str(before);
        out.push_str(&with(argument.trim()));
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_of_json_are_called_what_the_backend_calls_them() {
        let sql = "SELECT value ->> 'a' FROM rows_of($1) WHERE id IN (SELECT value FROM list_of($12))";
        assert_eq!(Dialect::Sqlite.of(sql), "SELECT value ->> 'a' FROM json_each($1) WHERE id IN (SELECT value FROM json_each($12))");
        assert_eq!(
            Dialect::Postgres.of(sql),
            "SELECT value ->> 'a' FROM json_array_elements($1::json) WHERE id IN (SELECT value FROM json_array_elements_text($12::json))"
        );
    }

    #[test]
    fn rows_are_locked_where_others_write() {
        let sql = "SELECT id FROM orders FOR UPDATE SKIP LOCKED";
        assert_eq!((Dialect::Sqlite.of(sql), Dialect::Postgres.of(sql)), ("SELECT id FROM orders", sql));
        let sql = "SELECT id FROM orders WHERE id = $1 FOR UPDATE";
        assert_eq!((Dialect::Sqlite.of(sql), Dialect::Postgres.of(sql)), ("SELECT id FROM orders WHERE id = $1", sql));
    }

    #[test]
    fn a_statement_is_rewritten_once() {
        let sql = "SELECT 1 FROM rows_of($1)";
        assert!(std::ptr::eq(Dialect::Sqlite.of(sql), Dialect::Sqlite.of(sql)));
        let plain = "SELECT 1";
        assert!(std::ptr::eq(plain, Dialect::Postgres.of(plain)));
    }
}
