//! Forms of the snapshot's page. Operators only.

use super::staff::{done, trouble};
use crate::control_room::SharedControlRoom;
use crate::extract::Fields;
use crate::pages::console::sign_in;
use crate::pages::staff::console::snapshot;
use crate::upload::Upload;
use crate::visit::{Notice, Visit};
use axum::Extension;
use axum::response::Response;
use std::sync::Arc;

/// `POST /console/snapshot`: the file. What is wrong with it is said beside the form.
pub async fn read(
    Extension(visit): Extension<Arc<Visit>>,
    Extension(room): Extension<SharedControlRoom>,
    Upload(sent): Upload,
) -> Response {
    if !visit.operator {
        return sign_in(&visit);
    }
    let outcome = match sent {
        Ok(file) => room.import(file).await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok(_) => done(&visit, snapshot::PAGE, Notice::SnapshotRead),
        Err(error) => snapshot::show_with(&visit, &room, Some(error)).await,
    }
}

/// `POST /console/snapshot/forget`
pub async fn forget(Extension(visit): Extension<Arc<Visit>>, Extension(room): Extension<SharedControlRoom>) -> Response {
    if !visit.operator {
        return sign_in(&visit);
    }
    match room.forget_import().await {
        Ok(()) => done(&visit, snapshot::PAGE, Notice::SnapshotForgotten),
        Err(error) => trouble(&visit, &error, snapshot::PAGE.to_owned(), snapshot::PAGE, &Fields::default()),
    }
}
