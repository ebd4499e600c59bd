//! Reads back what the server has for each session of the run, and hands it to the comparison.

use crate::book::{Intent, Seen};
use crate::journeys::next_page;
use crate::reconcile::{Findings, OnServer, reconcile};
use crate::run::{Run, Shopper, locked};
use crate::visit::mark;
use contract::id::path_segment;
use contract::order::Order;
use serde::Serialize;
use std::collections::HashSet;
use std::time::Duration;

/// A page that cannot be read is asked for this many times: a fault may still be on.
const TRIES: u32 = 6;
/// Between two tries.
const PATIENCE: Duration = Duration::from_millis(500);
/// Orders whose client gave up may still be on their way through the server.
const SETTLE: Duration = Duration::from_secs(3);
/// More pages than any session of a run can have.
const MAX_PAGES: usize = 100_000;

#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reconciliation {
    /// Nothing lost, doubled or wrong, and everything could be checked.
    pub clean: bool,
    /// Sessions that ordered or tried to.
    pub sessions: u64,
    pub orders_read: u64,
    /// Whether an operator's token also allowed looking for orders that their session does not list.
    pub with_operator: bool,
    /// Sessions whose orders could not be read, and why. They are not checked.
    pub unread: Vec<String>,
    #[serde(flatten)]
    pub findings: Findings,
}

impl Reconciliation {
    /// Reads back one session and compares it.
    pub async fn check(&mut self, run: &Run, shopper: &Shopper) {
        if shopper.intents.is_empty() {
            return;
        }
        self.sessions += 1;
        let reader = Reader { origin: &run.origin, client: &shopper.client, operator_token: run.operator_token.as_deref() };
        match reader.orders_of(shopper).await {
            Ok(server) => {
                self.orders_read += (server.listed.len() + server.unlisted.len()) as u64;
                self.findings.merge(reconcile(&shopper.name, &shopper.intents, &server));
            }
            Err(why) => self.unread.push(format!("{}: {why}", shopper.name)),
        }
        self.clean = self.findings.is_clean() && self.unread.is_empty();
    }

    pub fn merge(&mut self, other: Self) {
        self.sessions += other.sessions;
        self.orders_read += other.orders_read;
        self.unread.extend(other.unread);
        self.findings.merge(other.findings);
        self.clean = self.findings.is_clean() && self.unread.is_empty();
    }
}

/// Sessions that were closed during the run, and all that are left.
pub async fn check_all(run: &Run) -> Reconciliation {
    let mut result = Reconciliation { clean: true, with_operator: run.operator_token.is_some(), ..Reconciliation::default() };
    result.merge(std::mem::take(&mut locked(&run.closed).check));
    let shoppers = locked(&run.shoppers).clone();
    let mut settled = false;
    for shopper in shoppers {
        let shopper = shopper.lock().await;
        if !settled && shopper.intents.iter().any(Intent::is_open) {
            tokio::time::sleep(SETTLE).await;
            settled = true;
        }
        result.check(run, &shopper).await;
    }
    result
}

struct Reader<'a> {
    origin: &'a str,
    client: &'a reqwest::Client,
    operator_token: Option<&'a str>,
}

/// A page, or `None` for 404.
struct Page {
    body: Option<bytes::Bytes>,
    next: Option<String>,
}

impl Reader<'_> {
    async fn orders_of(&self, shopper: &Shopper) -> Result<OnServer, String> {
        let listed = self.list("/api/orders".to_owned(), false).await?;
        let mut known: HashSet<String> = listed.iter().map(|order| order.id.to_string()).collect();
        let mut unlisted = Vec::new();
        if self.operator_token.is_some() {
            let path = format!("/api/customers/{}/orders", path_segment(&shopper.name));
            for order in self.list(path, true).await? {
                if known.insert(order.id.to_string()) {
                    unlisted.push(order);
                }
            }
        }
        // An order that the client was told of and the list does not have: gone, or only unlisted?
        for intent in &shopper.intents {
            let Seen::Accepted(told) = &intent.seen else { continue };
            if known.contains(told.order_id.as_str()) {
                continue;
            }
            let path = format!("/api/orders/{}", path_segment(told.order_id.as_str()));
            if let Some(body) = self.page(&path, false).await?.body {
                let order: Order = serde_json::from_slice(&body).map_err(|_| "an order could not be understood".to_owned())?;
                known.insert(order.id.to_string());
                unlisted.push(order);
            }
        }
        Ok(OnServer { listed, unlisted })
    }

    /// Every page of a list.
    async fn list(&self, mut path: String, as_operator: bool) -> Result<Vec<Order>, String> {
        let mut orders = Vec::new();
        let mut seen_pages = HashSet::new();
        for _ in 0..MAX_PAGES {
            let page = self.page(&path, as_operator).await?;
            let body = page.body.ok_or_else(|| "a list of orders was not found".to_owned())?;
            let mut rows: Vec<Order> = serde_json::from_slice(&body).map_err(|_| "a list of orders could not be understood".to_owned())?;
            orders.append(&mut rows);
            seen_pages.insert(path);
            match page.next {
                None => return Ok(orders),
                Some(next) if seen_pages.contains(&next) => return Err("the pages of a list go round in a circle".to_owned()),
                Some(next) => path = next,
            }
        }
        Err("a list of orders does not end".to_owned())
    }

    async fn page(&self, path: &str, as_operator: bool) -> Result<Page, String> {
        let mut why = String::new();
        for attempt in 0..TRIES {
            if attempt > 0 {
                tokio::time::sleep(PATIENCE).await;
            }
            match self.try_page(path, as_operator).await {
                Ok(page) => return Ok(page),
                Err(reason) => why = reason,
            }
        }
        Err(why)
    }

    async fn try_page(&self, path: &str, as_operator: bool) -> Result<Page, String> {
        let mut request = mark(self.client.get(format!("{}{path}", self.origin)));
        if let Some(token) = self.operator_token.filter(|_| as_operator) {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let response = request.send().await.map_err(|_| "there was no reply".to_owned())?;
        let status = response.status().as_u16();
        if status == 404 {
            return Ok(Page { body: None, next: None });
        }
        if status != 200 {
            return Err(format!("the server answered {status}"));
        }
        let next = response.headers().get("link").and_then(|value| value.to_str().ok()).and_then(next_page);
        let body = response.bytes().await.map_err(|_| "the reply was cut off".to_owned())?;
        Ok(Page { body: Some(body), next })
    }
}
