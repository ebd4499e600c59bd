//! What only SQLite files go through.

use crate::bench::{NOTES, WriteNotes, notes};
use runtime::args;
use runtime::health::Probe;
use runtime::store::sql::{Database, GroupCommit, Schema};
use std::path::Path;

const SONGS: Schema = Schema { sqlite: &[(1, "songs", "CREATE TABLE songs (title TEXT NOT NULL) STRICT")], postgres: &[] };

/// As `NOTES` for a service that calls its table the same.
const OTHER_NOTES: Schema =
    Schema { sqlite: &[(1, "other", "CREATE TABLE notes (line INTEGER PRIMARY KEY, said TEXT NOT NULL) STRICT")], postgres: &[] };

fn named(file: &Path) -> String {
    format!("sqlite:{}", file.display())
}

#[tokio::test]
async fn services_that_are_pointed_at_one_file_have_one_each() {
    let folder = tempfile::tempdir().unwrap();
    let url = named(&folder.path().join("feast.db"));
    let one = Database::open(&url, "one", &NOTES).await.unwrap();
    let other = Database::open(&url, "other", &OTHER_NOTES).await.unwrap();
    GroupCommit::start(&one, WriteNotes::default()).submit("a note".to_owned()).await.unwrap();
    other.run("INSERT INTO notes (said) VALUES ($1)", args!["something else"]).await.unwrap();
    assert_eq!(notes(&Database::open(&url, "one", &NOTES).await.unwrap()).await, ["a note"]);
    let files = ["feast-one.db", "feast-other.db", "feast.db"].map(|name| folder.path().join(name).exists());
    assert_eq!(files, [true, true, false]);
}

#[tokio::test]
async fn what_services_once_wrote_into_one_file_is_theirs_in_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let shared = folder.path().join("feast.db");
    let (one, other) = (Database::open_file(&shared, &NOTES).await.unwrap(), Database::open_file(&shared, &SONGS).await.unwrap());
    GroupCommit::start(&one, WriteNotes::default()).submit("a note".to_owned()).await.unwrap();
    other.run("INSERT INTO songs (title) VALUES ($1)", args!["a song"]).await.unwrap();
    let url = named(&shared);
    // Whoever was interrupted while it copied has left this behind.
    std::fs::write(folder.path().join("feast-one.db.part"), "half a file").unwrap();
    let one = Database::open(&url, "one", &NOTES).await.unwrap();
    assert_eq!(notes(&one).await, ["a note"]);
    GroupCommit::start(&one, WriteNotes::default()).submit("another".to_owned()).await.unwrap();
    let other = Database::open(&url, "other", &SONGS).await.unwrap();
    assert_eq!(other.one("SELECT title FROM songs", args![]).await.unwrap().text(0).unwrap(), "a song");
    // It is copied once, and to nobody whose it is not.
    assert_eq!(notes(&Database::open(&url, "one", &NOTES).await.unwrap()).await, ["a note", "another"]);
    let third = Database::open(&url, "third", &OTHER_NOTES).await.unwrap();
    assert_eq!(third.one("SELECT COUNT(*) FROM notes", args![]).await.unwrap().int(0).unwrap(), 0);
}

#[tokio::test]
async fn a_file_that_cannot_be_used_is_named_with_its_setting() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file.db");
    std::fs::write(&path, "this is not a database, and long enough to be looked at as one").unwrap();
    let error = Database::open_file(&path, &NOTES).await.err().unwrap().to_string();
    assert!(error.contains("DATA_DIR or DATABASE_URL") && error.contains("file.db"), "{error}");
    let error = Database::open_file(&path.join("below/a/file.db"), &NOTES).await.err().unwrap().to_string();
    assert!(error.contains("DATA_DIR or DATABASE_URL"), "{error}");
}

#[tokio::test]
async fn an_address_of_another_kind_is_refused_by_name() {
    for url in ["mysql://x", "sqlite:", "", "/a/path"] {
        let error = Database::open(url, "test", &NOTES).await.err().unwrap().to_string();
        assert!(error.contains("DATABASE_URL"), "{url}: {error}");
    }
}

#[tokio::test]
async fn a_file_is_of_one_process_and_says_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open_file(&folder.path().join("file.db"), &NOTES).await.unwrap();
    assert_eq!((database.backend(), database.is_shared(), database.name()), ("sqlite", false, "sqlite"));
    database.check().await.unwrap();
}
