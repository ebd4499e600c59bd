//! `/restaurant`: the kitchen's board, live.
//!
//! What changes stands in regions marked `data-live`. A script that hears of news asks for this page again and puts the regions in place; it
//! rings for new orders and counts them in the title. Without scripts the page asks for itself.

mod card;

use super::kitchen::{self, Kitchen, Place};
use super::switch;
use crate::extract::Asked;
use crate::render::{Meta, page};
use crate::routes::error_page;
use crate::shop::Shop;
use crate::ui::words::{count, short_id};
use crate::visit::Visit;
use axum::Extension;
use axum::response::Response;
use contract::Timestamp;
use contract::id::path_segment;
use contract::menu::Restaurant;
use contract::order::{Board, Order};
use leptos::prelude::*;
use std::sync::Arc;

/// How often the page asks for itself where no script does.
const REFRESH_S: u32 = 10;

/// A column of the board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    New,
    Cooking,
    Ready,
    HandedOver,
}

impl Column {
    const fn id(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Cooking => "cooking",
            Self::Ready => "ready",
            Self::HandedOver => "handed-over",
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::New => "New",
            Self::Cooking => "Cooking",
            Self::Ready => "Ready",
            Self::HandedOver => "Handed over",
        }
    }

    /// The title in a row of four on a phone.
    const fn short(self) -> &'static str {
        match self {
            Self::HandedOver => "Out",
            other => other.title(),
        }
    }

    /// What stands there while there is nothing.
    const fn nothing(self) -> &'static str {
        match self {
            Self::New => "All answered. The next order appears here by itself.",
            Self::Cooking => "No pot on the fire.",
            Self::Ready => "Nothing waits for a courier.",
            Self::HandedOver => "Nothing yet.",
        }
    }
}

pub async fn show(Extension(visit): Extension<Arc<Visit>>, Extension(shop): Extension<Shop>, Asked(query): Asked) -> Response {
    let kitchen = match Kitchen::asked(&visit, &shop, &query).await {
        Ok(kitchen) => kitchen,
        Err(response) => return *response,
    };
    let (board, restaurant) = futures::join!(shop.order.board(&kitchen.id), kitchen::restaurant(&shop, &kitchen.id));
    let (board, restaurant) = match (board, restaurant) {
        (Ok(board), Ok(restaurant)) => (board, restaurant),
        (Err(error), _) | (_, Err(error)) => return error_page(&error, &visit),
    };
    let mut meta = Meta::new(title(&board), "Orders of this kitchen, as they come in.");
    meta.refresh_s = Some(REFRESH_S);
    page(&visit, meta, || body(&kitchen, restaurant, board, visit.now))
}

/// With the number of new orders, for a window that is in the background.
fn title(board: &Board) -> String {
    match board.new.len() {
        0 => "Board".to_owned(),
        n => format!("({n}) Board"),
    }
}

fn body(kitchen: &Kitchen, restaurant: Option<Restaurant>, board: Board, now: Timestamp) -> impl IntoView + use<> {
    let events = format!("/events/restaurants/{}", path_segment(kitchen.id.as_str()));
    let (mark, news, counts) = (mark(&board), news(&board), counts(&board));
    let autopilot = switch("/restaurant/autopilot".to_owned(), kitchen.fields(), "on", board.autopilot, "Autopilot");
    let here = kitchen.path("/restaurant");
    let Board { new, cooking, ready, handed_over, .. } = board;
    let columns = [(Column::New, new), (Column::Cooking, cooking), (Column::Ready, ready), (Column::HandedOver, handed_over)];
    let columns: Vec<_> = columns.into_iter().map(|(column, orders)| section(kitchen, column, orders, now)).collect();
    let inside = view! {
        <div class="board-tools">
            <div id="live-autopilot" data-live="">{autopilot}</div>
            <button type="button" class="switch script-only" data-sound="" aria-pressed="true"><span class="knob" aria-hidden="true"></span>"Sound"</button>
            <p class="hint sound-hint" data-sound-hint="" hidden>"Press anywhere once: browsers keep quiet until then."</p>
            <p class="hint keys-hint"><kbd>"A"</kbd>" accepts the oldest, "<kbd>"Enter"</kbd>" moves the card in focus on."</p>
            <noscript><p class="hint">"This page looks again every ten seconds. "<a href=here>"Look now"</a></p></noscript>
        </div>
        <p class="stale" data-stale="" hidden>"No news at the moment; still trying."</p>
        <p class="sr-only" id="live-news" data-live="" role="status">{news}</p>
        <nav class="board-jumps" aria-label="Columns"><ul id="live-counts" data-live="">{counts}</ul></nav>
        <div class="board" data-stay="">{columns}</div>
        <div id="live-mark" data-live="" hidden>{mark}</div>
        <i data-follow="" data-events=events data-kind="board" hidden></i>
    };
    kitchen::frame(kitchen, restaurant, Place::Board, "Board", inside)
}

/// What the script has to know: the title, and which orders are new.
fn mark(board: &Board) -> impl IntoView + use<> {
    let new: Vec<&str> = board.new.iter().map(|order| order.id.as_str()).collect();
    view! { <i data-board="" data-title=format!("{} · Feast Flow", title(board)) data-new=new.join(" ")></i> }
}

/// Read out when it changes.
fn news(board: &Board) -> String {
    board.new.last().map_or_else(String::new, |newest| {
        let waiting = count(board.new.len() as u64, "new order", "new orders");
        format!("{waiting}. The last one is {}.", short_id(newest.id.as_str()))
    })
}

/// Jumps between the columns, where they stand below each other.
fn counts(board: &Board) -> impl IntoView + use<> {
    let numbers = [
        (Column::New, board.new.len()),
        (Column::Cooking, board.cooking.len()),
        (Column::Ready, board.ready.len()),
        (Column::HandedOver, board.handed_over.len()),
    ];
    let jump = |(column, n): (Column, usize)| {
        view! { <li><a id=format!("jump-{}", column.id()) href=format!("#{}", column.id())>{column.short()}" "<b>{n}</b></a></li> }
    };
    numbers.map(jump).collect_view()
}

fn section(kitchen: &Kitchen, column: Column, orders: Vec<Order>, now: Timestamp) -> impl IntoView + use<> {
    let (id, n) = (column.id(), orders.len());
    let nothing = orders.is_empty().then(|| view! { <p class="nothing">{column.nothing()}</p> });
    let cards: Vec<_> = orders.into_iter().enumerate().map(|(at, order)| card::card(kitchen, column, order, at == 0, now)).collect();
    view! {
        <section class=format!("column column-{id}") id=id aria-labelledby=format!("title-{id}")>
            <h2 id=format!("title-{id}")>{column.title()}</h2>
            <div id=format!("live-{id}") data-live="">
                <p class="column-count"><span class="sr-only">"Orders here: "</span>{n}</p>
                {nothing}
                <ul class="cards">{cards}</ul>
            </div>
        </section>
    }
}

#[cfg(test)]
mod tests {
    use super::{news, title};
    use contract::order::Board;

    #[test]
    fn a_quiet_board_counts_and_announces_nothing() {
        assert_eq!((title(&Board::default()), news(&Board::default())), ("Board".to_owned(), String::new()));
    }
}
