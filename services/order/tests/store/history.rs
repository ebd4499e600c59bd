//! The list of orders, and the flag that asks for each of them by itself.

use crate::books::Books;
use contract::client::OrderClient;
use contract::order::Order;
use runtime::Platform;
use runtime::context::{self, RequestContext, Role};
use std::sync::Arc;
use testkit::flip;

/// All pages of everybody's orders.
async fn pages(client: &OrderClient) -> Vec<Vec<Order>> {
    let context = Arc::new(RequestContext { role: Role::Operator, ..RequestContext::default() });
    let read = async {
        let (mut pages, mut cursor) = (Vec::new(), None);
        loop {
            let (orders, next) = client.list(cursor.as_deref()).await.unwrap();
            pages.push(orders);
            match next {
                Some(next) => cursor = Some(next),
                None => return pages,
            }
        }
    };
    context::scope(context, read).await
}

/// How often the book was asked for one order since the platform began.
fn finds(platform: &Platform) -> u64 {
    let text = platform.metrics.prometheus_text();
    let count = text.lines().find(|line| line.contains("duration_seconds_count") && line.contains("db_operation_name=\"find\""));
    count.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or(0)
}

pub async fn asking_for_each_order_by_itself_answers_the_same_pages(books: Books) {
    for n in 1..=60 {
        books.accepted(n, "Ada", "mine").await;
    }
    let platform = books.served().await;
    let client = OrderClient::new(platform.transport("server", "order").unwrap());
    let usual = pages(&client).await;
    assert_eq!((usual.len(), usual.iter().map(Vec::len).sum::<usize>(), finds(&platform)), (2, 60, 0));
    let mut expected = 0;
    for (variant, queries) in [("1-query-an-order", 1), ("5-queries-an-order", 5)] {
        flip(&platform, "order-history-n-plus-one", variant);
        assert_eq!(pages(&client).await, usual, "{variant}");
        expected += 60 * queries;
        assert_eq!(finds(&platform), expected, "{variant}");
    }
    flip(&platform, "order-history-n-plus-one", "off");
    assert_eq!(pages(&client).await, usual);
    assert_eq!(finds(&platform), expected);
}
