//! Carts in memory and in a real Redis: one suite for both, and what only Redis can go through.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod carts;
mod outage;

use carts::Carts;

testkit::conformance! {
    backends { memory: Carts::in_memory, redis: Carts::in_redis }
    facts in carts {
        a_cart_is_read_back_as_it_was_created,
        a_cart_that_never_was_is_not_found,
        a_change_is_answered_and_stays,
        a_change_sees_the_change_before_it,
        a_refused_change_leaves_the_cart_as_it_was,
        a_deleted_cart_is_answered_once_and_gone,
        carts_do_not_meet,
        an_expired_cart_is_not_found,
        an_expired_cart_is_neither_changed_nor_deleted,
        reading_a_cart_prolongs_its_hour,
        changing_a_cart_prolongs_its_hour,
        a_refused_change_prolongs_its_hour,
        a_cart_used_while_carts_live_shorter_is_gone_after_that_time,
        a_cart_nobody_touched_keeps_its_hour_and_off_gives_it_back,
        text_of_any_script_is_kept,
        fifty_concurrent_additions_of_different_dishes_all_survive,
        fifty_concurrent_additions_to_one_line_all_survive,
        concurrent_additions_past_the_limit_are_refused_and_the_others_survive,
        of_many_who_delete_a_cart_one_is_answered_with_it,
        a_store_that_is_down_is_unavailable_and_forgets_nothing,
        another_store_that_is_down_does_not_matter,
    }
}
