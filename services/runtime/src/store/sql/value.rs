//! What goes into a statement.

use contract::{Money, Timestamp};
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgArguments, PgTypeInfo};
use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Encode, Postgres, Sqlite, Type};

/// A parameter: see [`crate::args!`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Text(String),
    Int(i64),
    Null,
}

/// The parameters of a statement, `$1` first: `args![id.as_str(), limit, session]`.
#[macro_export]
macro_rules! args {
    ($($value:expr),* $(,)?) => {
        ::std::vec![$($crate::store::sql::Value::from($value)),*]
    };
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<i32> for Value {
    fn from(number: i32) -> Self {
        Self::Int(number.into())
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Int(number.into())
    }
}

impl From<bool> for Value {
    /// 0 or 1.
    fn from(yes: bool) -> Self {
        Self::Int(yes.into())
    }
}

impl From<Timestamp> for Value {
    /// Milliseconds.
    fn from(at: Timestamp) -> Self {
        Self::Int(at.millis())
    }
}

impl From<Money> for Value {
    /// Cents.
    fn from(money: Money) -> Self {
        Self::Int(money.cents())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// PostgreSQL's `unknown`: the type follows from where the parameter stands. A null is of any type.
const UNKNOWN: Oid = Oid(705);

impl Type<Postgres> for Value {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(UNKNOWN)
    }
}

impl Encode<'_, Postgres> for Value {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        match self {
            Self::Text(text) => <&str as Encode<Postgres>>::encode_by_ref(&text.as_str(), buffer),
            Self::Int(number) => <i64 as Encode<Postgres>>::encode_by_ref(number, buffer),
            Self::Null => Ok(IsNull::Yes),
        }
    }

    fn produces(&self) -> Option<PgTypeInfo> {
        Some(match self {
            Self::Text(_) => <str as Type<Postgres>>::type_info(),
            Self::Int(_) => <i64 as Type<Postgres>>::type_info(),
            Self::Null => PgTypeInfo::with_oid(UNKNOWN),
        })
    }
}

pub(super) fn bind_sqlite(sql: &'static str, args: Vec<Value>) -> Query<'static, Sqlite, SqliteArguments> {
    let mut query = sqlx::query(sql);
    for value in args {
        query = match value {
            Value::Text(text) => query.bind(text),
            Value::Int(number) => query.bind(number),
            Value::Null => query.bind(None::<i64>),
        };
    }
    query
}

pub(super) fn bind_postgres(sql: &'static str, args: Vec<Value>) -> Query<'static, Postgres, PgArguments> {
    let mut query = sqlx::query(sql);
    for value in args {
        query = query.bind(value);
    }
    query
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_text_numbers_and_nothing() {
        let owned = "owned".to_owned();
        let args = args!["text", &owned, 7_u32, -1_i64, true, None::<i64>, Some("some"), Money::from_cents(599), Timestamp::from_millis(5)];
        let (text, int) = (|text: &str| Value::Text(text.to_owned()), Value::Int);
        assert_eq!(args, [text("text"), text("owned"), int(7), int(-1), int(1), Value::Null, text("some"), int(599), int(5)]);
    }
}
