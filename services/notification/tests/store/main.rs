//! The book of messages on a file, in memory and on a real PostgreSQL: one suite for all.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod books;
mod hearing;
mod keeping;
mod sending;

use books::Books;

testkit::conformance! {
    backends { file: Books::in_a_file, memory: Books::in_memory, postgres: Books::in_postgres }
    facts in hearing {
        a_step_becomes_its_messages,
        the_same_event_is_told_once,
        what_is_not_wanted_is_not_written,
        an_account_decides_before_its_session,
        a_refund_is_told_to_whom_the_order_belonged,
        a_refund_in_the_batch_of_its_order_is_told_too,
        a_refund_of_an_unknown_order_is_told_all_the_same,
        text_of_any_script_is_kept,
    }
}

mod way {
    use super::*;

    testkit::conformance! {
        backends { file: Books::in_a_file, memory: Books::in_memory, postgres: Books::in_postgres }
        facts in sending {
            a_message_is_sent_once,
            a_message_that_was_put_off_is_due_later,
            what_is_due_is_taken_up_by_one,
            a_message_that_failed_is_not_tried_again,
            totals_follow_what_happens,
            a_row_that_was_planted_counts,
            what_moved_within_half_a_minute_is_recent,
            what_waits_is_open_oldest_first,
        }
    }
}

mod shelf {
    use super::*;

    testkit::conformance! {
        backends { file: Books::in_a_file, memory: Books::in_memory, postgres: Books::in_postgres }
        facts in keeping {
            messages_are_listed_newest_first_without_gaps,
            messages_of_an_order_are_those_of_that_order_alone,
            messages_of_a_channel_or_of_an_order_by_its_end_are_paged_alone,
            everything_is_wanted_unless_said_otherwise,
            old_messages_are_removed_and_stay_in_the_sums,
            whom_a_refund_concerns_is_forgotten_in_time,
            a_reset_keeps_what_people_want,
            a_store_that_is_down_is_unavailable_and_changes_nothing,
        }
    }
}
