//! Deliveries in SQLite, on a file and in memory, and in PostgreSQL: one suite for all; what only some can go through; and the service.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod assigning;
mod books;
mod by_hand;
mod desk;
mod flags;
mod replicas;
mod riding;
mod service;

use desk::Desk;

mod queues {
    use super::*;

    testkit::conformance! {
        backends { file: Desk::in_a_file, memory: Desk::in_memory, postgres: Desk::in_postgres }
        facts in assigning {
            every_city_of_the_platform_begins_with_forty_free_couriers,
            a_city_nobody_knew_gets_its_couriers_with_its_first_order,
            an_order_that_is_ready_waits_and_is_expected,
            the_nearest_free_courier_of_the_city_rides,
            the_oldest_orders_ride_first_and_nobody_carries_two,
            an_order_that_arrives_twice_is_one_delivery,
            whoever_waits_behind_others_is_expected_later,
            a_long_queue_calls_freelancers_who_leave_when_it_is_gone,
            a_courier_who_left_is_still_named_by_the_delivery,
            thousands_that_wait_are_all_delivered_once,
        }
    }
}

mod rides {
    use super::*;

    testkit::conformance! {
        backends { file: Desk::in_a_file, memory: Desk::in_memory, postgres: Desk::in_postgres }
        facts in riding {
            a_ride_goes_to_the_restaurant_and_then_to_the_door,
            every_step_is_told_once_with_all_that_others_need,
            nothing_moves_before_it_is_due,
            a_courier_is_where_the_way_has_brought_them,
            a_courier_is_free_where_the_customer_is,
            deliveries_of_yesterday_are_not_of_today,
            a_tick_without_work_changes_nothing,
            text_of_any_script_is_kept,
        }
    }
}

mod people {
    use super::*;

    testkit::conformance! {
        backends { file: Desk::in_a_file, memory: Desk::in_memory, postgres: Desk::in_postgres }
        facts in by_hand {
            a_courier_by_hand_gets_orders_and_is_waited_for,
            the_person_makes_every_step,
            the_same_request_makes_one_step,
            autopilot_takes_over_what_is_five_minutes_late,
            whoever_goes_back_to_autopilot_rides_on_at_once,
            whoever_takes_over_on_the_way_is_waited_for,
            nobody_moves_what_another_carries,
            a_courier_nobody_knows_cannot_be_set,
        }
    }
}

mod ledgers {
    use super::*;

    testkit::conformance! {
        backends { file: Desk::in_a_file, memory: Desk::in_memory, postgres: Desk::in_postgres }
        facts in books {
            totals_follow_the_deliveries,
            totals_follow_a_row_that_is_planted_or_removed_by_hand,
            what_moved_within_thirty_seconds_is_recent,
            what_is_open_is_named_oldest_first_with_its_owner,
            a_reset_leaves_the_first_couriers_and_nothing_else,
            what_was_completed_long_ago_is_forgotten_and_its_sums_stay,
            thousands_are_forgotten_in_steps_and_nothing_that_is_open_or_young,
            a_reset_after_something_was_forgotten_begins_at_nothing,
            a_store_that_is_down_is_unavailable_and_forgets_nothing,
        }
    }
}

mod faults {
    use super::*;

    testkit::conformance! {
        backends { file: Desk::in_a_file, memory: Desk::in_memory, postgres: Desk::in_postgres }
        facts in flags {
            while_nobody_rides_orders_wait_and_afterwards_the_oldest_ride_first,
            while_half_stay_home_the_others_ride,
            only_those_whom_the_flag_reaches_wait,
            couriers_of_one_city_ride_slowly_and_others_do_not,
            whoever_is_on_the_way_rides_on_as_usual_when_the_slowdown_is_over,
        }
    }
}

mod processes {
    use super::*;

    testkit::conformance! {
        backends { file: Desk::in_a_file, postgres: Desk::in_postgres }
        facts in books {
            rides_go_on_in_the_next_process,
        }
    }
}
