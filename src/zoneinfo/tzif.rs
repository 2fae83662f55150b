//! Reads the rules in a TZif file (RFC 9636), in their canonical form.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::error::Cause;
use crate::exact::{Held, usize_of};
use crate::model::{OffsetChange, RULES_BEGIN_S, RULES_END_S, ZoneRules};

/// The size of a header in bytes; a file has two headers.
const HEADER_BYTES: usize = 44;

/// Returns the rules of the zone with these bytes. Fails with the reason.
pub(super) fn rules(name: &str, bytes: &[u8], version: Option<String>) -> Result<ZoneRules, Cause> {
    let header = Header::at(bytes, 0).ok_or("it is not a TZif file")?;
    if header.version == 0 {
        return Err("it is of version 1 of TZif, whose times end in 2038".into());
    }
    let second = Header::at(bytes, header.data_end()).ok_or("it lacks the times of version 2 of TZif")?;
    if header.leap_seconds > 0 || second.leap_seconds > 0 {
        return Err("it counts leap seconds, which no timestamp does".into());
    }
    // The parser assumes that they ascend, and misses transitions otherwise.
    let times = bytes.get(second.end..).held("a header ends within its file")?.chunks_exact(8).take(second.times);
    let times = times.map(|time| time.try_into().map(i64::from_be_bytes));
    if !times.collect::<Result<Vec<_>, _>>().is_ok_and(|times| times.is_sorted_by(|one, next| one < next)) {
        return Err("its times do not ascend".into());
    }
    let zone = TimeZone::tzif(name, bytes)?;
    let begin = Timestamp::from_second(RULES_BEGIN_S)?;
    let first_offset_s = zone.to_offset(begin).seconds();
    let (mut changes, mut offset_s, mut last_s) = (Vec::new(), first_offset_s, RULES_BEGIN_S);
    for transition in zone.following(begin) {
        let at_s = transition.timestamp().as_second();
        // Without a rule after them, jiff repeats the last transition forever.
        if at_s > RULES_END_S || at_s <= last_s {
            break;
        }
        last_s = at_s;
        let next_s = transition.offset().seconds();
        if next_s != offset_s {
            changes.push(OffsetChange { at_s, offset_s: next_s });
            offset_s = next_s;
        }
    }
    ZoneRules::new(version, first_offset_s, changes).ok_or_else(|| "its times or offsets are invalid".into())
}

/// The header's sizes of the data after it.
struct Header {
    version: u8,
    leap_seconds: usize,
    times: usize,
    data_bytes: usize,
    end: usize,
}

impl Header {
    /// Reads the header that begins at a byte; `None` if there is none. The data after the first header has times of
    /// four bytes.
    fn at(bytes: &[u8], begin: usize) -> Option<Self> {
        let header = bytes.get(begin..begin.checked_add(HEADER_BYTES)?)?;
        let count = |place: usize| -> Option<usize> {
            let bytes: [u8; 4] = header.get(20 + 4 * place..24 + 4 * place)?.try_into().ok()?;
            Some(usize_of(u32::from_be_bytes(bytes)))
        };
        let (is_ut, is_standard, leap_seconds) = (count(0)?, count(1)?, count(2)?);
        let (times, types, letters) = (count(3)?, count(4)?, count(5)?);
        let sizes = [(is_ut, 1), (is_standard, 1), (leap_seconds, 8), (times, 5), (types, 6), (letters, 1)];
        let mut data_bytes = 0_usize;
        for (count, size) in sizes {
            data_bytes = data_bytes.checked_add(count.checked_mul(size)?)?;
        }
        let end = begin.checked_add(HEADER_BYTES)?;
        header.starts_with(b"TZif").then_some(Header { version: *header.get(4)?, leap_seconds, times, data_bytes, end })
    }

    fn data_end(&self) -> usize {
        self.end.saturating_add(self.data_bytes)
    }
}
