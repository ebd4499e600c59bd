//! Compares what clients intended and were told with what the server has. Pure: reading the server is `readback`'s job.

use crate::book::{Intent, Seen, Told, quantities};
use contract::order::{Order, OrderStatus};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};

/// Why an order ended that its customer cancelled, as the platform says it.
const BY_CUSTOMER: &str = "Cancelled by the customer.";

/// An order that is not as it should be, or one whose fate was open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    pub idempotency_key: String,
    pub cart_id: String,
    pub customer_name: String,
    /// On the server; for a lost order the id that the client was told.
    pub order_ids: Vec<String>,
    pub detail: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Findings {
    /// The client saw 201; its session does not have the order.
    pub lost: Vec<Finding>,
    /// One key, several orders.
    pub doubled: Vec<Finding>,
    /// Items, quantities or total differ from the 201 (or, without one, from the cart); refused and made nevertheless; or made
    /// without having been asked for.
    pub wrong: Vec<Finding>,
    /// No reply, or a 5xx, but the order was made: the client would have learnt of it by asking again.
    pub open_made: Vec<Finding>,
    /// No reply, or a 5xx, and no order was made.
    pub open_not_made: Vec<Finding>,
}

impl Findings {
    pub fn is_clean(&self) -> bool {
        self.lost.is_empty() && self.doubled.is_empty() && self.wrong.is_empty()
    }

    pub fn merge(&mut self, other: Self) {
        self.lost.extend(other.lost);
        self.doubled.extend(other.doubled);
        self.wrong.extend(other.wrong);
        self.open_made.extend(other.open_made);
        self.open_not_made.extend(other.open_not_made);
    }
}

/// What the server has for one session.
#[derive(Clone, Debug, Default)]
pub struct OnServer {
    /// From the session's own list.
    pub listed: Vec<Order>,
    /// Found only otherwise: by id, or in the operator's view of the customer.
    pub unlisted: Vec<Order>,
}

/// Compares one session. `customer` is its name, unique to run and user.
pub fn reconcile(customer: &str, intents: &[Intent], server: &OnServer) -> Findings {
    let mut findings = Findings::default();
    let mut by_key = Attribution::new(intents);
    for order in &server.listed {
        by_key.attribute(order, true);
    }
    for order in &server.unlisted {
        by_key.attribute(order, false);
    }
    for (intent, made) in intents.iter().zip(&by_key.made) {
        compare(customer, intent, made, &mut findings);
    }
    findings.wrong.extend(by_key.strangers.iter().map(|order| Finding {
        idempotency_key: String::new(),
        cart_id: String::new(),
        customer_name: customer.to_owned(),
        order_ids: vec![order.id.to_string()],
        detail: "nobody asked for this order".to_owned(),
    }));
    findings
}

/// Which order came of which intent: by the key that the order carries as its instructions, else by the id a 201 told.
struct Attribution<'a> {
    by_key: HashMap<&'a str, usize>,
    by_id: HashMap<&'a str, usize>,
    /// For each intent its orders, once each, and whether the session lists them.
    made: Vec<BTreeMap<&'a str, (&'a Order, bool)>>,
    strangers: Vec<&'a Order>,
}

impl<'a> Attribution<'a> {
    fn new(intents: &'a [Intent]) -> Self {
        let mut by_id = HashMap::new();
        for (at, intent) in intents.iter().enumerate() {
            if let Seen::Accepted(told) = &intent.seen {
                by_id.insert(told.order_id.as_str(), at);
            }
        }
        Self {
            by_key: intents.iter().enumerate().map(|(at, intent)| (intent.key.as_str(), at)).collect(),
            by_id,
            made: vec![BTreeMap::new(); intents.len()],
            strangers: Vec::new(),
        }
    }

    fn attribute(&mut self, order: &'a Order, listed: bool) {
        let key = order.special_instructions.as_ref().map_or("", |note| note.as_str());
        let intent = self.by_key.get(key).or_else(|| self.by_id.get(order.id.as_str()));
        match intent.and_then(|at| self.made.get_mut(*at)) {
            Some(made) => {
                made.entry(order.id.as_str()).or_insert((order, listed));
            }
            None => self.strangers.push(order),
        }
    }
}

fn compare(customer: &str, intent: &Intent, made: &BTreeMap<&str, (&Order, bool)>, findings: &mut Findings) {
    let finding = |order_ids: Vec<String>, detail: String| Finding {
        idempotency_key: intent.key.clone(),
        cart_id: intent.cart_id.to_string(),
        customer_name: customer.to_owned(),
        order_ids,
        detail,
    };
    let ids = || made.keys().map(|id| (*id).to_owned()).collect::<Vec<_>>();
    if made.len() > 1 {
        findings.doubled.push(finding(ids(), format!("one key and one cart made {} orders", made.len())));
    }
    match &intent.seen {
        Seen::Accepted(told) => match made.get(told.order_id.as_str()) {
            None => {
                let other = if made.is_empty() { "the server does not have it" } else { "the server has another order for its key" };
                findings.lost.push(finding(vec![told.order_id.to_string()], format!("answered 201, but {other}")));
            }
            Some((_, false)) => {
                let detail = "answered 201 and kept, but its session does not list it".to_owned();
                findings.lost.push(finding(vec![told.order_id.to_string()], detail));
            }
            Some((order, true)) => {
                if let Some(detail) = differs_from_told(told, order) {
                    findings.wrong.push(finding(vec![told.order_id.to_string()], detail));
                }
            }
        },
        Seen::Refused { status, code } if !intent.is_open() => {
            if !made.is_empty() {
                findings.wrong.push(finding(ids(), format!("refused with {status} {code}, but made nevertheless")));
            }
        }
        Seen::Refused { .. } | Seen::Unknown(_) => {
            let why = match &intent.seen {
                Seen::Refused { status, code } => format!("{status} {code}").trim_end().to_owned(),
                Seen::Unknown(why) => (*why).to_owned(),
                Seen::Accepted(_) => String::new(),
            };
            for (order, _) in made.values() {
                if let Some(detail) = differs_from_wanted(intent, order) {
                    findings.wrong.push(finding(vec![order.id.to_string()], detail));
                }
            }
            if made.is_empty() {
                findings.open_not_made.push(finding(Vec::new(), why));
            } else {
                findings.open_made.push(finding(ids(), why));
            }
        }
    }
}

fn differs_from_told(told: &Told, order: &Order) -> Option<String> {
    let kept = Told::of(order);
    // Orders move on by themselves, and faults may end them. Customers of a run cancel nothing.
    if order.status == OrderStatus::Cancelled && order.reason.as_deref() == Some(BY_CUSTOMER) {
        return Some("cancelled in its customer's name, who did not ask for it".to_owned());
    }
    if kept.total != told.total {
        return Some(format!("the total was answered as {} and is kept as {}", told.total, kept.total));
    }
    (kept.lines != told.lines).then(|| format!("the lines were answered as {} and are kept as {}", words(told), words(&kept)))
}

fn differs_from_wanted(intent: &Intent, order: &Order) -> Option<String> {
    let wanted = quantities(intent.lines.iter().map(|line| (&line.item_id, line.quantity)));
    let kept = quantities(order.items.iter().map(|line| (&line.item_id, line.quantity)));
    (wanted != kept).then(|| format!("the cart held {wanted:?}, the order has {kept:?}"))
}

fn words(told: &Told) -> String {
    let line = |line: &crate::book::MadeLine| format!("{} × {} = {}", line.quantity, line.item_id, line.item_total);
    told.lines.iter().map(line).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::{BY_CUSTOMER, Findings, OnServer, reconcile};
    use crate::book::{Intent, Seen, Told, WantedLine};
    use contract::order::{Order, OrderStatus};
    use serde_json::json;

    fn order(id: &str, key: Option<&str>, quantity: u32, total: f64) -> Order {
        let mut order = json!({
            "id": id, "customerName": "load-run-1", "restaurantId": "r", "restaurantName": "R",
            "items": [{"itemId": "latte", "itemName": "Latte", "itemEmoji": "☕", "quantity": quantity, "basePrice": 5.0, "itemTotal": total}],
            "totalPrice": total, "status": "pending", "timestamp": "2026-11-20T09:30:00.000Z", "updatedAt": "2026-11-20T09:30:00.000Z",
        });
        if let Some(key) = key {
            order["specialInstructions"] = json!(key);
        }
        serde_json::from_value(order).unwrap()
    }

    fn intent(key: &str, seen: Seen) -> Intent {
        let lines = vec![WantedLine { item_id: "latte".into(), quantity: 2 }];
        Intent { key: key.to_owned(), cart_id: format!("cart-{key}").as_str().into(), lines, seen }
    }

    fn accepted(key: &str, id: &str) -> Intent {
        intent(key, Seen::Accepted(Told::of(&order(id, Some(key), 2, 10.0))))
    }

    fn check(intents: &[Intent], listed: Vec<Order>, unlisted: Vec<Order>) -> Findings {
        reconcile("load-run-1", intents, &OnServer { listed, unlisted })
    }

    #[test]
    fn orders_that_are_as_they_were_answered_are_clean() {
        let intents = [accepted("k1", "o1"), intent("k2", Seen::Refused { status: 409, code: "OUT_OF_STOCK".into() })];
        assert_eq!(check(&intents, vec![order("o1", Some("k1"), 2, 10.0)], vec![]), Findings::default());
    }

    #[test]
    fn an_order_is_known_by_the_id_of_its_reply_when_it_carries_no_key() {
        assert!(check(&[accepted("k1", "o1")], vec![order("o1", None, 2, 10.0)], vec![]).is_clean());
    }

    #[test]
    fn an_accepted_order_that_the_server_does_not_have_is_lost() {
        let findings = check(&[accepted("k1", "o1")], vec![], vec![]);
        assert_eq!((findings.lost[0].order_ids[0].as_str(), findings.lost[0].idempotency_key.as_str()), ("o1", "k1"));
        assert!(!findings.is_clean());
    }

    #[test]
    fn an_accepted_order_that_its_session_does_not_list_is_lost_to_its_owner() {
        let findings = check(&[accepted("k1", "o1")], vec![], vec![order("o1", Some("k1"), 2, 10.0)]);
        assert!(findings.lost[0].detail.contains("does not list it"), "{findings:?}");
    }

    #[test]
    fn two_orders_of_one_key_are_doubled_even_when_the_client_knows_of_one() {
        let listed = vec![order("o1", Some("k1"), 2, 10.0), order("o2", Some("k1"), 2, 10.0)];
        let findings = check(&[accepted("k1", "o1")], listed, vec![]);
        assert_eq!(findings.doubled[0].order_ids, ["o1", "o2"]);
        assert!(findings.lost.is_empty() && findings.wrong.is_empty());
    }

    #[test]
    fn one_order_on_two_pages_is_one_order() {
        let twice = vec![order("o1", Some("k1"), 2, 10.0), order("o1", Some("k1"), 2, 10.0)];
        assert!(check(&[accepted("k1", "o1")], twice, vec![]).is_clean());
    }

    #[test]
    fn another_total_or_quantity_than_answered_is_wrong() {
        let total = check(&[accepted("k1", "o1")], vec![order("o1", Some("k1"), 2, 11.0)], vec![]);
        assert!(total.wrong[0].detail.contains("$10.00 and is kept as $11.00"), "{total:?}");
        let quantity = check(&[accepted("k1", "o1")], vec![order("o1", Some("k1"), 3, 10.0)], vec![]);
        assert!(quantity.wrong[0].detail.contains("3 × latte"), "{quantity:?}");
    }

    #[test]
    fn orders_move_on_by_themselves_but_no_customer_of_a_run_cancels() {
        let mut kept = order("o1", Some("k1"), 2, 10.0);
        for status in OrderStatus::ALL {
            kept.status = status;
            assert!(check(&[accepted("k1", "o1")], vec![kept.clone()], vec![]).is_clean(), "{status:?}");
        }
        kept.status = OrderStatus::Cancelled;
        kept.reason = Some(BY_CUSTOMER.to_owned());
        assert_eq!(check(&[accepted("k1", "o1")], vec![kept], vec![]).wrong.len(), 1);
    }

    #[test]
    fn a_lost_reply_is_resolved_either_way_and_is_no_fault() {
        let intents = [
            intent("k1", Seen::Unknown("timeout")),
            intent("k2", Seen::Unknown("timeout")),
            intent("k3", Seen::Refused { status: 503, code: "SERVICE_UNAVAILABLE".into() }),
        ];
        let findings = check(&intents, vec![order("o1", Some("k1"), 2, 10.0)], vec![]);
        assert!(findings.is_clean());
        assert_eq!(findings.open_made[0].order_ids, ["o1"]);
        assert_eq!(findings.open_not_made.iter().map(|f| f.detail.as_str()).collect::<Vec<_>>(), ["timeout", "503 SERVICE_UNAVAILABLE"]);
    }

    #[test]
    fn a_lost_reply_whose_order_has_other_items_than_the_cart_is_wrong() {
        let findings = check(&[intent("k1", Seen::Unknown("timeout"))], vec![order("o1", Some("k1"), 5, 25.0)], vec![]);
        assert_eq!(findings.wrong.len(), 1);
    }

    #[test]
    fn an_order_that_was_refused_for_good_and_exists_is_wrong() {
        let refused = intent("k1", Seen::Refused { status: 409, code: "OUT_OF_STOCK".into() });
        let findings = check(&[refused], vec![order("o1", Some("k1"), 2, 10.0)], vec![]);
        assert!(findings.wrong[0].detail.contains("409 OUT_OF_STOCK"));
    }

    #[test]
    fn an_order_that_nobody_asked_for_is_wrong() {
        let findings = check(&[accepted("k1", "o1")], vec![order("o1", Some("k1"), 2, 10.0), order("o9", None, 1, 5.0)], vec![]);
        assert_eq!(findings.wrong[0].order_ids, ["o9"]);
    }
}
