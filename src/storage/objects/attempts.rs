//! Requests that are made again after a failure in passing.

use std::path::Path;
use std::time::Duration;

use super::below::Objects;
use super::error::{Failure, failed};
use super::requests::RequestLimits;
use crate::error::{Error, Result};

/// The wait before the second attempt; each further one is twice as long, up to [`WAIT_MAX`].
const WAIT_MIN: Duration = Duration::from_millis(100);
const WAIT_MAX: Duration = Duration::from_secs(10);

/// The attempts of one request. Waits are not drawn by lot: few requests of one command run at once.
pub(super) struct Attempts {
    limits: RequestLimits,
    made: u32,
    waited: Duration,
}

impl Attempts {
    pub(super) fn new(limits: RequestLimits) -> Self {
        Attempts { limits, made: 1, waited: Duration::ZERO }
    }

    /// How many were made.
    pub(super) fn made(&self) -> u32 {
        self.made
    }

    /// Waits before the next attempt; `false` if there may be none after this failure.
    pub(super) async fn again(&mut self, failure: Failure) -> bool {
        let wait = WAIT_MIN.saturating_mul(2_u32.saturating_pow(self.made - 1)).min(WAIT_MAX);
        let next = self.waited + wait;
        if failure != Failure::Passing || self.made > self.limits.retries || next > self.limits.retry_time {
            return false;
        }
        tokio::time::sleep(wait).await;
        (self.made, self.waited) = (self.made + 1, next);
        true
    }
}

/// Why a request failed for good.
struct Refused {
    failure: Failure,
    error: object_store::Error,
    attempts: u32,
}

impl Objects {
    /// Makes a request, again after failures in passing. Returns how it failed if the object is missing or the
    /// condition does not hold, and fails otherwise.
    pub(super) async fn outcome<T, F: Future<Output = object_store::Result<T>>>(
        &self,
        action: &str,
        path: &Path,
        request: impl FnMut() -> F,
    ) -> Result<Result<T, Failure>> {
        match self.attempt(request).await {
            Ok(done) => Ok(Ok(done)),
            Err(Refused { failure: failure @ (Failure::Missing | Failure::Condition), .. }) => Ok(Err(failure)),
            Err(Refused { error, attempts, .. }) => Err(self.failed(action, path, &error, attempts)),
        }
    }

    /// Makes a request, again after failures in passing.
    pub(super) async fn done<T, F: Future<Output = object_store::Result<T>>>(
        &self,
        action: &str,
        path: &Path,
        request: impl FnMut() -> F,
    ) -> Result<T> {
        let done = self.attempt(request).await;
        done.map_err(|Refused { error, attempts, .. }| self.failed(action, path, &error, attempts))
    }

    /// The error for a request that failed for good after so many attempts.
    pub(super) fn failed(&self, action: &str, path: &Path, error: &object_store::Error, attempts: u32) -> Error {
        failed(action, path, error, attempts, self.proxy.url().as_deref())
    }

    async fn attempt<T, F: Future<Output = object_store::Result<T>>>(
        &self,
        mut request: impl FnMut() -> F,
    ) -> Result<T, Refused> {
        let mut attempts = Attempts::new(self.requests.limits());
        loop {
            match request().await {
                Ok(done) => return Ok(done),
                Err(error) => {
                    let failure = Failure::of(&error);
                    if !attempts.again(failure).await {
                        return Err(Refused { failure, error, attempts: attempts.made() });
                    }
                }
            }
        }
    }
}
