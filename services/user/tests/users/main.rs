//! Accounts and log-ins: the store on SQLite and PostgreSQL by one suite, the service as the gateway calls it, and the tokens of an issuer.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot be set up has failed")]

mod accounts;
mod books;
mod doors;
mod people;
mod sessions;
mod tokens;

use books::Books;

testkit::conformance! {
    backends { file: Books::in_a_file, memory: Books::in_memory, postgres: Books::in_postgres }
    facts in accounts {
        an_account_is_found_by_its_id_and_by_its_address,
        an_address_has_one_account,
        of_sixteen_accounts_with_one_address_one_is_made,
        a_change_of_profile_leaves_the_rest_as_it_was,
        text_of_any_script_is_kept,
        a_person_of_an_issuer_has_one_account,
        what_the_issuer_says_later_counts,
        an_address_in_a_token_leads_to_nobodys_account,
        the_demonstration_is_seeded_once_and_in_its_order,
        a_reset_leaves_the_demonstration_as_it_began,
        a_store_that_is_down_is_unavailable,
    }
}

mod log_ins {
    use super::*;

    testkit::conformance! {
        backends { file: Books::in_a_file, memory: Books::in_memory, postgres: Books::in_postgres }
        facts in sessions {
            a_log_in_leads_to_its_account,
            a_log_in_of_nobody_is_not_opened,
            a_log_in_that_ended_leads_nowhere,
            a_log_in_that_was_not_seen_for_long_counts_no_more,
            a_use_prolongs_a_log_in_and_never_shortens_it,
            a_new_password_ends_all_log_ins_but_one,
            a_password_changes_once_for_each_old_one,
            old_log_ins_are_forgotten_and_recent_ones_stay,
            log_ins_go_with_their_account,
        }
    }
}

mod reopened {
    use super::*;

    testkit::conformance! {
        backends { file: Books::in_a_file, postgres: Books::in_postgres }
        facts in sessions { accounts_and_log_ins_survive_a_restart, a_replica_knows_what_another_wrote }
    }
}
