//! What the tests stand on: days of input, the program as a person runs it, rows as they come out, and the naive
//! reference.

pub mod browser;
pub mod delta;
pub mod described;
#[cfg(target_os = "linux")]
pub mod faults;
pub mod input;
pub mod nights;
pub mod one_day;
pub mod output;
pub mod places;
pub mod program;
pub mod random;
pub mod reference;
#[cfg(target_os = "linux")]
pub mod scenario;
#[cfg(target_os = "linux")]
pub mod scenarios;
pub mod store;
pub mod tables;
pub mod tamper;
pub mod text;
pub mod version_1;
pub mod zones;
