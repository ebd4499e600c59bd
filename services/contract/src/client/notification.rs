use super::{NotificationClient, call, fetch, next_cursor, path_segment, send, with_body};
use crate::error::ApiError;
use crate::ledger::LedgerPage;
use crate::notification::{Message, Preferences};
use http::Method;

impl NotificationClient {
    /// What was sent, newest first, with the next page's cursor.
    pub async fn messages(&self, cursor: Option<&str>) -> Result<(Vec<Message>, Option<String>), ApiError> {
        let path =
            cursor.map_or_else(|| "/internal/messages".to_owned(), |cursor| format!("/internal/messages?cursor={}", path_segment(cursor)));
        let reply = send(&self.0, call("notification.messages", Method::GET, path)).await?;
        let messages = serde_json::from_slice(&reply.body).map_err(|_| ApiError::internal())?;
        Ok((messages, reply.link.as_deref().and_then(next_cursor)))
    }

    /// `owner` is an account or a session.
    pub async fn preferences(&self, owner: &str) -> Result<Preferences, ApiError> {
        fetch(&self.0, call("notification.preferences", Method::GET, preferences_path(owner))).await
    }

    pub async fn set_preferences(&self, owner: &str, preferences: &Preferences) -> Result<Preferences, ApiError> {
        let call = call("notification.set_preferences", Method::PUT, preferences_path(owner));
        fetch(&self.0, with_body(call, preferences)?).await
    }

    pub async fn ledger(&self) -> Result<LedgerPage, ApiError> {
        fetch(&self.0, call("notification.ledger", Method::GET, "/internal/ledger")).await
    }
}

fn preferences_path(owner: &str) -> String {
    format!("/internal/preferences/{}", path_segment(owner))
}
