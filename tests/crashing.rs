//! Killed, or without power, at each call that changes files: what is there is as before the command or as after it,
//! and the next run ends as if nothing had happened. In two passes: the first sees the calls of the undisturbed run,
//! the second stops at each of them.

use crate::support::faults::{At, ENDED, Fault};
use crate::support::random::{Random, seed};
use crate::support::scenario::Scenario;
use crate::support::scenarios;

/// Stops a command wherever it can be stopped.
fn stopped_anywhere(scenario: &Scenario) {
    let seed = seed(17);
    let mut stopped = 0;
    for fault in [Fault::Kill, Fault::Torn, Fault::Power, Fault::PowerKeepingNames] {
        for number in fault.points(&scenario.calls, &mut Random::new(seed)) {
            let ran = scenario.disturbed(fault, At::Call(number));
            let at = scenario.ground.trace().last().cloned();
            let point = format!("{}, {fault:?} at call {number} ({at:?}), seed {seed}", scenario.command);
            // A thread in the background may have come to fewer calls than in the first pass, or nothing comes behind
            // the last sync.
            assert!(ran.code == ENDED || ran.code == 0, "{point}: exit code {}: {}", ran.code, ran.stderr);
            stopped += usize::from(ran.code == ENDED);
            if ran.code == 0 {
                scenario.check_done(&point);
            }
            scenario.check_whole(&point);
            scenario.check_next_run(&point);
        }
    }
    for fault in [Fault::Power, Fault::PowerKeepingNames] {
        let ran = scenario.disturbed(fault, At::End);
        let point = format!("{}, {fault:?} after it", scenario.command);
        assert_eq!(ran.code, 0, "{point}: {}", ran.stderr);
        scenario.check_done(&point);
        scenario.check_next_run(&point);
    }
    eprintln!("{}: {} calls, stopped {stopped} times", scenario.command, scenario.calls.len());
    assert!(stopped > 20, "{}: stopped only {stopped} times", scenario.command);
}

#[test]
fn a_first_batch_comes_with_its_store() {
    stopped_anywhere(&scenarios::first_batch());
}

#[test]
fn a_new_batch_comes_whole_or_not_at_all() {
    stopped_anywhere(&scenarios::new_batch());
}

#[test]
fn a_batch_is_replaced_whole_or_not_at_all() {
    stopped_anywhere(&scenarios::replaced_batch());
}

#[test]
fn a_compaction_that_is_stopped_loses_nothing() {
    stopped_anywhere(&scenarios::batch_with_compaction());
}

#[test]
fn a_quarantine_comes_whole_or_not_at_all() {
    stopped_anywhere(&scenarios::batch_with_quarantine());
}

#[test]
fn a_new_partition_comes_whole_or_not_at_all() {
    stopped_anywhere(&scenarios::new_partition());
}

#[test]
fn a_partition_is_replaced_whole_or_not_at_all() {
    stopped_anywhere(&scenarios::replaced_partition());
}

#[test]
fn a_new_partition_of_a_delta_table_comes_whole_or_not_at_all() {
    stopped_anywhere(&scenarios::new_delta_partition());
}

#[test]
fn a_partition_of_a_delta_table_is_replaced_whole_or_not_at_all() {
    stopped_anywhere(&scenarios::replaced_delta_partition());
}

#[test]
fn a_partition_of_a_delta_table_is_scrubbed_or_not() {
    stopped_anywhere(&scenarios::scrubbed_delta_partition());
}

#[test]
fn a_backfill_stands_at_one_of_its_steps() {
    stopped_anywhere(&scenarios::backfill());
}

#[test]
fn a_customer_is_forgotten_or_not() {
    stopped_anywhere(&scenarios::forgotten_customer());
}

#[test]
fn a_partition_is_scrubbed_or_not() {
    stopped_anywhere(&scenarios::scrubbed_partition());
}

#[test]
fn days_are_pruned_or_not() {
    stopped_anywhere(&scenarios::pruned_days());
}

#[test]
fn a_batch_is_removed_or_not() {
    stopped_anywhere(&scenarios::removed_batch());
}

#[test]
fn a_store_of_version_1_is_migrated_step_by_step() {
    stopped_anywhere(&scenarios::migration_from(1));
}

#[test]
fn a_store_of_version_2_is_migrated_step_by_step() {
    stopped_anywhere(&scenarios::migration_from(2));
}

#[test]
fn a_store_of_version_3_is_migrated_or_not() {
    stopped_anywhere(&scenarios::migration_from(3));
}

#[test]
fn a_store_of_version_4_is_migrated_or_not() {
    stopped_anywhere(&scenarios::migration_from(4));
}

#[test]
fn newer_rules_of_the_zone_are_taken_or_not() {
    stopped_anywhere(&scenarios::taken_zone_rules());
}
