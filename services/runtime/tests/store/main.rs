//! The parts that stores are made of.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod bench;
mod on_disk;
mod server;
mod shared;
mod values;
mod writing;

use bench::Bench;

testkit::conformance! {
    backends { file: Bench::in_a_file, memory: Bench::in_memory, postgres: Bench::in_postgres }
    facts in writing {
        a_job_is_answered_when_it_is_written,
        jobs_that_arrive_together_share_transactions,
        jobs_that_are_handed_over_in_order_are_written_in_order_whoever_waits,
        a_queue_that_is_full_is_an_error_at_once,
        a_job_that_fails_fails_alone,
        a_job_that_panics_fails_alone_and_the_writer_goes_on,
        a_writer_ends_with_what_it_was_given,
        writers_of_one_database_do_not_disturb_each_other,
        readers_do_not_see_what_is_not_committed_or_wait_for_it,
        a_single_statement_is_written_beside_the_writers,
        databases_do_not_meet,
    }
}

mod sql {
    use super::*;

    testkit::conformance! {
        backends { file: Bench::in_a_file, memory: Bench::in_memory, postgres: Bench::in_postgres }
        facts in values {
            text_numbers_and_nothing_come_back_as_they_went_in,
            nothing_may_stand_for_text_and_for_a_number_in_one_statement,
            a_column_of_another_kind_is_an_error_and_not_a_panic,
            rows_of_a_batch_are_one_statement,
            lists_are_one_parameter,
            sums_and_comparisons_are_numbers,
            names_are_compared_by_their_bytes_where_the_schema_says_so,
            a_row_may_be_locked_to_be_changed,
        }
    }
}

mod reopened {
    use super::*;

    testkit::conformance! {
        backends { file: Bench::in_a_file, postgres: Bench::in_postgres }
        facts in writing {
            what_was_written_is_there_for_the_next_process,
            a_later_schema_is_added_to_what_is_there,
            tables_are_emptied_as_a_whole_and_their_triggers_run_for_what_comes_after,
        }
    }
}
