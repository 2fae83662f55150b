//! All integration tests, in one binary. They share no code with the program but its public interface; what they expect they work out by
//! themselves, in `support::reference`.

#![cfg(test)]
mod support;

mod backfilling;
mod bad_rows;
mod commands;
#[cfg(target_os = "linux")]
mod crashing;
mod determinism;
#[cfg(target_os = "linux")]
mod failing_disk;
mod fixture;
mod input_types;
mod migrating;
mod model;
mod publishing;
mod readers;
mod reading_beside;
mod refusals;
mod removal;
mod tidy;
mod zones;
