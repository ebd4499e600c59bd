//! Stock and quotes on every store they live in: one suite for all, one model for all, and what only some can go through.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod durable;
mod fickle;
mod model;
mod quotes;
mod shelf;
mod stock;

use shelf::Shelf;

testkit::conformance! {
    backends { memory: Shelf::in_memory, sqlite: Shelf::in_sqlite, postgres: Shelf::in_postgres, redis: Shelf::in_redis }
    facts in stock {
        an_item_begins_with_its_first_take,
        an_item_nobody_asked_for_has_no_level,
        levels_are_sorted_by_item,
        a_level_is_what_it_was_set_to,
        taking_more_than_there_is_takes_nothing,
        the_last_one_can_be_taken,
        an_item_is_filled_up_below_fifty_and_not_before,
        nothing_is_filled_up_unless_chance_said_so,
        a_take_that_is_refused_fills_nothing_up,
        numbers_too_large_for_any_kitchen_are_simply_not_there,
        of_sixty_four_who_want_one_of_ten_exactly_ten_get_it,
        of_sixty_four_who_want_ten_at_once_nobody_is_sold_what_is_not_there,
        a_reservation_takes_every_line,
        a_reservation_counts_what_it_filled_up,
        a_reservation_takes_all_or_nothing,
        a_refused_reservation_is_not_remembered,
        a_repeated_reservation_is_answered_as_before_and_takes_nothing,
        of_sixteen_equal_reservations_one_takes,
        concurrent_reservations_of_two_items_never_oversell_either,
        released_stock_is_back,
        a_reservation_that_is_released_twice_is_given_back_once,
        of_sixteen_equal_releases_one_gives_back,
        a_reservation_after_its_release_takes_nothing,
        a_release_before_its_reservation_makes_it_take_nothing,
        reservations_and_releases_that_meet_lose_nothing,
        a_confirmed_reservation_is_answered_as_confirmed_and_stays_taken,
        a_confirmed_reservation_can_still_be_given_back_once,
        confirming_passes_over_what_is_unknown_confirmed_or_released,
        confirming_nothing_is_no_error,
        names_of_any_script_are_kept,
        a_store_that_is_down_is_unavailable_and_changes_nothing,
    }
}

mod journal {
    use super::*;

    testkit::conformance! {
        backends { sqlite: Shelf::in_sqlite, postgres: Shelf::in_postgres, redis: Shelf::in_redis }
        facts in durable {
            movements_add_up_to_the_levels,
            every_movement_says_what_it_was,
            a_refused_take_moves_nothing,
            levels_are_the_same_after_a_restart,
            an_open_reservation_is_given_back_after_a_restart_once,
            a_confirmed_reservation_is_confirmed_after_a_restart,
            a_reservation_that_was_confirmed_long_before_a_restart_is_given_back_once,
            a_released_reservation_takes_nothing_after_a_restart,
        }
    }
}

mod shared {
    use super::*;

    testkit::conformance! {
        backends { redis: Shelf::in_redis }
        facts in durable {
            a_settled_reservation_is_known_for_a_week_and_an_open_one_until_it_is_settled,
        }
    }
}

mod written {
    use super::*;

    testkit::conformance! {
        backends { sqlite: Shelf::in_sqlite, postgres: Shelf::in_postgres }
        facts in durable {
            settled_reservations_are_forgotten_in_steps_and_open_ones_are_not,
            the_stock_table_is_the_sum_of_all_movements,
            a_database_that_refuses_one_step_refuses_that_step_alone,
            a_reservation_that_the_database_refuses_takes_none_of_its_lines_and_may_be_repeated,
        }
    }
}

mod prices {
    use super::*;
    use quotes::Quotes;

    testkit::conformance! {
        backends { memory: Quotes::in_memory, redis: Quotes::in_redis }
        facts in quotes {
            a_quote_is_read_back_as_it_was_made,
            a_quote_that_never_was_is_not_found,
            a_quote_ends_after_five_minutes_however_often_it_is_read,
            text_of_any_script_is_kept,
            a_store_that_is_down_is_unavailable_and_forgets_nothing,
        }
    }
}
