//! `/console/outbox`: what customers were told, and by what.

use super::{Place, follow, frame};
use crate::extract::Asked;
use crate::pages::console::sign_in;
use crate::render::{Meta, page};
use crate::routes::error_page;
use crate::shop::Shop;
use crate::ui::words::{ago, short_id};
use crate::visit::Visit;
use axum::Extension;
use axum::response::Response;
use contract::Timestamp;
use contract::id::path_segment;
use contract::notification::{Channel, Message, MessageStatus};
use leptos::prelude::*;
use std::sync::Arc;

const REFRESH_S: u32 = 5;

/// `?cursor=` for an older page, `?channel=` for one kind of message.
pub async fn show(Extension(visit): Extension<Arc<Visit>>, Extension(shop): Extension<Shop>, Asked(query): Asked) -> Response {
    if !visit.operator {
        return sign_in(&visit);
    }
    let cursor = query.filled("cursor");
    let channel = Channel::from_text(query.get("channel"));
    match shop.notification.messages(cursor.as_deref()).await {
        Ok((messages, next)) => {
            let mut meta = Meta::new("Outbox", "What customers were told.");
            meta.refresh_s = cursor.is_none().then_some(REFRESH_S);
            page(&visit, meta, || body(messages, next, cursor.as_deref(), channel, visit.now))
        }
        Err(error) => error_page(&error, &visit),
    }
}

const fn picture(channel: Channel) -> &'static str {
    match channel {
        Channel::Email => "✉️",
        Channel::Sms => "📱",
        Channel::Push => "🔔",
    }
}

const fn name(channel: Channel) -> &'static str {
    match channel {
        Channel::Email => "E-mail",
        Channel::Sms => "Text message",
        Channel::Push => "Push message",
    }
}

fn address(channel: Option<Channel>, cursor: Option<&str>) -> String {
    let mut query = Vec::new();
    query.extend(channel.map(|channel| format!("channel={}", channel.as_str())));
    query.extend(cursor.map(|cursor| format!("cursor={}", path_segment(cursor))));
    if query.is_empty() { "/console/outbox".to_owned() } else { format!("/console/outbox?{}", query.join("&")) }
}

fn body(
    messages: Vec<Message>,
    next: Option<String>,
    cursor: Option<&str>,
    chosen: Option<Channel>,
    now: Timestamp,
) -> impl IntoView + use<> {
    let number =
        |channel: Option<Channel>| messages.iter().filter(|message| channel.is_none_or(|channel| message.channel == channel)).count();
    let pill = |channel: Option<Channel>| {
        let (art, text) = channel.map_or(("📮", "All"), |channel| (picture(channel), name(channel)));
        let current = (channel == chosen).then_some("true");
        view! { <li><a href=address(channel, cursor) aria-current=current><span aria-hidden="true">{art}</span>{text}" "<b>{number(channel)}</b></a></li> }
    };
    let pills: Vec<_> = [None].into_iter().chain(Channel::ALL.map(Some)).map(pill).collect();
    let shown: Vec<_> = messages
        .into_iter()
        .filter(|message| chosen.is_none_or(|channel| message.channel == channel))
        .map(|message| entry(message, now))
        .collect();
    let nothing = shown.is_empty().then(|| view! { <p class="nothing">"No messages here. They appear as soon as somebody orders."</p> });
    let newest = cursor.map(|_| view! { <a class="button quiet" href=address(chosen, None)>"Newest messages"</a> });
    let older = next.map(|next| view! { <a class="button quiet" href=address(chosen, Some(&next))>"Older messages"</a> });
    let follow = cursor.is_none().then(follow);
    frame(
        Place::Outbox,
        "Nothing leaves this machine: here is every message that would have been sent, newest first.",
        view! {
            <nav class="staff-tabs pills-nav" aria-label="Channels"><ul id="live-channels" data-live="">{pills}</ul></nav>
            {follow}
            <div id="live-messages" data-live="">{nothing}<ul class="messages">{shown}</ul></div>
            <nav class="pages" aria-label="Pages" id="live-pages" data-live="">{newest}{older}</nav>
        },
    )
}

fn entry(message: Message, now: Timestamp) -> impl IntoView {
    let (class, status) = match message.status {
        MessageStatus::Queued => ("message-status", "waits to be sent"),
        MessageStatus::Sent => ("message-status sent", "sent"),
        MessageStatus::Failed => ("message-status failed", "failed"),
    };
    let order = format!("/orders/{}", path_segment(message.order_id.as_str()));
    view! {
        <li class="message">
            <p class="message-art" aria-hidden="true">{picture(message.channel)}</p>
            <div>
                <h2>{message.subject}</h2>
                <p class="message-body">{message.body}</p>
                <p class="hint">{name(message.channel)}" to "<bdi>{message.to}</bdi>" · order "<a href=order>{short_id(message.order_id.as_str())}</a>" · "<time datetime=message.created_at.to_string()>{ago(message.created_at, now)}</time></p>
            </div>
            <p class=class>{status}</p>
        </li>
    }
}

#[cfg(test)]
mod tests {
    use super::address;
    use contract::notification::Channel;

    #[test]
    fn a_filter_stays_from_page_to_page() {
        assert_eq!(address(None, None), "/console/outbox");
        assert_eq!(address(Some(Channel::Sms), Some("a b")), "/console/outbox?channel=sms&cursor=a%20b");
    }
}
