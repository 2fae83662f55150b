//! Floor 1, how much memory this process may take, and how it is shared out.
//!
//! What grows with the input is sorted within a share and spills to disk beyond it; what a file announces is compared with a share before it is
//! read. The rest (row groups, an open store, a load) has bounds of its own, which the least limit leaves room for. Behind all this stands the
//! system: it gives no more than the limit, so that what nobody thought of ends this process and no other.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::error::{Error, Result};

/// The least that can be asked for.
pub const LIMIT_MIN: u64 = 128 << 20;

/// What the system is told beyond the limit: address space that is reserved and not used, for stacks and by the allocator.
const RESERVED_BYTES: u64 = 192 << 20;

/// Where a machine does not tell what it has.
const LIMIT_WITHOUT_KNOWLEDGE: u64 = 2 << 30;

static LIMIT: OnceLock<u64> = OnceLock::new();

/// Sets the limit of this process, once, and has the system enforce it; without `asked`, half of what the machine or its control group has.
pub fn limit_to(asked: Option<u64>) -> Result<()> {
    if let Some(asked) = asked.filter(|asked| *asked < LIMIT_MIN) {
        return Err(Error::usage(
            format!("--memory-limit {asked} (in bytes) is too little to work with"),
            format!("give at least {}MiB", LIMIT_MIN >> 20),
        ));
    }
    let limit = *LIMIT.get_or_init(|| asked.unwrap_or_else(half_of_the_machine));
    let hard = getrlimit(Resource::Data).maximum;
    let current =
        hard.map_or(limit.saturating_add(RESERVED_BYTES), |hard| hard.min(limit.saturating_add(RESERVED_BYTES)));
    // Where the system does not let us, the shares alone have to do.
    let _ = setrlimit(Resource::Data, Rlimit { current: Some(current), maximum: hard });
    Ok(())
}

/// Memory for sorting, of everything that is sorted at once.
///
/// An eighth: a batch of ten times the least limit then takes 84 MiB of 128, also beside other work; with a quarter it was seen to take 137 where threads
/// came to their turns unevenly.
pub fn sort_bytes() -> usize {
    share(8)
}

/// Memory for row groups of several days that are gathered at once.
pub fn rows_bytes() -> usize {
    share(2)
}

/// The most that one page of an input file may take when it is decompressed.
pub fn page_bytes() -> usize {
    share(16)
}

/// The most that one row of a text file may take as it stands.
///
/// A 64th, since the row is there several times over while it is read, and for each file that is read at once; and so little that a batch's texts
/// can be counted with 31 bits.
pub fn line_bytes() -> usize {
    share(64).min(256 << 20)
}

fn share(part: u64) -> usize {
    usize::try_from(LIMIT.get_or_init(half_of_the_machine) / part).unwrap_or(usize::MAX)
}

fn half_of_the_machine() -> u64 {
    let number = |path: &Path| fs::read_to_string(path).ok()?.trim().parse::<u64>().ok();
    let machine = fs::read_to_string("/proc/meminfo").ok().and_then(|text| {
        let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
        line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
    });
    // Each group is held by those above it too.
    let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let own = own.lines().find_map(|line| line.strip_prefix("0::/")).unwrap_or_default();
    let groups = Path::new(own).ancestors().map(|group| Path::new("/sys/fs/cgroup").join(group).join("memory.max"));
    let first_version = PathBuf::from("/sys/fs/cgroup/memory/memory.limit_in_bytes");
    let least = groups.chain([first_version]).filter_map(|path| number(&path)).chain(machine).min();
    (least.map_or(LIMIT_WITHOUT_KNOWLEDGE, |bytes| bytes / 2)).max(LIMIT_MIN)
}
