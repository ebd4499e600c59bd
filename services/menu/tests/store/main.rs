//! The menu service on a file, in memory and on a real PostgreSQL, its cache on a real Redis.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod books;
mod cache;
mod editing;
mod house;
mod kitchen;
mod rights;
mod selling;

use books::Books;
use house::House;

testkit::conformance! {
    backends { file: House::in_a_file, memory: House::in_memory, postgres: House::in_postgres }
    facts in editing {
        an_empty_database_begins_with_the_menus_the_platform_comes_with,
        a_restaurant_is_changed_field_by_field,
        a_paused_restaurant_is_closed_at_once,
        a_restaurant_closes_and_opens_by_its_new_hours,
        a_new_dish_is_on_the_menu_under_an_id_made_of_its_name,
        a_dish_that_is_there_is_not_added_again,
        two_restaurants_may_have_a_dish_of_one_name,
        a_dish_is_replaced,
        price_and_availability_are_changed_alone,
        a_deleted_dish_is_gone_from_every_address,
        what_cannot_be_on_a_menu_is_refused_and_changes_nothing,
        what_is_not_there_is_not_found,
        a_menu_has_an_end,
        edits_of_different_fields_at_once_all_survive,
        of_many_who_add_the_same_dish_one_does,
        a_reset_brings_back_the_menus_the_platform_comes_with,
        a_changed_body_has_another_tag,
        a_store_that_is_down_refuses_changes_and_leaves_the_menus,
        without_the_cache_menus_are_right_and_a_database_that_is_down_is_seen,
    }
}

mod who {
    use super::*;

    testkit::conformance! {
        backends { file: House::in_a_file, postgres: House::in_postgres }
        facts in rights {
            nobody_changes_a_restaurant_but_its_staff_and_operators,
            strangers_are_refused_before_their_body_is_read,
            only_operators_reset,
            changes_are_audited_by_account_and_never_by_name,
            edits_are_there_after_a_restart,
        }
    }
}

mod tickets {
    use super::*;

    testkit::conformance! {
        backends { file: Books::in_a_file, memory: Books::in_memory, postgres: Books::in_postgres }
        facts in kitchen {
            an_order_that_was_paid_has_a_ticket_that_is_open,
            an_order_that_was_never_paid_has_none,
            a_ticket_ends_when_it_is_delivered,
            whatever_ends_a_ticket_without_food_refunds_it,
            one_batch_makes_the_same_books_as_many,
            tickets_are_numbered_by_the_restaurants_own_day,
            figures_are_of_the_restaurants_own_day,
            half_hour_zones_have_whole_hours,
            rows_that_were_planted_count,
            what_moved_of_late_is_named,
            items_ordered_together_are_counted_in_pairs,
            a_banquet_makes_few_pairs,
            old_roll_ups_are_forgotten_and_totals_are_not,
        }
    }
}

mod whole {
    use super::*;

    testkit::conformance! {
        backends { memory: House::in_memory, postgres: House::in_postgres }
        facts in selling {
            paid_orders_reach_figures_recommendations_and_ledger,
            a_reset_forgets_what_was_sold,
        }
    }
}
