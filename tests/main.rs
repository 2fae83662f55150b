//! All integration tests, in one binary. They share no code with the program but its public interface; what they expect
//! they work out by themselves, in `support::reference`.

#![cfg(test)]
mod support;

/// The code of the program as a part of this crate: it compiles, so it uses nothing of the library but its facade.
#[expect(dead_code, reason = "compiled, and run as the program only")]
#[path = "../src/cli/mod.rs"]
mod cli;

mod at_urls;
mod audit;
mod backfilling;
mod backups;
mod backups_at_urls;
mod bad_rows;
mod bit_flips;
mod cancelling;
mod columns;
mod commands;
mod configuration;
mod crafted_tables;
#[cfg(target_os = "linux")]
mod crashing;
mod decoding;
mod delta;
mod determinism;
mod diffing;
mod documented;
mod duplicates;
mod escaping;
#[cfg(target_os = "linux")]
mod exclusive;
mod explaining;
mod exported_csv;
#[cfg(target_os = "linux")]
mod failing_disk;
mod far_actions;
mod faults;
mod file_kinds;
mod first_ingests;
mod fixture;
mod getting;
mod guide;
mod imports;
mod input_types;
mod irregular;
mod layouts;
mod manifest;
mod manifest_fixture;
mod many_batches;
mod many_customers;
mod memory;
mod memory_input;
mod memory_of_commands;
mod migrating;
mod mistakes;
mod model;
mod one_judge;
mod orders;
mod ownership;
mod packaging;
mod pages;
mod publishing;
mod read_while_replaced;
mod readers;
mod reading_beside;
mod refusals;
mod removal;
mod removal_faults;
mod removed_batches;
mod report;
mod row_batches;
mod row_rules;
mod same_values;
mod schemas;
mod scripts;
mod scrubbing;
mod shapes;
mod sharded;
mod shell;
mod signals;
mod stale;
mod summaries;
mod table_folders;
mod taken_twice;
mod text_faults;
mod text_ids;
mod text_inputs;
mod text_memory;
mod text_vocabulary;
mod tidy;
mod tight_limits;
mod together;
mod urls;
mod verifying;
mod verifying_in_ranges;
mod vocabulary;
mod whole_files;
mod workspace;
mod zone_rules;
mod zone_sources;
mod zones;
