//! The order book in SQLite, on a file and in memory, and in PostgreSQL: one suite for all, and what only some can go through.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod accepting;
mod boards;
mod books;
mod growing;
mod history;
mod ledger;
mod life;
mod listing;
mod moving;
mod outbox;
mod reopening;
mod replicas;

use books::Books;

testkit::conformance! {
    backends { file: Books::in_a_file, memory: Books::in_memory, postgres: Books::in_postgres }
    facts in accepting {
        a_first_request_starts,
        a_request_that_is_being_worked_on_is_told_so,
        a_request_that_was_given_up_is_told_which_until_it_is_forgotten,
        a_repeated_request_is_answered_with_its_order_as_it_was_accepted,
        another_body_under_the_same_key_is_noticed,
        another_key_for_a_cart_that_is_being_ordered_is_told_so,
        another_key_for_an_ordered_cart_is_told_its_order,
        keys_of_two_clients_do_not_meet,
        of_sixteen_equal_requests_one_starts,
        of_sixteen_requests_for_one_cart_one_starts,
        a_committed_order_is_found_with_its_owner,
        an_order_that_never_was_is_not_found,
        a_commit_without_an_intent_stores_nothing,
        a_commit_after_its_abort_stores_nothing,
        an_abort_after_its_commit_changes_nothing,
        an_order_is_committed_once,
        of_a_commit_and_an_abort_that_meet_one_wins,
        an_abort_may_be_repeated,
        a_discarded_intent_leaves_key_and_cart_free,
        only_an_intent_can_be_discarded,
        a_forgotten_abort_leaves_key_and_cart_free,
        only_an_abort_can_be_forgotten,
        old_intents_are_stale_and_whatever_was_given_up,
        the_oldest_intents_are_stale_first,
        forgotten_answers_keep_their_orders,
        recent_answers_and_intents_are_not_forgotten,
        two_hundred_concurrent_orders_are_all_stored,
        an_order_that_cannot_be_written_fails_alone,
        text_of_any_script_is_kept,
        a_store_that_is_down_is_unavailable_and_changes_nothing,
    }
}

mod lists {
    use super::*;

    testkit::conformance! {
        backends { file: Books::in_a_file, memory: Books::in_memory, postgres: Books::in_postgres }
        facts in listing {
            a_session_sees_its_own_orders_newest_first,
            a_stranger_sees_nothing_and_an_operator_everything,
            pages_have_no_gaps_and_no_repeats_while_orders_arrive,
            orders_of_a_name_are_those_of_that_name_alone,
            names_are_listed_once_and_sorted,
            names_are_paged_without_gaps,
            lists_are_read_while_orders_are_written,
        }
    }
}

mod statuses {
    use super::*;

    testkit::conformance! {
        backends { file: Books::in_a_file, memory: Books::in_memory, postgres: Books::in_postgres }
        facts in moving {
            an_order_moves_along_its_way,
            a_move_that_is_not_allowed_changes_nothing,
            an_order_that_never_was_does_not_move,
            of_sixteen_moves_that_exclude_each_other_one_is_made,
        }
    }
}

mod tasks {
    use super::*;

    testkit::conformance! {
        backends { file: Books::in_a_file, memory: Books::in_memory, postgres: Books::in_postgres }
        facts in outbox {
            an_accepted_order_has_its_stock_to_confirm_and_its_cart_to_clear,
            a_task_is_due_from_its_moment_on,
            a_delivered_task_is_gone,
            a_task_that_failed_is_put_off_longer_each_time_but_not_for_ever,
            the_task_that_waits_longest_comes_first,
            settling_what_is_settled_is_no_error,
        }
    }
}

mod histories {
    use super::*;

    testkit::conformance! {
        backends { file: Books::in_a_file, postgres: Books::in_postgres }
        facts in history {
            asking_for_each_order_by_itself_answers_the_same_pages,
        }
    }
}

mod processes {
    use super::*;

    testkit::conformance! {
        backends { file: Books::in_a_file, postgres: Books::in_postgres }
        facts in reopening {
            accepted_orders_and_their_answers_and_tasks_survive_reopening,
            intents_that_a_process_left_behind_are_stale_in_the_next_one,
            a_database_that_is_opened_twice_is_one_book,
        }
    }

    testkit::conformance! {
        backends { file_of_orders: Books::in_a_file, postgres_of_orders: Books::in_postgres }
        facts in life { what_is_due_and_what_is_overdue_survive_reopening }
    }
}

mod lives {
    use super::*;

    testkit::conformance! {
        backends { file: Books::in_a_file, memory: Books::in_memory, postgres: Books::in_postgres }
        facts in life {
            every_step_is_told_and_a_refused_one_is_not,
            an_intent_that_is_not_committed_is_not_told,
            what_ends_without_food_gives_its_stock_back_once_and_says_whether_money_goes_back,
            a_reason_is_kept_and_told,
            a_move_is_told_in_the_trace_of_whoever_made_it,
            who_may_not_make_a_move_does_not,
            many_moves_at_once_are_all_made_and_told_once,
            kitchens_cook_what_is_due_and_nothing_else,
            a_kitchen_whose_autopilot_is_off_is_passed_over_and_nobody_behind_it_waits,
            the_sweep_takes_what_is_overdue_longest_and_no_more_than_it_may,
        }
    }
}

mod kitchens {
    use super::*;

    testkit::conformance! {
        backends { file: Books::in_a_file, memory: Books::in_memory, postgres: Books::in_postgres }
        facts in boards {
            a_board_has_every_order_in_its_column_oldest_first,
            a_board_is_bounded_and_shows_the_newest,
            claimed_orders_change_hands_and_others_do_not,
            a_fresh_start_leaves_nothing_and_everything_works_again,
        }
    }
}

mod sums {
    use super::*;

    testkit::conformance! {
        backends { file: Books::in_a_file, memory: Books::in_memory, postgres: Books::in_postgres }
        facts in ledger {
            the_books_say_what_a_count_of_all_orders_says,
            what_moved_of_late_is_recent_for_half_a_minute,
            rows_that_are_planted_by_hand_count,
            what_is_open_says_who_has_it,
            no_more_is_listed_as_open_than_anybody_reads,
            an_overdue_order_that_nobody_has_is_counted,
        }
    }
}
