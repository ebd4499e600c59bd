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
use contract::client::MessageFilter;
use contract::id::path_segment;
use contract::notification::{Channel, Message, MessageStatus};
use leptos::prelude::*;
use std::sync::Arc;

/// Without JavaScript; not so often that nobody could type the number of an order in between.
const REFRESH_S: u32 = 20;

/// `?cursor=` for an older page, `?channel=` for one kind of message, `?order=` for the messages of one order: its id, or the characters that
/// people call it by.
pub async fn show(Extension(visit): Extension<Arc<Visit>>, Extension(shop): Extension<Shop>, Asked(query): Asked) -> Response {
    if !visit.operator {
        return sign_in(&visit);
    }
    let cursor = query.filled("cursor");
    let order = query.filled("order").map(|order| order.trim_start_matches('#').to_owned()).filter(|order| !order.is_empty());
    let filter = MessageFilter { channel: Channel::from_text(query.get("channel")), order };
    match shop.notification.messages(&filter, cursor.as_deref()).await {
        Ok((messages, next)) => {
            let mut meta = Meta::new("Outbox", "What customers were told.");
            meta.refresh_s = cursor.is_none().then_some(REFRESH_S);
            page(&visit, meta, || body(messages, next, cursor.is_some(), &filter, visit.now))
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

fn address(filter: &MessageFilter, cursor: Option<&str>) -> String {
    let cursor = cursor.map(|cursor| format!("cursor={}", path_segment(cursor)));
    let query: Vec<String> = Some(filter.query()).filter(|query| !query.is_empty()).into_iter().chain(cursor).collect();
    if query.is_empty() { "/console/outbox".to_owned() } else { format!("/console/outbox?{}", query.join("&")) }
}

fn body(messages: Vec<Message>, next: Option<String>, older: bool, filter: &MessageFilter, now: Timestamp) -> impl IntoView + use<> {
    let pill = |channel: Option<Channel>| {
        let (art, text) = channel.map_or(("📮", "All"), |channel| (picture(channel), name(channel)));
        let current = (channel == filter.channel).then_some("true");
        let to = address(&MessageFilter { channel, ..filter.clone() }, None);
        view! { <li><a href=to aria-current=current><span aria-hidden="true">{art}</span>{text}</a></li> }
    };
    let pills: Vec<_> = [None].into_iter().chain(Channel::ALL.map(Some)).map(pill).collect();
    let nothing = messages.is_empty().then(|| {
        let why = match (&filter.order, filter.channel, older) {
            (None, None, false) => "No messages here. They appear as soon as somebody orders.",
            (Some(_), ..) => "No message of such an order is kept.",
            _ => "No such messages here.",
        };
        view! { <p class="nothing">{why}</p> }
    });
    let shown: Vec<_> = messages.into_iter().map(|message| entry(message, filter, now)).collect();
    let newest = older.then(|| view! { <a class="button quiet" href=address(filter, None)>"Newest messages"</a> });
    let next = next.map(|next| view! { <a class="button quiet" href=address(filter, Some(&next))>"Older messages"</a> });
    let follow = (!older).then(follow);
    frame(
        Place::Outbox,
        "Nothing leaves this machine: here is every message that would have been sent, newest first.",
        view! {
            <nav class="staff-tabs pills-nav" aria-label="Channels"><ul>{pills}</ul></nav>
            {search(filter)}
            {follow}
            <div id="live-messages" data-live="">{nothing}<ul class="messages">{shown}</ul></div>
            <nav class="pages" aria-label="Pages" id="live-pages" data-live="">{newest}{next}</nav>
        },
    )
}

/// For the messages of one order.
fn search(filter: &MessageFilter) -> impl IntoView + use<> {
    let channel = filter.channel.map(|channel| view! { <input type="hidden" name="channel" value=channel.as_str()/> });
    let order = filter.order.clone().unwrap_or_default();
    let all = MessageFilter { order: None, ..filter.clone() };
    let all = filter.order.is_some().then(|| view! { <a class="button quiet" href=address(&all, None)>"All orders"</a> });
    view! {
        <form class="search" method="get" action="/console/outbox" role="search">
            {channel}
            <label class="search-text"><span>"Order"</span><input type="search" name="order" value=order data-key="/" maxlength="80" autocomplete="off" placeholder="its number or its id ( / )"/></label>
            <button class="button">"Show"</button>
            {all}
        </form>
    }
}

fn entry(message: Message, filter: &MessageFilter, now: Timestamp) -> impl IntoView + use<> {
    let (class, status) = match message.status {
        MessageStatus::Queued => ("message-status", "waits to be sent"),
        MessageStatus::Sent => ("message-status sent", "sent"),
        MessageStatus::Failed => ("message-status failed", "failed"),
    };
    let order = format!("/orders/{}", path_segment(message.order_id.as_str()));
    let alone = filter.order.is_none().then(|| {
        let of_order = MessageFilter { order: Some(message.order_id.to_string()), ..MessageFilter::default() };
        view! { " · "<a href=address(&of_order, None)>"its messages"</a> }
    });
    view! {
        <li class="message">
            <p class="message-art" aria-hidden="true">{picture(message.channel)}</p>
            <div>
                <h2>{message.subject}</h2>
                <p class="message-body">{message.body}</p>
                <p class="hint">{name(message.channel)}" to "<bdi>{message.to}</bdi>" · order "<a href=order>{short_id(message.order_id.as_str())}</a>" · "<time datetime=message.created_at.to_string()>{ago(message.created_at, now)}</time>{alone}</p>
            </div>
            <p class=class>{status}</p>
        </li>
    }
}

#[cfg(test)]
mod tests {
    use super::address;
    use contract::client::MessageFilter;
    use contract::notification::Channel;

    #[test]
    fn a_filter_stays_from_page_to_page() {
        assert_eq!(address(&MessageFilter::default(), None), "/console/outbox");
        let texts = MessageFilter { channel: Some(Channel::Sms), order: None };
        assert_eq!(address(&texts, Some("a b")), "/console/outbox?channel=sms&cursor=a%20b");
        let of_one = MessageFilter { channel: Some(Channel::Push), order: Some("a/b".to_owned()) };
        assert_eq!(address(&of_one, None), "/console/outbox?channel=push&order=a%2Fb");
    }
}
