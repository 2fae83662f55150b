//! All integration tests, in one binary. They share no code with the program but its public interface; what they expect they work out by
//! themselves, in `support::reference`.

#![cfg(test)]
mod support;

mod backfilling;
mod bad_rows;
mod bit_flips;
mod commands;
mod decoding;
mod determinism;
mod faults;
mod fixture;
mod input_types;
mod migrating;
mod model;
mod publishing;
mod readers;
mod reading_beside;
mod refusals;
mod tidy;
mod verifying;
mod zones;
