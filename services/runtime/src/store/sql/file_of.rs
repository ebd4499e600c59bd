//! `DATABASE_URL=sqlite:PATH`: each service has a file of its own beside PATH, with one writer, as without the setting.
//!
//! One file for all would be one writer for all, and services whose tables have the same name would stand in each other's way. Versions up
//! to November 2026 did use PATH itself: what a service has there is copied when it starts for the first time, and PATH stays as it was.

use super::{Schema, count_of};
use crate::boot::BootError;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, Row, SqliteConnection};
use std::path::{Path, PathBuf};

/// The file of a service, with what the service left in `shared`: `data/feast.db` becomes `data/feast-order.db`.
///
/// # Errors
/// One sentence that names the setting: `shared` cannot be read, or not be copied.
pub async fn file_of(shared: &Path, service: &str, schema: &Schema) -> Result<PathBuf, BootError> {
    let own = beside(shared, service);
    if own.exists() || !shared.is_file() {
        return Ok(own);
    }
    let fault = |error: String| BootError::Config(format!("DATABASE_URL: {} cannot be copied: {error}", shared.display()));
    if take_over(shared, &own, schema).await.map_err(fault)? {
        tracing::warn!("What {service} has in {} was copied to {}, which is used from now on", shared.display(), own.display());
    }
    Ok(own)
}

fn beside(shared: &Path, service: &str) -> PathBuf {
    let stem = shared.file_stem().unwrap_or_default().to_string_lossy();
    let end = shared.extension().map(|extension| format!(".{}", extension.to_string_lossy())).unwrap_or_default();
    shared.with_file_name(format!("{stem}-{service}{end}"))
}

/// Copies the file when the service has tables in it.
async fn take_over(shared: &Path, own: &Path, schema: &Schema) -> Result<bool, String> {
    let options = SqliteConnectOptions::new().filename(shared).busy_timeout(std::time::Duration::from_secs(5));
    let mut connection = SqliteConnection::connect_with(&options).await.map_err(|error| error.to_string())?;
    let copied = copy(&mut connection, own, schema).await;
    let closed = connection.close().await;
    copied.and_then(|copied| closed.map(|()| copied).map_err(|error| error.to_string()))
}

async fn copy(connection: &mut SqliteConnection, own: &Path, schema: &Schema) -> Result<bool, String> {
    let said = |error: sqlx::Error| error.to_string();
    let known = "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = $1";
    let known = sqlx::query(known).bind(count_of(schema.sqlite)).fetch_one(&mut *connection).await.map_err(said)?;
    if known.try_get::<i64, _>(0).map_err(said)? == 0 {
        return Ok(false);
    }
    // Under another name until it is whole: whoever is interrupted begins anew.
    let mut part = own.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    match std::fs::remove_file(&part) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.to_string()),
        _ => {}
    }
    sqlx::query("VACUUM INTO $1").bind(part.to_string_lossy().into_owned()).execute(connection).await.map_err(said)?;
    std::fs::rename(&part, own).map_err(|error| error.to_string())?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::beside;
    use std::path::Path;

    #[test]
    fn a_services_file_lies_beside_the_one_that_is_named() {
        for (shared, own) in [("data/feast.db", "data/feast-order.db"), ("feast", "feast-order"), ("/a.b/c.d.db", "/a.b/c.d-order.db")] {
            assert_eq!(beside(Path::new(shared), "order"), Path::new(own));
        }
    }
}
