//! Numbers and sentences for people: see [`crate::text`].

pub(super) use crate::text::{count, counted, odd, size};
