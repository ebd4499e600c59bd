//! Who takes which order.

use contract::geo::Location;

/// Gives the nearest free courier to each order, oldest order first, until one of the two runs out. Answers positions: (order, courier).
/// Of couriers that are as far, the first one rides. `may` says whether this courier can take this order at all; an order that nobody
/// can take lets the younger ones pass.
///
/// This is the one place where assignment is decided. A matching that is best for all orders together would be shorter over all and
/// let an old order wait for the sake of younger ones.
pub fn assign(waiting: &[Location], free: &[Location], may: impl Fn(usize, usize) -> bool) -> Vec<(usize, usize)> {
    let mut taken = vec![false; free.len()];
    let mut rides = Vec::with_capacity(waiting.len().min(free.len()));
    for (order, restaurant) in waiting.iter().enumerate() {
        if rides.len() == free.len() {
            break;
        }
        let able = free.iter().enumerate().filter(|(courier, _)| !taken[*courier] && may(order, *courier));
        let Some((courier, _)) = able.min_by_key(|(_, place)| place.distance_m(*restaurant)) else { continue };
        taken[courier] = true;
        rides.push((order, courier));
    }
    rides
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::geo::CITY_SIDE_M;
    use proptest::prelude::*;
    use std::collections::HashSet;

    fn anybody(_: usize, _: usize) -> bool {
        true
    }

    fn places() -> impl Strategy<Value = Vec<Location>> {
        proptest::collection::vec((0..CITY_SIDE_M, 0..CITY_SIDE_M).prop_map(|(x, y)| Location { x, y }), 0..30)
    }

    #[test]
    fn of_couriers_that_are_as_far_the_first_one_rides() {
        let here = Location { x: 5, y: 5 };
        assert_eq!(assign(&[here, here], &[here, here, here], anybody), [(0, 0), (1, 1)]);
    }

    proptest! {
        #[test]
        fn nobody_carries_two_and_no_order_has_two_couriers(waiting in places(), free in places()) {
            let rides = assign(&waiting, &free, anybody);
            let orders: HashSet<usize> = rides.iter().map(|(order, _)| *order).collect();
            let couriers: HashSet<usize> = rides.iter().map(|(_, courier)| *courier).collect();
            prop_assert_eq!(orders.len(), rides.len());
            prop_assert_eq!(couriers.len(), rides.len());
        }

        #[test]
        fn the_oldest_orders_ride_and_nobody_stands_idle_beside_a_queue(waiting in places(), free in places()) {
            let orders: Vec<usize> = assign(&waiting, &free, anybody).into_iter().map(|(order, _)| order).collect();
            prop_assert_eq!(orders, (0..waiting.len().min(free.len())).collect::<Vec<_>>());
        }

        #[test]
        fn whoever_cannot_take_an_order_does_not_and_nobody_waits_for_an_order_that_nobody_can_take(
            waiting in places(), free in places(), held: u32, home: u32
        ) {
            let may = |order: usize, courier: usize| (held >> order) & 1 == 0 || (home >> courier) & 1 == 0;
            let rides = assign(&waiting, &free, may);
            prop_assert!(rides.iter().all(|(order, courier)| may(*order, *courier)));
            let orders: HashSet<usize> = rides.iter().map(|(order, _)| *order).collect();
            let idle = (0..free.len()).any(|courier| rides.iter().all(|(_, rider)| *rider != courier));
            let open_to_all = |order: &usize| (held >> *order) & 1 == 0;
            prop_assert!(!idle || (0..waiting.len()).filter(open_to_all).all(|order| orders.contains(&order)));
        }

        #[test]
        fn each_order_gets_the_nearest_of_those_whom_older_ones_left(waiting in places(), free in places()) {
            let mut gone = HashSet::new();
            for (order, courier) in assign(&waiting, &free, anybody) {
                let distance = |courier: usize| free[courier].distance_m(waiting[order]);
                let nearest = (0..free.len()).filter(|other| !gone.contains(other)).map(distance).min();
                prop_assert_eq!(Some(distance(courier)), nearest);
                gone.insert(courier);
            }
        }
    }
}
