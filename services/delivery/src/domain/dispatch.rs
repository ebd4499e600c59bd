//! Who takes which order.

use contract::geo::Location;

/// Gives the nearest free courier to each order, oldest order first, until one of the two runs out. Answers positions: (order, courier).
/// Of couriers that are as far, the first one rides.
///
/// This is the one place where assignment is decided. A matching that is best for all orders together would be shorter over all and
/// let an old order wait for the sake of younger ones.
pub fn assign(waiting: &[Location], free: &[Location]) -> Vec<(usize, usize)> {
    let mut taken = vec![false; free.len()];
    let mut rides = Vec::with_capacity(waiting.len().min(free.len()));
    for (order, restaurant) in waiting.iter().enumerate().take(free.len()) {
        let still_free = free.iter().enumerate().filter(|(courier, _)| !taken[*courier]);
        let Some((courier, _)) = still_free.min_by_key(|(_, place)| place.distance_m(*restaurant)) else { break };
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

    fn places() -> impl Strategy<Value = Vec<Location>> {
        proptest::collection::vec((0..CITY_SIDE_M, 0..CITY_SIDE_M).prop_map(|(x, y)| Location { x, y }), 0..30)
    }

    #[test]
    fn of_couriers_that_are_as_far_the_first_one_rides() {
        let here = Location { x: 5, y: 5 };
        assert_eq!(assign(&[here, here], &[here, here, here]), [(0, 0), (1, 1)]);
    }

    proptest! {
        #[test]
        fn nobody_carries_two_and_no_order_has_two_couriers(waiting in places(), free in places()) {
            let rides = assign(&waiting, &free);
            let orders: HashSet<usize> = rides.iter().map(|(order, _)| *order).collect();
            let couriers: HashSet<usize> = rides.iter().map(|(_, courier)| *courier).collect();
            prop_assert_eq!(orders.len(), rides.len());
            prop_assert_eq!(couriers.len(), rides.len());
        }

        #[test]
        fn the_oldest_orders_ride_and_nobody_stands_idle_beside_a_queue(waiting in places(), free in places()) {
            let orders: Vec<usize> = assign(&waiting, &free).into_iter().map(|(order, _)| order).collect();
            prop_assert_eq!(orders, (0..waiting.len().min(free.len())).collect::<Vec<_>>());
        }

        #[test]
        fn each_order_gets_the_nearest_of_those_whom_older_ones_left(waiting in places(), free in places()) {
            let mut gone = HashSet::new();
            for (order, courier) in assign(&waiting, &free) {
                let distance = |courier: usize| free[courier].distance_m(waiting[order]);
                let nearest = (0..free.len()).filter(|other| !gone.contains(other)).map(distance).min();
                prop_assert_eq!(Some(distance(courier)), nearest);
                gone.insert(courier);
            }
        }
    }
}
