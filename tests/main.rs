//! All integration tests, in one binary. They share no code with the program but its public interface; what they expect they work out by
//! themselves, in `support::reference`.

#![cfg(test)]
mod support;

mod audit;
mod backfilling;
mod bad_rows;
mod commands;
mod determinism;
mod fixture;
mod input_types;
mod manifest;
mod migrating;
mod model;
mod publishing;
mod readers;
mod reading_beside;
mod refusals;
mod stale;
mod tidy;
mod zones;
