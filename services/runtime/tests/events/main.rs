//! Events from outbox to handler, on the bus in memory and on a real Redis, with SQLite and with a real PostgreSQL.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot be set up has failed")]

mod bus;
mod flow;
mod jobs;
mod outage;
mod proof;
mod trouble;
mod world;

use world::{Buses, World};

mod travelling {
    use super::*;

    testkit::conformance! {
        backends { memory: Buses::in_memory, redis: Buses::in_redis }
        facts in bus {
            every_group_gets_every_event_in_order,
            an_event_published_before_its_consumer_started_arrives,
            an_event_that_was_not_acknowledged_comes_again,
            what_was_acknowledged_does_not_come_again,
            what_a_dead_consumer_held_is_taken_over_first,
            of_two_readers_of_a_group_one_reads,
            a_read_is_bounded,
            a_reader_hears_of_an_event_while_it_waits,
            a_publisher_waits_for_the_slowest_group_and_nothing_is_lost,
            rows_are_settled_when_they_are_of_no_more_use,
            a_tail_sees_what_is_published_from_now_on,
            a_tail_that_is_too_slow_is_told_what_it_missed,
            how_far_a_group_is_behind_is_known,
        }
    }
}

mod arriving {
    use super::*;

    testkit::conformance! {
        backends { memory_and_sqlite: World::embedded, redis_and_sqlite: World::split, redis_and_postgres: World::at_scale }
        facts in flow {
            what_a_transaction_tells_arrives_at_every_handler,
            what_a_failed_transaction_tells_arrives_nowhere,
            an_event_emitted_twice_is_applied_once,
            events_of_one_order_keep_their_order,
            a_handler_hears_of_its_kinds_alone,
            an_event_may_cause_another_one,
            a_service_that_was_down_catches_up,
            an_outbox_row_survives_a_restart_until_every_group_acknowledged,
            the_outbox_is_empty_when_everything_arrived,
            a_thousand_orders_arrive_in_few_transactions,
        }
    }
}

mod failing {
    use super::*;

    testkit::conformance! {
        backends { memory_and_sqlite: World::embedded, redis_and_sqlite: World::split, redis_and_postgres: World::at_scale }
        facts in trouble {
            a_poisoned_event_is_parked_and_the_next_ones_go_on,
            an_event_that_cannot_be_read_is_parked,
            a_handler_that_panics_parks_the_event,
            a_statement_that_can_never_succeed_is_parked,
            an_event_that_fails_for_a_while_holds_up_its_order_alone,
            a_database_that_fails_is_waited_for,
            a_parked_event_can_be_replayed,
            a_parked_event_that_fails_again_stays_parked,
            parked_events_are_shown_page_by_page_to_operators_alone,
            how_far_a_service_is_behind_is_shown,
            whoever_is_held_back_by_a_flag_goes_on_when_it_is_cleared,
        }
    }
}

mod scheduled {
    use super::*;

    testkit::conformance! {
        backends { sqlite: World::embedded, postgres: World::at_scale }
        facts in jobs {
            work_runs_at_once_and_then_every_period,
            work_with_a_short_period_ticks,
            work_that_fails_is_due_again_soon,
            the_last_run_is_kept_over_a_restart,
            work_that_was_missed_while_nobody_ran_is_done_soon_after_a_start,
        }
    }
}
