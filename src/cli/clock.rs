//! Today's date, for refusals only: no result depends on it.

use std::time::{SystemTime, UNIX_EPOCH};

use lookback::error::{Error, Result};
use lookback::model::Day;
use lookback::text::Shown as _;

/// The variable that tests set to today's date, so that they do not depend on the clock.
const TODAY: &str = "LOOKBACK_TODAY";

const DAY_SECONDS: u64 = 86_400;

/// Returns today in UTC; `None` if the clock shows an invalid day.
pub(super) fn today() -> Result<Option<Day>> {
    if let Some(today) = std::env::var_os(TODAY).filter(|today| !today.is_empty()) {
        let day = today.to_str().and_then(|today| today.parse().ok());
        return day.map(Some).ok_or_else(|| {
            Error::usage(
                format!("{TODAY}={} is not a day", today.shown()),
                "unset it, since it is for the program's own tests; or give YYYY-MM-DD",
            )
        });
    }
    #[expect(
        clippy::disallowed_methods,
        reason = "a batch day beyond tomorrow is refused; nothing else follows from the clock"
    )]
    let now = SystemTime::now();
    let days = now.duration_since(UNIX_EPOCH).ok().map(|passed| passed.as_secs() / DAY_SECONDS);
    Ok(days.and_then(|days| i32::try_from(days).ok()).and_then(Day::from_number))
}
