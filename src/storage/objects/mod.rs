//! Object stores: S3, Google Cloud Storage and Azure, behind calls that wait. [`Objects`] is what lies below one URL.
//!
//! Every request is made again after a failure in passing, within [`RequestLimits`]; a request that may have been done
//! although its answer was lost is one that can be done twice, or whose effect is looked at.

mod attempts;
mod below;
mod connect;
mod error;
mod fetch;
mod list;
mod proxy;
mod put;
mod requests;
mod scratch_files;
mod store;

pub(crate) use below::Objects;
pub(crate) use fetch::{Fetch, FetchedFile};
pub(crate) use list::{Found, Level};
pub(crate) use put::{Version, Written};
pub(crate) use requests::Requests;
pub use requests::{RequestCounts, RequestLimits};
