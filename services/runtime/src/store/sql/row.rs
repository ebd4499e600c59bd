//! What comes out of a statement.

use sqlx::error::BoxDynError;
use sqlx::postgres::{PgRow, PgValueRef};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, TypeInfo, ValueRef};

/// A row; columns are numbered from 0.
pub struct Row(Inner);

enum Inner {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

impl From<SqliteRow> for Row {
    fn from(row: SqliteRow) -> Self {
        Self(Inner::Sqlite(row))
    }
}

impl From<PgRow> for Row {
    fn from(row: PgRow) -> Self {
        Self(Inner::Postgres(row))
    }
}

impl Row {
    /// # Errors
    /// The column is null, or not text.
    pub fn text(&self, column: usize) -> Result<String, sqlx::Error> {
        self.opt_text(column)?.ok_or_else(|| null(column))
    }

    /// # Errors
    /// The column is null, or not a whole number.
    pub fn int(&self, column: usize) -> Result<i64, sqlx::Error> {
        self.opt_int(column)?.ok_or_else(|| null(column))
    }

    /// # Errors
    /// The column is not text.
    pub fn opt_text(&self, column: usize) -> Result<Option<String>, sqlx::Error> {
        match &self.0 {
            Inner::Sqlite(row) => row.try_get(column),
            Inner::Postgres(row) => postgres(row, column, text),
        }
    }

    /// # Errors
    /// The column is not a whole number.
    pub fn opt_int(&self, column: usize) -> Result<Option<i64>, sqlx::Error> {
        match &self.0 {
            Inner::Sqlite(row) => row.try_get(column),
            Inner::Postgres(row) => postgres(row, column, int),
        }
    }
}

fn null(column: usize) -> sqlx::Error {
    decode(column, "it is null".into())
}

fn decode(column: usize, source: BoxDynError) -> sqlx::Error {
    sqlx::Error::ColumnDecode { index: column.to_string(), source }
}

fn postgres<T>(row: &PgRow, column: usize, read: fn(&PgValueRef<'_>) -> Result<T, BoxDynError>) -> Result<Option<T>, sqlx::Error> {
    let value = row.try_get_raw(column)?;
    if value.is_null() { Ok(None) } else { read(&value).map(Some).map_err(|error| decode(column, error)) }
}

fn text(value: &PgValueRef<'_>) -> Result<String, BoxDynError> {
    match value.type_info().name() {
        "TEXT" | "VARCHAR" | "CHAR" | "NAME" | "JSON" | "UNKNOWN" => Ok(value.as_str()?.to_owned()),
        other => Err(format!("{other} is not text").into()),
    }
}

/// Our statements have parameters, and so their answers are binary. `bool` is what comparisons are, `numeric` what sums are.
fn int(value: &PgValueRef<'_>) -> Result<i64, BoxDynError> {
    let bytes = value.as_bytes()?;
    match value.type_info().name() {
        "INT8" => Ok(i64::from_be_bytes(bytes.try_into()?)),
        "INT4" => Ok(i32::from_be_bytes(bytes.try_into()?).into()),
        "INT2" => Ok(i16::from_be_bytes(bytes.try_into()?).into()),
        "BOOL" => Ok(i64::from(bytes.first().is_some_and(|byte| *byte != 0))),
        "NUMERIC" => whole(bytes).ok_or_else(|| "the number is not whole, or too large".into()),
        other => Err(format!("{other} is not a whole number").into()),
    }
}

/// PostgreSQL's binary `numeric`: how many digits to the base of 10 000, the weight of the first, sign, scale, the digits.
fn whole(bytes: &[u8]) -> Option<i64> {
    let mut words = bytes.chunks_exact(2).map(|word| i16::from_be_bytes([word[0], word[1]]));
    let (count, weight, sign, _scale) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let digits: Vec<i16> = words.collect();
    // Digits behind the point, or not a number at all.
    if digits.len() != usize::try_from(count).ok()? || count > weight + 1 || !matches!(sign, 0 | 0x4000) {
        return None;
    }
    let mut number: i64 = 0;
    for place in 0..=weight {
        let digit = usize::try_from(place).ok().and_then(|at| digits.get(at)).copied().unwrap_or(0);
        number = number.checked_mul(10_000)?.checked_add(digit.into())?;
    }
    Some(if sign == 0 { number } else { -number })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(words: &[i16], expected: Option<i64>) {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        assert_eq!(whole(&bytes), expected, "{words:?}");
    }

    #[test]
    fn whole_numerics_are_read_and_others_are_not() {
        check(&[0, 0, 0, 0], Some(0));
        check(&[1, 0, 0, 0, 42], Some(42));
        check(&[2, 1, 0x4000, 0, 12, 3456], Some(-123_456));
        // Zeros at the end are not sent.
        check(&[1, 2, 0, 0, 5], Some(500_000_000));
        // 1.5
        check(&[2, 0, 0, 1, 1, 5000], None);
        check(&[0, 0, i16::MIN | 0x4000, 0], None);
        check(&[1, 9, 0, 0, 1], None);
        check(&[2, 1, 0, 0, 12], None);
    }
}
