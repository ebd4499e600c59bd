//! Forms of the flag desk. Operators only.

use super::see;
use super::staff::done;
use crate::cookies::Cookies;
use crate::desk::SharedDesk;
use crate::extract::{Fields, Segment, Sent};
use crate::pages::console::sign_in;
use crate::problem::{self, Retry};
use crate::visit::{Notice, Visit};
use axum::Extension;
use axum::response::Response;
use contract::flags::{Audience, SetFlag};
use contract::id::path_segment;
use contract::{ApiError, Code};
use std::sync::Arc;

/// `POST /console/flags/{key}`: `variant`, `audience` with its `percent` or `place`, `ttlSeconds`.
pub async fn set(
    Extension(visit): Extension<Arc<Visit>>,
    Extension(desk): Extension<SharedDesk>,
    Segment(key): Segment,
    Sent { fields, .. }: Sent,
) -> Response {
    if !visit.operator {
        return sign_in(&visit);
    }
    let action = format!("/console/flags/{}", path_segment(&key));
    let outcome = match read(&fields, &visit) {
        Ok(flip) => desk.set(&key, flip).await.map(drop),
        Err(error) => Err(error),
    };
    answer(&visit, outcome, &format!("#{}", path_segment(&key)), Notice::FlagSet, fields.retry(&action))
}

/// `POST /console/flags/{key}/clear`
pub async fn clear(Extension(visit): Extension<Arc<Visit>>, Extension(desk): Extension<SharedDesk>, Segment(key): Segment) -> Response {
    if !visit.operator {
        return sign_in(&visit);
    }
    let retry = Retry::Form { action: format!("/console/flags/{}/clear", path_segment(&key)), fields: Vec::new() };
    answer(&visit, desk.clear(&key).await, &format!("#{}", path_segment(&key)), Notice::FlagCleared, retry)
}

/// `POST /console/all-clear`
pub async fn clear_all(Extension(visit): Extension<Arc<Visit>>, Extension(desk): Extension<SharedDesk>) -> Response {
    if !visit.operator {
        return sign_in(&visit);
    }
    let retry = Retry::Form { action: "/console/all-clear".to_owned(), fields: Vec::new() };
    if let Err(error) = desk.clear_all().await {
        return problem::response(&visit, &error, retry);
    }
    // Its button is on every page of the console: whoever pressed it goes on looking at the same.
    let page = visit.path.split(['?', '#']).next().unwrap_or_default();
    let stays = page.starts_with("/console/") && !page.ends_with("/all-clear");
    done(&visit, if stays { &visit.path } else { "/console/flags" }, Notice::AllClear)
}

fn answer(visit: &Visit, outcome: Result<(), ApiError>, anchor: &str, notice: Notice, retry: Retry) -> Response {
    match outcome {
        Ok(()) => {
            let mut cookies = Cookies::default();
            cookies.notice(visit, notice);
            see(&format!("/console/flags{anchor}"), &cookies)
        }
        Err(error) => problem::response(visit, &error, retry),
    }
}

fn read(fields: &Fields, visit: &Visit) -> Result<SetFlag, ApiError> {
    let wrong = |what: &str| ApiError::new(Code::InvalidBody, what);
    let place = || fields.filled("place").ok_or_else(|| wrong("say which restaurant or city"));
    let audience = match fields.get("audience") {
        "" | "everyone" => Audience::Everyone,
        "synthetic" => Audience::Synthetic,
        "session" => Audience::Session(visit.session.to_string()),
        "percent" => match fields.get("percent").parse() {
            Ok(share @ 1..=100) => Audience::Percent(share),
            _ => return Err(wrong("the share is a whole number from 1 to 100")),
        },
        "restaurant" => Audience::Restaurant(place()?),
        "city" => Audience::City(place()?),
        _ => return Err(wrong("the audience is one of everyone, synthetic, session, percent, restaurant, city")),
    };
    let ttl_seconds = match fields.get("ttlSeconds") {
        "" => None,
        text => Some(text.parse().map_err(|_| wrong("the time to live is a whole number of seconds"))?),
    };
    Ok(SetFlag { variant: fields.get("variant").to_owned(), ttl_seconds, audience: Some(audience) })
}
