//! What goes into statements and comes out of them, on every database.

use crate::bench::Bench;
use async_trait::async_trait;
use runtime::args;
use runtime::store::sql::{Apply, Connection, GroupCommit};

pub async fn text_numbers_and_nothing_come_back_as_they_went_in(bench: Bench) {
    let sql = "SELECT CAST($1 AS TEXT), CAST($2 AS BIGINT), CAST($3 AS TEXT), CAST($4 AS BIGINT)";
    for text in ["", "plain", "O'Hara \"quoted\" \\ 100 %", "🌌 Ünïcode 日本", "{\"json\":[1,2]}"] {
        let row = bench.database.one(sql, args![text, i64::MIN, None::<&str>, None::<i64>]).await.unwrap();
        assert_eq!((row.text(0).unwrap().as_str(), row.int(1).unwrap()), (text, i64::MIN));
        assert_eq!((row.opt_text(2).unwrap(), row.opt_int(3).unwrap()), (None, None));
        assert!(row.text(2).is_err() && row.int(3).is_err());
    }
    assert!(bench.database.optional("SELECT 1 WHERE 1 = $1", args![2]).await.unwrap().is_none());
    assert!(bench.database.one("SELECT 1 WHERE 1 = $1", args![2]).await.is_err());
}

pub async fn nothing_may_stand_for_text_and_for_a_number_in_one_statement(bench: Bench) {
    let database = &bench.database;
    database.run("CREATE TABLE pairs (name TEXT, number BIGINT)", args![]).await.unwrap();
    for args in [args![None::<&str>, None::<i64>], args!["a", 1], args![None::<&str>, 2], args!["c", None::<i64>]] {
        database.run("INSERT INTO pairs (name, number) VALUES ($1, $2)", args).await.unwrap();
    }
    let rows = database.all("SELECT name, number FROM pairs ORDER BY number, name", args![]).await.unwrap();
    let mut pairs: Vec<_> = rows.iter().map(|row| (row.opt_text(0).unwrap(), row.opt_int(1).unwrap())).collect();
    pairs.sort();
    let (a, c) = (Some("a".to_owned()), Some("c".to_owned()));
    assert_eq!(pairs, [(None, None), (None, Some(2)), (a, Some(1)), (c, None)]);
}

pub async fn a_column_of_another_kind_is_an_error_and_not_a_panic(bench: Bench) {
    let row = bench.database.one("SELECT 'text', CAST(1 AS BIGINT)", args![]).await.unwrap();
    assert!(row.int(0).is_err());
    assert!(row.text(1).is_err());
    assert!(row.int(2).is_err(), "there is no such column");
}

pub async fn rows_of_a_batch_are_one_statement(bench: Bench) {
    let database = &bench.database;
    database.run("CREATE TABLE counted (name TEXT PRIMARY KEY, number BIGINT NOT NULL)", args![]).await.unwrap();
    let insert = "INSERT INTO counted (name, number) SELECT value ->> 'name', CAST(value ->> 'number' AS BIGINT) FROM rows_of($1) \
                  WHERE true ON CONFLICT (name) DO UPDATE SET number = excluded.number";
    assert_eq!(database.run(insert, args![r#"[{"name":"a","number":1},{"name":"🌌 'b'","number":-2}]"#]).await.unwrap(), 2);
    assert_eq!(database.run(insert, args![r#"[{"name":"a","number":9000000000}]"#]).await.unwrap(), 1);
    assert_eq!(database.run(insert, args!["[]"]).await.unwrap(), 0);
    let rows = database.all("SELECT name, number FROM counted ORDER BY number DESC", args![]).await.unwrap();
    let read: Vec<_> = rows.iter().map(|row| (row.text(0).unwrap(), row.int(1).unwrap())).collect();
    assert_eq!(read, [("a".to_owned(), 9_000_000_000), ("🌌 'b'".to_owned(), -2)]);
}

pub async fn lists_are_one_parameter(bench: Bench) {
    for note in ["a", "b", "c"] {
        bench.database.run("INSERT INTO notes (text) VALUES ($1)", args![note]).await.unwrap();
    }
    let named = "SELECT text FROM notes WHERE text IN (SELECT value FROM list_of($1)) ORDER BY text";
    let rows = bench.database.all(named, args![r#"["c","a","z"]"#]).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.text(0).unwrap()).collect::<Vec<_>>(), ["a", "c"]);
    let numbered = "DELETE FROM notes WHERE id IN (SELECT CAST(value AS BIGINT) FROM list_of($1))";
    assert_eq!(bench.database.run(numbered, args!["[1,2,77]"]).await.unwrap(), 2);
}

pub async fn sums_and_comparisons_are_numbers(bench: Bench) {
    let sql = "SELECT CAST(SUM(CAST(value AS BIGINT)) AS BIGINT), SUM(CAST(value AS BIGINT)), COUNT(*), COUNT(*) > $2, \
               EXISTS (SELECT 1 FROM notes) FROM list_of($1)";
    let row = bench.database.one(sql, args!["[1,2,30000]", 2]).await.unwrap();
    let read: Vec<_> = (0..5).map(|column| row.int(column).unwrap()).collect();
    assert_eq!(read, [30_003, 30_003, 3, 1, 0]);
    assert_eq!(bench.database.one(sql, args!["[]", 2]).await.unwrap().opt_int(0).unwrap(), None, "nothing adds up to nothing");
}

pub async fn names_are_compared_by_their_bytes_where_the_schema_says_so(bench: Bench) {
    for note in ["b", "B", "a", "Ä", "ä", "A", "~"] {
        bench.database.run("INSERT INTO notes (text) VALUES ($1)", args![note]).await.unwrap();
    }
    let rows = bench.database.all("SELECT text FROM notes WHERE text > $1 ORDER BY text", args!["A"]).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.text(0).unwrap()).collect::<Vec<_>>(), ["B", "a", "b", "~", "Ä", "ä"]);
}

/// Adds to a number that it reads before.
struct Count;

#[async_trait]
impl Apply for Count {
    type Job = ();
    type Done = i64;

    async fn apply(&self, transaction: &mut Connection<'_>, jobs: &[()]) -> Result<Vec<i64>, sqlx::Error> {
        let mut counted = Vec::new();
        for () in jobs {
            let next = transaction.one("SELECT number FROM counter WHERE id = $1 FOR UPDATE", args![1]).await?.int(0)? + 1;
            transaction.run("UPDATE counter SET number = $2 WHERE id = $1", args![1, next]).await?;
            counted.push(next);
        }
        Ok(counted)
    }
}

pub async fn a_row_may_be_locked_to_be_changed(bench: Bench) {
    bench.database.run("CREATE TABLE counter (id BIGINT PRIMARY KEY, number BIGINT NOT NULL)", args![]).await.unwrap();
    bench.database.run("INSERT INTO counter (id, number) VALUES (1, 0)", args![]).await.unwrap();
    let writers = [GroupCommit::start(&bench.database, Count), GroupCommit::start(&bench.database, Count)];
    let waiting: Vec<_> = (0..100).map(|n| writers[n % 2].enqueue(())).collect();
    let mut counted = Vec::new();
    for job in waiting {
        counted.push(job.await.unwrap());
    }
    counted.sort_unstable();
    assert_eq!(counted, (1..=100).collect::<Vec<_>>(), "no count is lost");
}
