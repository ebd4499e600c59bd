//! What only SQLite files go through.

use crate::bench::{NOTES, WriteNotes, notes};
use runtime::args;
use runtime::health::Probe;
use runtime::store::sql::{Database, GroupCommit, Schema};

const SONGS: Schema = Schema { sqlite: &[(1, "songs", "CREATE TABLE songs (title TEXT NOT NULL) STRICT")], postgres: &[] };

#[tokio::test]
async fn services_may_share_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file.db");
    let (one, other) = (Database::open_file(&path, &NOTES).await.unwrap(), Database::open_file(&path, &SONGS).await.unwrap());
    GroupCommit::start(&one, WriteNotes::default()).submit("a note".to_owned()).await.unwrap();
    other.run("INSERT INTO songs (title) VALUES ($1)", args!["a song"]).await.unwrap();
    assert_eq!(notes(&Database::open_file(&path, &NOTES).await.unwrap()).await, ["a note"]);
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
