use super::{NotificationClient, call, fetch, next_cursor, path_segment, send, with_body};
use crate::error::ApiError;
use crate::ledger::LedgerPage;
use crate::notification::{Channel, Message, Preferences};
use http::Method;

/// Which messages are asked for: all of them when nothing is said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MessageFilter {
    pub channel: Option<Channel>,
    /// An order's id, or the six characters at its end by which people know it.
    pub order: Option<String>,
}

impl MessageFilter {
    /// As a query: `channel=sms&order=...`; empty when nothing is said.
    pub fn query(&self) -> String {
        let channel = self.channel.map(|channel| format!("channel={}", channel.as_str()));
        let order = self.order.as_deref().map(|order| format!("order={}", path_segment(order)));
        channel.into_iter().chain(order).collect::<Vec<_>>().join("&")
    }
}

impl NotificationClient {
    /// What was sent, newest first, with the next page's cursor.
    pub async fn messages(&self, filter: &MessageFilter, cursor: Option<&str>) -> Result<(Vec<Message>, Option<String>), ApiError> {
        let cursor = cursor.map(|cursor| format!("cursor={}", path_segment(cursor)));
        let query: Vec<String> = Some(filter.query()).filter(|query| !query.is_empty()).into_iter().chain(cursor).collect();
        let path = format!("/internal/messages?{}", query.join("&"));
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
