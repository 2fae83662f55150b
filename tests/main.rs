//! All integration tests, in one binary. They share no code with the program but its public interface; what they expect they work out by
//! themselves, in `support::reference`.

#![cfg(test)]
mod support;

mod audit;
mod backfilling;
mod backups;
mod bad_rows;
mod bit_flips;
mod commands;
#[cfg(target_os = "linux")]
mod crashing;
mod decoding;
mod determinism;
#[cfg(target_os = "linux")]
mod failing_disk;
mod faults;
mod fixture;
mod input_types;
mod manifest;
mod many_customers;
mod memory;
mod migrating;
mod model;
mod publishing;
mod readers;
mod reading_beside;
mod refusals;
mod removal;
mod removal_faults;
mod report;
mod schemas;
mod stale;
mod summaries;
mod tidy;
mod verifying;
mod zones;
