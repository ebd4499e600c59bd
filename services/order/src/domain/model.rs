//! The order's life beside a model of it that is nothing but a table: any sequence of commands, by anybody, at any time.

use super::{Actor, Holder, News, Overdue, Progress, Refusal};
use contract::Timestamp;
use contract::order::OrderStatus::{self, *};
use proptest::prelude::*;
use runtime::chance::Chance;
use std::time::Duration;
use testkit::MORNING;

/// Who may make which move: the whole table, written out.
const MOVES: [(OrderStatus, OrderStatus, &[Actor]); 11] = [
    (Pending, Paid, &[Actor::Platform]),
    (Pending, PaymentFailed, &[Actor::Platform]),
    (Pending, Cancelled, &[Actor::Customer, Actor::Operator, Actor::Platform]),
    (Paid, Accepted, &[Actor::Kitchen, Actor::Operator]),
    (Paid, Rejected, &[Actor::Kitchen, Actor::Operator, Actor::Platform]),
    (Paid, Cancelled, &[Actor::Customer, Actor::Operator, Actor::Platform]),
    (Accepted, Preparing, &[Actor::Kitchen, Actor::Operator]),
    (Preparing, Ready, &[Actor::Kitchen, Actor::Operator]),
    (Ready, Assigned, &[Actor::Platform]),
    (Assigned, PickedUp, &[Actor::Platform]),
    (PickedUp, Delivered, &[Actor::Platform]),
];

#[derive(Clone, Debug)]
enum Command {
    Step(Actor, OrderStatus),
    Hear(News),
    Autopilot,
    /// The deadline is looked at.
    Sweep,
    /// Seconds pass.
    Wait(u64),
}

/// The order as the table sees it.
#[derive(Clone, Debug)]
struct Model {
    status: OrderStatus,
    paid: bool,
    refunded: bool,
}

impl Model {
    fn moves(&mut self, by: Actor, to: OrderStatus) -> Result<(), Refusal> {
        let line = MOVES.iter().find(|(from, target, _)| (*from, *target) == (self.status, to));
        let Some((_, _, who)) = line else { return Err(Refusal::Illegal(self.status)) };
        if !who.contains(&by) {
            return Err(Refusal::NotTheirs);
        }
        self.status = to;
        self.paid |= to == Paid;
        Ok(())
    }

    fn waits_for_refund(&self) -> bool {
        self.paid && !self.refunded && matches!(self.status, Cancelled | Rejected)
    }
}

fn statuses() -> impl Strategy<Value = OrderStatus> {
    prop::sample::select(OrderStatus::ALL.to_vec())
}

fn commands() -> impl Strategy<Value = Command> {
    let news = prop_oneof![
        Just(News::Charged),
        Just(News::ChargeFailed("declined".to_owned())),
        Just(News::Refunded),
        Just(News::CourierAssigned),
        Just(News::PickedUp),
        Just(News::Delivered),
    ];
    prop_oneof![
        (prop::sample::select(Actor::ALL.to_vec()), statuses()).prop_map(|(by, to)| Command::Step(by, to)),
        news.prop_map(Command::Hear),
        Just(Command::Autopilot),
        Just(Command::Sweep),
        (0_u64..5_000).prop_map(Command::Wait),
    ]
}

/// What every order looks like after every command.
fn is_sound(order: &Progress, model: &Model, now: Timestamp) {
    assert_eq!((order.status, order.paid_at.is_some()), (model.status, model.paid));
    assert_eq!(order.history.last().map(|step| step.status), Some(order.status));
    assert_eq!(order.history.first().map(|step| step.status), Some(Pending));
    for pair in order.history.windows(2) {
        assert!(pair[0].status.may_become(pair[1].status), "{pair:?}");
        assert!(pair[0].at <= pair[1].at, "{pair:?}");
    }
    assert_eq!(order.history.iter().any(|step| step.status == Paid), model.paid);
    // Nobody's order is only one that waits for nobody.
    let waits = !order.status.is_final() || model.waits_for_refund();
    assert_eq!((order.holder.is_some(), order.deadline.is_some()), (waits, waits), "{order:?}");
    assert_eq!(order.due_at.is_some(), !order.autopilot().is_empty());
    assert_eq!(order.refund_due(), model.paid && matches!(model.status, Cancelled | Rejected));
    assert_eq!(order.gives_stock_back(), matches!(model.status, Cancelled | Rejected | PaymentFailed));
    assert!(order.updated_at <= now);
}

fn apply(order: &mut Progress, model: &mut Model, command: Command, now: &mut Timestamp, chance: &Chance) {
    match command {
        Command::Wait(seconds) => *now = *now + Duration::from_secs(seconds),
        Command::Step(by, to) => assert_eq!(order.step(by, to, None, *now, chance), model.moves(by, to)),
        Command::Hear(news) => {
            let before = model.status;
            let goal = match news {
                News::Charged => Paid,
                News::ChargeFailed(_) => PaymentFailed,
                News::CourierAssigned => Assigned,
                News::PickedUp => PickedUp,
                News::Delivered => Delivered,
                News::Refunded => {
                    assert_eq!(order.refunded(), model.waits_for_refund());
                    model.refunded |= matches!(model.status, Cancelled | Rejected) && model.paid;
                    return;
                }
            };
            for to in order.hear(&news) {
                assert_eq!(order.step(Actor::Platform, to, None, *now, chance), model.moves(Actor::Platform, to), "{news:?}");
            }
            // Either it led there, or the order was somewhere from where it cannot.
            let reachable = match goal {
                Paid | PaymentFailed => before == Pending,
                Assigned => before == Ready,
                PickedUp => matches!(before, Ready | Assigned),
                _ => matches!(before, Ready | Assigned | PickedUp),
            };
            assert_eq!(model.status, if reachable { goal } else { before }, "{news:?}");
        }
        Command::Autopilot => {
            let before = model.status;
            for to in order.autopilot() {
                assert_eq!(order.step(Actor::Kitchen, *to, None, *now, chance), model.moves(Actor::Kitchen, *to));
            }
            let expected = match before {
                Paid | Accepted => Preparing,
                Preparing => Ready,
                other => other,
            };
            assert_eq!(model.status, expected);
        }
        Command::Sweep => {
            if order.deadline.is_none_or(|deadline| deadline > *now) {
                return;
            }
            match order.overdue(*now) {
                Overdue::Remind(status) => {
                    assert!(order.history.iter().any(|step| step.status == status), "only what happened is told again");
                    order.reminded(*now);
                    assert!(order.deadline.is_some_and(|deadline| deadline > *now));
                    let by_itself = matches!(order.status, Pending | Cancelled | Rejected);
                    assert_eq!(order.holder, Some(if by_itself { Holder::Payment } else { Holder::Operator }));
                }
                Overdue::End(to, why) => {
                    assert_eq!(order.step(Actor::Platform, to, Some(why.to_owned()), *now, chance), model.moves(Actor::Platform, to));
                    assert!(order.status.is_final() && order.reason.is_some());
                }
                Overdue::Settled => panic!("{order:?} has a deadline and waits for nothing"),
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_order_goes_the_ways_of_the_table_and_no_other(commands in prop::collection::vec(commands(), 1..60), seed in any::<u64>()) {
        let chance = Chance::seeded(seed);
        let mut now = MORNING;
        let mut order = Progress::new(now);
        let mut model = Model { status: Pending, paid: false, refunded: false };
        for command in commands {
            apply(&mut order, &mut model, command, &mut now, &chance);
            is_sound(&order, &model, now);
        }
    }

    #[test]
    fn an_order_that_is_only_swept_comes_to_an_end_or_to_an_operator(steps in 0_usize..8, seed in any::<u64>()) {
        let chance = Chance::seeded(seed);
        let mut now = MORNING;
        let mut order = Progress::new(now);
        for to in [Paid, Accepted, Preparing, Ready, Assigned, PickedUp, Delivered].into_iter().take(steps) {
            let by = if Actor::Platform.may_make(to) { Actor::Platform } else { Actor::Kitchen };
            order.step(by, to, None, now, &chance).unwrap();
        }
        let mut rounds = 0;
        while let Some(deadline) = order.deadline.filter(|_| order.holder != Some(Holder::Operator) && !order.status.is_final()) {
            now = deadline;
            match order.overdue(now) {
                Overdue::Remind(_) => order.reminded(now),
                Overdue::End(to, why) => order.step(Actor::Platform, to, Some(why.to_owned()), now, &chance).unwrap(),
                Overdue::Settled => panic!("{order:?}"),
            }
            rounds += 1;
            prop_assert!(rounds <= 11);
        }
    }
}

#[test]
fn the_table_says_what_the_wire_type_says() {
    for from in OrderStatus::ALL {
        for to in OrderStatus::ALL.into_iter().filter(|to| *to != from) {
            assert_eq!(MOVES.iter().any(|(one, other, _)| (*one, *other) == (from, to)), from.may_become(to), "{from:?} to {to:?}");
        }
    }
}

#[test]
fn a_charge_is_asked_for_every_minute_and_given_up_after_ten() {
    let chance = Chance::seeded(1);
    let mut order = Progress::new(MORNING);
    for minute in 1..10 {
        let now = MORNING + Duration::from_secs(60 * minute);
        assert_eq!((order.deadline, order.overdue(now)), (Some(now), Overdue::Remind(Pending)), "minute {minute}");
        order.reminded(now);
        assert_eq!(order.holder, Some(Holder::Payment));
    }
    let end = MORNING + Duration::from_secs(600);
    assert_eq!(order.overdue(end), Overdue::End(Cancelled, super::NOT_CHARGED));
    order.step(Actor::Platform, Cancelled, Some(super::NOT_CHARGED.to_owned()), end, &chance).unwrap();
    assert!(!order.refund_due() && order.deadline.is_none());
}

#[test]
fn the_autopilot_takes_a_moment_to_look_and_some_to_cook() {
    let chance = Chance::seeded(1);
    for _ in 0..200 {
        let mut order = Progress::new(MORNING);
        order.step(Actor::Platform, Paid, None, MORNING, &chance).unwrap();
        assert!((1_000..=3_000).contains(&(order.due_at.unwrap().millis() - MORNING.millis())));
        for to in order.autopilot() {
            order.step(Actor::Kitchen, *to, None, MORNING, &chance).unwrap();
        }
        assert!((4_000..=9_000).contains(&(order.due_at.unwrap().millis() - MORNING.millis())));
    }
}

#[test]
fn a_clock_that_goes_back_does_not_turn_history_round() {
    let chance = Chance::seeded(1);
    let mut order = Progress::new(MORNING + Duration::from_secs(5));
    order.step(Actor::Platform, Paid, None, MORNING, &chance).unwrap();
    assert_eq!(order.updated_at, MORNING + Duration::from_secs(5));
}
