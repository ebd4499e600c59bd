use super::State::{Completed, Failed, Refunded, Refunding, Void, Voiding};
use super::*;
use contract::geo::Location;
use proptest::prelude::*;
use testkit::MORNING;

const PRICE: Money = Money::from_cents(1_599);

fn fact(reason: Option<&str>) -> OrderFact {
    OrderFact {
        total: PRICE,
        units: 2,
        customer_name: "Ada".to_owned(),
        user: None,
        payment_method: "card".to_owned(),
        pricing: None,
        restaurant_name: "Cosmic Coffee".to_owned(),
        lines: Vec::new(),
        from: Location::default(),
        to: Location::default(),
        refund: false,
        reason: reason.map(str::to_owned),
    }
}

fn event(fact: Fact) -> Event {
    let mut event = Event::new("o1".into(), "cosmic-coffee".into(), "Berlin", MORNING, fact);
    event.session = Some("s1".to_owned());
    event.synthetic = true;
    event
}

fn take(payment: &mut Option<Payment>, event: &Event) {
    let (happened, fact) = happened(event).unwrap();
    match payment {
        Some(payment) => {
            payment.step(&happened, MORNING);
        }
        None => *payment = Payment::begin(event, &happened, fact, MORNING),
    }
}

fn ordered() -> Event {
    event(Fact::OrderCreated(fact(None)))
}

fn payment() -> Payment {
    let mut payment = None;
    take(&mut payment, &ordered());
    payment.unwrap()
}

fn declined() -> Happened {
    Happened::Declined("The card was declined.".to_owned())
}

#[test]
fn a_payment_goes_its_way() {
    let ended = || Happened::Ended(None);
    let ways: [(&[Happened], &[State]); 8] = [
        (&[Happened::Charged], &[Completed]),
        (&[declined()], &[Failed]),
        (&[Happened::Charged, ended(), Happened::Returned], &[Completed, Refunding, Refunded]),
        (&[ended(), Happened::NothingTaken], &[Voiding, Void]),
        (&[ended(), Happened::Returned], &[Voiding, Refunded]),
        (&[ended(), Happened::Charged, Happened::Returned], &[Voiding, Refunding, Refunded]),
        (&[ended(), declined()], &[Voiding, Void]),
        (&[ended(), Happened::Closed], &[Voiding, Void]),
    ];
    for (steps, states) in ways {
        let mut payment = payment();
        for (happened, state) in steps.iter().zip(states) {
            assert!(payment.step(happened, MORNING), "{happened:?} in {steps:?}");
            assert_eq!(payment.state, *state, "{happened:?} in {steps:?}");
        }
        assert_eq!(payment.state.wants(), None);
        assert_eq!(payment.charged_at.is_some(), payment.state.is_charged());
    }
}

#[test]
fn an_order_that_ended_before_it_began_is_never_charged() {
    let mut payment = None;
    take(&mut payment, &event(Fact::OrderCancelled(fact(Some("Changed my mind")))));
    take(&mut payment, &ordered());
    let payment = payment.unwrap();
    assert_eq!((payment.state, payment.state.wants(), payment.reason.as_deref()), (Void, None, Some("Changed my mind")));
}

#[test]
fn hearing_the_same_again_changes_nothing() {
    for happened in [Happened::Charged, declined()] {
        let mut payment = payment();
        assert!(payment.step(&happened, MORNING));
        let before = payment.clone();
        assert!(!payment.step(&happened, MORNING + LEASE));
        assert!(!payment.step(&Happened::Ordered, MORNING + LEASE));
        assert_eq!(payment, before);
    }
}

#[test]
fn the_others_hear_how_it_ended_and_whose_it_was() {
    let mut payment = payment();
    assert_eq!(payment.news(MORNING), None);
    payment.step(&Happened::Charged, MORNING);
    let news = payment.news(MORNING).unwrap();
    assert_eq!(news.fact, Fact::PaymentCompleted(PaymentFact { amount: PRICE, reason: None }));
    assert_eq!((news.id.as_str(), news.session.as_deref(), news.synthetic), ("o1/payment.completed", Some("s1"), true));

    payment.step(&Happened::Ended(None), MORNING);
    assert_eq!(payment.news(MORNING), None);
    payment.step(&Happened::Returned, MORNING);
    assert_eq!(payment.news(MORNING).unwrap().fact.kind(), "payment.refunded");
}

#[test]
fn a_charge_that_failed_says_why() {
    let mut payment = payment();
    payment.step(&declined(), MORNING);
    let Some(Fact::PaymentFailed(fact)) = payment.news(MORNING).map(|news| news.fact) else { panic!("no news") };
    assert_eq!(fact.reason.as_deref(), Some("The card was declined."));
}

#[test]
fn the_bank_is_asked_again_after_longer_and_longer_but_not_too_long() {
    let mut payment = payment();
    let mut pauses = Vec::new();
    for _ in 0..8 {
        payment.put_off(MORNING);
        pauses.push(payment.due_at.since(MORNING).as_millis());
    }
    assert_eq!(pauses, [250, 500, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000]);
    payment.attempts = u32::MAX;
    payment.put_off(MORNING);
    assert_eq!(payment.due_at, MORNING + LONGEST_BACK_OFF);
}

#[test]
fn every_state_reads_back_from_its_word() {
    for state in State::ALL {
        assert_eq!(State::from_text(state.as_str()), Some(state));
    }
}

#[test]
fn a_day_is_read_or_refused() {
    assert_eq!((day_number("1970-01-01"), day_number("1970-01-02"), day_number("2025-11-20")), (Some(0), Some(1), Some(20_412)));
    for wrong in ["", "today", "2025-11-31", "2025-1-20", "20251120xx", "2025-11-20T00:00:00Z"] {
        assert_eq!(day_number(wrong), None, "{wrong}");
    }
}

/// What a bank does under one key, as small as it can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bank {
    Untouched,
    Took,
    Declined,
    Closed,
    GaveBack,
}

impl Bank {
    fn asked(&mut self, ask: Ask, good_card: bool) -> Happened {
        match (ask, &self) {
            (Ask::Charge, Self::Untouched) => *self = if good_card { Self::Took } else { Self::Declined },
            (Ask::Refund, Self::Untouched) => *self = Self::Closed,
            (Ask::Refund, Self::Took) => *self = Self::GaveBack,
            _ => {}
        }
        match (ask, &self) {
            (Ask::Charge, Self::Took | Self::GaveBack) => Happened::Charged,
            (Ask::Charge, Self::Declined) => declined(),
            (Ask::Charge, _) => Happened::Closed,
            (Ask::Refund, Self::GaveBack) => Happened::Returned,
            (Ask::Refund, _) => Happened::NothingTaken,
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Move {
    HearOrder,
    HearEnd,
    /// Somebody reads what is to be done and sets out to the bank.
    SetOut,
    /// The n-th of those under way arrives at the bank.
    Arrive(usize),
    /// The n-th answer under way reaches our books.
    Answer(usize),
    /// The process dies: nobody is under way any more.
    Crash,
}

fn moves() -> impl Strategy<Value = Move> {
    prop_oneof![
        Just(Move::HearOrder),
        Just(Move::HearEnd),
        Just(Move::SetOut),
        (0..4_usize).prop_map(Move::Arrive),
        (0..4_usize).prop_map(Move::Answer),
        Just(Move::Crash),
    ]
}

struct World {
    payment: Option<Payment>,
    bank: Bank,
    good_card: bool,
    ended: bool,
    on_the_way: Vec<Ask>,
    answers: Vec<Happened>,
    told: Vec<&'static str>,
}

impl World {
    fn answer(&mut self, happened: &Happened) {
        let Some(payment) = &mut self.payment else { return };
        if payment.step(happened, MORNING) {
            self.told.extend(payment.news(MORNING).map(|news| news.fact.kind()));
        }
    }

    fn make(&mut self, next: Move) {
        match next {
            Move::HearOrder => take(&mut self.payment, &ordered()),
            Move::HearEnd => {
                self.ended = true;
                take(&mut self.payment, &event(Fact::OrderRejected(fact(None))));
            }
            Move::SetOut => self.on_the_way.extend(self.payment.as_ref().and_then(|payment| payment.state.wants())),
            Move::Arrive(n) if n < self.on_the_way.len() => {
                let ask = self.on_the_way.remove(n);
                let answer = self.bank.asked(ask, self.good_card);
                self.answers.push(answer);
            }
            Move::Answer(n) if n < self.answers.len() => {
                let answer = self.answers.remove(n);
                self.answer(&answer);
            }
            Move::Arrive(_) | Move::Answer(_) => {}
            Move::Crash => {
                self.on_the_way.clear();
                self.answers.clear();
            }
        }
    }

    /// The worker goes on until there is nothing to do.
    fn settle(&mut self) {
        self.make(Move::HearOrder);
        while !self.on_the_way.is_empty() {
            self.make(Move::Arrive(0));
        }
        while !self.answers.is_empty() {
            self.make(Move::Answer(0));
        }
        while let Some(ask) = self.payment.as_ref().and_then(|payment| payment.state.wants()) {
            let answer = self.bank.asked(ask, self.good_card);
            self.answer(&answer);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 4_000, ..ProptestConfig::default() })]

    /// Whatever comes in whatever order, and whoever dies on the way.
    #[test]
    fn charges_less_refunds_are_what_stands(good_card in any::<bool>(), path in prop::collection::vec(moves(), 0..24)) {
        let mut world = World {
            payment: None, bank: Bank::Untouched, good_card, ended: false, on_the_way: Vec::new(), answers: Vec::new(), told: Vec::new(),
        };
        for next in path {
            world.make(next);
        }
        world.settle();
        let state = world.payment.as_ref().unwrap().state;
        let ours = (state.is_charged(), state == Refunded);
        let banks = (matches!(world.bank, Bank::Took | Bank::GaveBack), world.bank == Bank::GaveBack);
        prop_assert_eq!(ours, banks, "our books and the bank's");
        let stands = good_card && !world.ended;
        prop_assert_eq!(banks.0 && !banks.1, stands, "money for an order that stands, and for no other");
        if stands {
            prop_assert_eq!(world.told, ["payment.completed"]);
        } else {
            prop_assert_eq!(world.told.iter().filter(|kind| **kind == "payment.refunded").count(), usize::from(banks.1));
        }
    }
}
