//! What comes on top of the lines and off them: the way to the door, and promotions.

use contract::pricing::{Charge, Gift, Promotion, Way};
use contract::{ApiError, Code, Money, Timestamp};

/// Nearer than this, the courier walks over for nothing.
pub const FREE_WITHIN_M: u32 = 500;

/// Up to the first kilometre, then for every further one that is begun.
const FIRST_KM: Money = Money::from_cents(190);
const NEXT_KM: Money = Money::from_cents(60);

/// Nobody pays more for the way than this: further out, the restaurant bears the rest.
const MOST: Money = Money::from_cents(690);

/// The fee for the way; `None` when nothing is known of it or it is next door.
pub fn delivery(way: Option<&Way>) -> Option<Charge> {
    let distance_m = way?.from.distance_m(way?.to);
    if distance_m <= FREE_WITHIN_M {
        return None;
    }
    let further_km = distance_m.saturating_sub(1_000).div_ceil(1_000);
    let amount = (FIRST_KM + NEXT_KM.times(further_km)).min(MOST);
    Some(Charge { name: format!("Delivery, {}.{} km", distance_m / 1_000, distance_m % 1_000 / 100), amount })
}

/// The same way for nothing: it stays on the receipt, which says why it costs nothing.
pub fn on_the_house(fee: &Charge) -> Charge {
    Charge { name: format!("{}: on the house", fee.name), amount: Money::ZERO }
}

/// What a promotion takes off.
///
/// # Errors
/// `PROMOTION_NOT_APPLICABLE`: not active, over, or the order is too small.
pub fn promotion(promotion: &Promotion, subtotal: Money, delivery: Option<&Charge>, now: Timestamp) -> Result<Charge, ApiError> {
    let refused = |why: String| Err(ApiError::new(Code::PromotionNotApplicable, why));
    if !promotion.active || promotion.ends_at.is_some_and(|end| end <= now) {
        return refused(format!("{} is over", promotion.code));
    }
    if subtotal < promotion.minimum {
        return refused(format!("{} is for orders of {} and more", promotion.code, promotion.minimum));
    }
    let amount = match promotion.gives {
        Gift::Percent { percent } => subtotal.ratio(i64::from(percent.min(100)), 100),
        Gift::Amount { amount } => amount.min(subtotal),
        Gift::FreeDelivery => match delivery.filter(|fee| fee.amount > Money::ZERO) {
            Some(fee) => fee.amount,
            None => return refused(format!("{} is for the delivery, and yours is free already", promotion.code)),
        },
    };
    Ok(Charge { name: format!("{}: {}", promotion.code, promotion.says), amount })
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::geo::Location;
    use proptest::prelude::*;

    fn way(metres: i32) -> Way {
        Way { city: "Berlin".into(), from: Location { x: 0, y: 0 }, to: Location { x: metres, y: 0 } }
    }

    fn fee(metres: i32) -> i64 {
        delivery(Some(&way(metres))).map_or(0, |charge| charge.amount.cents())
    }

    fn code(gives: Gift, minimum: i64) -> Promotion {
        Promotion { code: "COMET".into(), says: "a gift".into(), gives, minimum: Money::from_cents(minimum), ends_at: None, active: true }
    }

    #[test]
    fn the_way_costs_by_the_kilometre_and_never_more_than_its_limit() {
        for (metres, cents) in
            [(0, 0), (500, 0), (501, 190), (1_000, 190), (1_001, 250), (2_000, 250), (2_001, 310), (9_000, 670), (9_999, 690)]
        {
            assert_eq!(fee(metres), cents, "{metres} m");
        }
        assert_eq!(delivery(None), None);
        assert_eq!(delivery(Some(&way(3_290))).unwrap().name, "Delivery, 3.2 km");
    }

    #[test]
    fn a_promotion_gives_what_it_says() {
        let now = Timestamp::from_millis(1_000);
        let subtotal = Money::from_cents(1_995);
        let off = |gives, minimum| promotion(&code(gives, minimum), subtotal, delivery(Some(&way(900))).as_ref(), now);
        assert_eq!(off(Gift::Percent { percent: 10 }, 0).unwrap().amount.cents(), 200); // 199.5, half up
        assert_eq!(off(Gift::Amount { amount: Money::from_cents(9_999) }, 0).unwrap().amount, subtotal);
        assert_eq!(off(Gift::FreeDelivery, 0).unwrap().amount.cents(), 190);
        assert_eq!(off(Gift::Percent { percent: 10 }, 2_000).unwrap_err().code, Code::PromotionNotApplicable);
    }

    #[test]
    fn a_promotion_ends() {
        let ended = Promotion { ends_at: Some(Timestamp::from_millis(5)), ..code(Gift::Percent { percent: 10 }, 0) };
        let off = |now| promotion(&ended, Money::from_cents(1_000), None, Timestamp::from_millis(now));
        assert!(off(4).is_ok());
        assert!(off(5).is_err());
        let off = promotion(&Promotion { active: false, ..ended.clone() }, Money::from_cents(1_000), None, Timestamp::from_millis(0));
        assert!(off.is_err());
        assert!(promotion(&code(Gift::FreeDelivery, 0), Money::from_cents(1_000), None, Timestamp::from_millis(0)).is_err());
    }

    proptest! {
        #[test]
        fn no_promotion_takes_off_more_than_there_is(cents in 0i64..1_000_000, percent: u8, amount in 0i64..2_000_000, metres in 0i32..14_000) {
            let (subtotal, fee) = (Money::from_cents(cents), delivery(Some(&way(metres))));
            for gives in [Gift::Percent { percent }, Gift::Amount { amount: Money::from_cents(amount) }, Gift::FreeDelivery] {
                if let Ok(off) = promotion(&code(gives, 0), subtotal, fee.as_ref(), Timestamp::from_millis(0)) {
                    let whole = subtotal.cents() + fee.as_ref().map_or(0, |fee| fee.amount.cents());
                    prop_assert!((0..=whole).contains(&off.amount.cents()));
                }
            }
        }
    }
}
