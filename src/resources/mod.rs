//! Floor 1, what a command may take of the machine: memory, threads, and scratch files on disk.

pub mod memory;
mod scratch;
pub mod threads;

pub use scratch::Scratch;
