//! The memory of the machine.

use std::fs;
use std::path::{Path, PathBuf};

/// The minimum memory limit.
pub const LIMIT_MIN: u64 = 128 << 20;

/// The memory assumed where the machine does not report its own.
const LIMIT_WITHOUT_KNOWLEDGE: u64 = 2 << 30;

/// The default memory limit: half of the memory of the machine or of its control group, and at least [`LIMIT_MIN`].
pub fn half_of_the_machine() -> u64 {
    let number = |path: &Path| fs::read_to_string(path).ok()?.trim().parse::<u64>().ok();
    let machine = fs::read_to_string("/proc/meminfo").ok().and_then(|text| kilobytes(&text, "MemTotal:"));
    // The limits of all parent groups apply too.
    let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let own = own.lines().find_map(|line| line.strip_prefix("0::/")).unwrap_or_default();
    let groups = Path::new(own).ancestors().map(|group| Path::new("/sys/fs/cgroup").join(group).join("memory.max"));
    let first_version = PathBuf::from("/sys/fs/cgroup/memory/memory.limit_in_bytes");
    let least = groups.chain([first_version]).filter_map(|path| number(&path)).chain(machine).min();
    (least.map_or(LIMIT_WITHOUT_KNOWLEDGE, |bytes| bytes / 2)).max(LIMIT_MIN)
}

/// Returns the bytes of a line `name   1234 kB`, the format that the system uses.
pub fn kilobytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}
