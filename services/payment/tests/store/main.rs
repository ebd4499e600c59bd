//! The books and the bank's books on a file, in memory and on a real PostgreSQL: one suite for all, and what only a file can go through.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod bank;
mod books;
mod ledger;
mod payments;
mod reopening;

use books::Books;

testkit::conformance! {
    backends { file: Books::in_a_file, memory: Books::in_memory, postgres: Books::in_postgres }
    facts in payments {
        an_order_that_is_placed_waits_for_the_bank,
        an_order_that_never_was_has_no_payment,
        hearing_the_same_again_changes_nothing,
        an_order_that_ended_before_it_began_is_never_charged,
        an_order_that_ends_in_the_same_batch_is_called_off,
        the_banks_answer_stays_and_is_told,
        an_answer_that_comes_twice_is_told_once,
        an_answer_about_nothing_changes_nothing,
        an_order_that_ended_while_the_bank_was_asked_gets_its_money_back,
        what_is_due_is_taken_up_by_one,
        what_was_put_off_is_due_later_each_time,
        what_is_done_is_not_due,
        three_hundred_answers_at_once_are_all_written,
        text_of_any_script_is_kept,
        a_store_that_is_down_is_unavailable_and_changes_nothing,
    }
}

mod sums {
    use super::*;

    testkit::conformance! {
        backends { file: Books::in_a_file, memory: Books::in_memory, postgres: Books::in_postgres }
        facts in ledger {
            totals_follow_what_happens,
            a_row_that_was_planted_counts,
            what_moved_within_half_a_minute_is_recent,
            what_waits_for_the_bank_is_open_oldest_first,
            a_restaurant_is_paid_for_what_stands,
            a_refund_counts_for_the_day_of_its_charge,
            a_reset_leaves_nothing,
        }
    }
}

mod the_bank {
    use super::*;

    testkit::conformance! {
        backends { file: Books::in_a_file, memory: Books::in_memory, postgres: Books::in_postgres }
        facts in bank {
            a_key_is_charged_once_however_often_it_is_asked,
            what_was_taken_is_given_back_once,
            a_refund_that_comes_first_closes_the_key,
            test_cards_are_declined_for_good,
            of_a_charge_and_a_refund_that_meet_nothing_is_left,
            the_bank_counts_its_own_money,
            a_bank_whose_books_are_down_does_not_answer,
        }
    }
}
