//! The suite of [`Store`]: what each call needs and what is so afterwards.

use std::time::Duration;

use async_trait::async_trait;

use super::promise::{Promise, promises, run};
use super::{Broken, Kept};
use crate::policy::Policy;
use crate::store::Store;

mod amending;
mod bench;
mod catalogue;
mod claiming;
mod creating;
mod details;
mod figures;
mod history;
mod listing;
mod outbox;
mod releasing;
mod saving;
mod slots;
mod taking;
mod tokens;
mod upkeep;
mod waking;

use bench::Bench;

/// A store without builds, and its time.
#[async_trait]
pub trait StoreGround: Send + Sync + 'static {
    /// The store under test, the same each time.
    fn store(&self) -> &dyn Store;

    /// The policy it was made with. Promises are tried with its `lease`, `min_gap` and `tau`; a gap of a second leaves a
    /// store that is not in memory enough time for two calls.
    fn policy(&self) -> Policy;

    /// Lets so much time pass by the store's clock; not noticeably more.
    async fn pass(&self, time: Duration);
}

/// Tries every promise of [`Store`], each on what `make` gives: a ground whose store is empty.
///
/// # Errors
/// `Broken` names the promises that were broken.
pub async fn store<G: StoreGround, F: Future<Output = G>>(make: impl Fn() -> F) -> Result<Kept, Broken> {
    run("Store", PROMISES, make, |ground: &G| ground as &dyn StoreGround).await
}

const PROMISES: &[Promise<dyn StoreGround>] = promises![Bench:
    creating::a_new_build_has_its_first_trace_row_and_event_and_is_due_at_once,
    creating::the_builds_of_a_submission_come_in_the_order_given,
    creating::a_submission_that_is_taken_creates_nothing,
    creating::the_same_key_and_content_give_the_same_builds,
    creating::a_key_that_comes_with_other_content_is_refused,
    creating::what_a_key_got_is_known_with_what_existed_before,
    creating::notes_are_the_first_log_lines_of_new_builds,
    creating::the_dist_index_is_the_smallest_id_of_the_same_version_and_scratchness,
    creating::a_resumed_build_goes_on_with_trace_event_and_audit,
    creating::a_stale_resumption_creates_nothing,
    creating::what_is_unknown_is_not_found,
    creating::of_an_unknown_build_there_is_no_trace_log_or_audit,
    saving::a_save_keeps_the_record_and_raises_the_revision_by_one,
    saving::components_get_ids_of_their_own_and_keep_them,
    saving::what_changes_in_a_record_is_kept_and_what_goes_is_gone,
    saving::transitions_go_to_the_trace_and_become_events_in_order,
    saving::log_lines_are_kept_in_order_with_the_time_of_the_store,
    saving::without_the_lease_nothing_is_saved,
    saving::after_a_person_nothing_is_saved,
    saving::beyond_the_limit_nothing_is_saved,
    saving::the_lease_is_checked_first_then_the_revision_then_the_slots,
    saving::a_record_that_cannot_come_from_the_loaded_one_is_refused,
    history::a_line_belongs_to_the_component_it_speaks_of_and_to_its_build,
    history::logs_are_given_newest_first_page_by_page,
    history::every_change_of_a_components_state_is_kept,
    taking::an_import_is_ready_at_once_and_nobody_is_told,
    taking::an_import_overwrites_what_is_finished_and_keeps_its_id,
    taking::an_import_never_overwrites_what_is_under_way,
    taking::restored_records_are_as_they_were_and_nobody_is_told,
    taking::after_a_restoration_ids_and_changes_count_on,
    taking::a_restoration_that_meets_something_restores_nothing,
    amending::an_amendment_is_saved_with_trace_event_and_audit_and_is_due_at_once,
    amending::after_another_save_nothing_is_amended,
    amending::an_amendment_may_not_raise_the_slots_held,
    amending::an_amendment_during_a_look_is_looked_at_soon,
    slots::the_limit_holds_over_all_builds,
    slots::a_failed_build_counts_until_its_attempts_end,
    slots::a_lowered_limit_refuses_more_and_nothing_else,
    slots::without_a_limit_nothing_is_refused,
    slots::freed_slots_make_as_many_in_line_due_and_nobody_else,
    slots::slots_freed_beyond_a_lowered_limit_make_nobody_due,
    slots::who_leaves_the_line_hands_its_slot_on,
    slots::who_frees_a_slot_is_not_made_due_by_it,
    slots::the_line_goes_by_priority_then_turn_and_held_slots_cost_time,
    slots::a_priority_that_a_person_gives_counts_in_line,
    claiming::nobody_else_claims_a_build_before_its_lease_expires,
    claiming::the_oldest_due_is_claimed_first_and_no_more_than_asked,
    claiming::a_claim_tells_the_time_of_the_store_and_a_later_token,
    claiming::a_renewed_lease_lives_its_full_length_again,
    claiming::a_lease_is_good_for_its_worker_and_token_only,
    claiming::a_worker_that_restarts_voids_its_own_leases_only,
    claiming::the_next_due_is_known_and_counts_leases_that_may_be_abandoned,
    releasing::a_released_build_is_due_when_it_said,
    releasing::a_release_without_a_time_sleeps_until_woken,
    releasing::a_release_says_why_and_makes_no_revision,
    releasing::a_release_without_the_lease_does_nothing,
    waking::a_wake_makes_due_but_not_before_the_gap,
    waking::a_wake_never_postpones_a_look,
    waking::a_wake_during_a_look_is_worth_one_look_after_the_gap,
    waking::hints_name_builds_by_id_tag_build_tag_and_task,
    waking::everything_is_what_is_under_way,
    listing::builds_are_listed_page_by_page,
    listing::every_column_of_builds_is_filtered_by,
    listing::every_column_of_builds_sorts_both_ways,
    listing::every_column_of_components_is_filtered_by,
    listing::a_listed_component_tells_what_the_record_says,
    listing::builds_are_found_by_base_module_and_virtual_stream,
    listing::a_summary_is_that_of_the_record,
    catalogue::known_builds_are_found_by_identity,
    catalogue::modules_are_found_by_stream_name_identity_and_tag,
    catalogue::module_rows_tell_virtual_streams_and_base_modules,
    catalogue::reuse_candidates_are_others_of_the_stream_last_completed_first,
    catalogue::a_reuse_candidate_that_is_named_is_the_only_one,
    catalogue::scratch_builds_are_counted_by_the_beginning_of_their_context,
    catalogue::unfinished_builds_are_found_by_name_stream_and_version,
    details::details_are_those_of_the_record_its_trace_and_its_base_modules,
    outbox::of_each_build_the_oldest_unacknowledged_event_is_given,
    outbox::each_sink_has_its_own_position,
    outbox::acknowledging_twice_or_out_of_order_is_fine,
    outbox::published_events_come_by_their_numbers_to_any_reader,
    outbox::one_worker_at_a_time_has_the_seat_of_a_sink,
    figures::figures_tell_states_slots_and_what_is_due,
    figures::endings_are_counted_and_never_forgotten,
    figures::figures_tell_what_each_sink_lacks,
    figures::what_stands_still_is_known_longest_first,
    upkeep::settings_hold_and_each_look_sees_them,
    upkeep::a_raised_limit_makes_as_many_in_line_due,
    upkeep::what_was_paused_or_drained_goes_on_at_once,
    upkeep::who_changed_what_is_kept_until_it_is_trimmed,
    upkeep::trimming_takes_old_lines_and_keys_and_events_that_every_sink_has,
    tokens::a_token_is_found_by_its_digest_and_each_use_is_noted,
    tokens::an_expired_token_counts_no_longer,
    tokens::a_revoked_token_counts_no_longer,
    tokens::tokens_are_listed_by_id_and_each_is_kept_once,
];
