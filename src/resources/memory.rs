//! How much memory this process may take, and how it is shared out.
//!
//! What grows with the input is sorted within a share and spills to disk beyond it; what a file announces is compared with a share before it is
//! read. The rest (row groups, an open store, a load) has bounds of its own, which the least limit leaves room for. Behind all this stands the
//! system: it gives no more than the limit, so that what nobody thought of ends this process and no other.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::error::{Error, Kind, Result};
use crate::exact::usize_of;
use crate::message::message;
use crate::text::size;

/// The least that can be asked for.
pub const LIMIT_MIN: u64 = 128 << 20;

/// What the system is told beyond the limit: memory that is reserved and not used, by the allocator and for stacks; more where there are many threads.
const RESERVED_BYTES_MIN: u64 = 192 << 20;

/// Of that, what is no stack.
const RESERVED_BESIDE_STACKS: u64 = 64 << 20;

/// What the C library's allocator reserves of the address space for a thread, and for how many of each core at most: it counts where the address space
/// is limited, and not against the limit on data.
const ARENA_BYTES: u64 = 64 << 20;
const ARENAS_EACH_CORE: u64 = 8;

/// Where a machine does not tell what it has.
const LIMIT_WITHOUT_KNOWLEDGE: u64 = 2 << 30;

/// How many threads there are to be.
#[derive(Clone, Copy, Debug)]
pub struct Threads {
    /// Those that work, as a person would ask for them.
    pub asked: usize,
    /// All of the process at once.
    pub at_once: u64,
    /// What the stack of each takes.
    pub stack_bytes: u64,
}

static LIMIT: OnceLock<u64> = OnceLock::new();

/// Sets the limit of this process, once, and has the system enforce it; without `asked`, half of what the machine or its control group has, or what the
/// system's own limits on address space and data leave room for. Refused where these leave too little for the limit and `threads` that work.
pub fn limit_to(asked: Option<u64>, threads: Threads) -> Result<()> {
    if let Some(asked) = asked.filter(|asked| *asked < LIMIT_MIN) {
        return Err(Error::usage(
            message![MemoryLimit, " {asked} (in bytes) is too little to work with"],
            format!("give at least {}MiB", LIMIT_MIN >> 20),
        ));
    }
    let Threads { asked: threads, at_once, stack_bytes } = threads;
    let beyond = RESERVED_BESIDE_STACKS.saturating_add(at_once.saturating_mul(stack_bytes)).max(RESERVED_BYTES_MIN);
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
    let arenas = at_once.min(cores * ARENAS_EACH_CORE);
    let beyond_of_space = beyond.saturating_add(arenas * ARENA_BYTES).saturating_add(mapped_bytes());
    let hard = getrlimit(Resource::Data).maximum;
    let limits =
        [("address space", "-v", getrlimit(Resource::As).current, beyond_of_space), ("data", "-d", hard, beyond)];
    let mut room = asked.unwrap_or_else(half_of_the_machine);
    let least = asked.unwrap_or(LIMIT_MIN);
    for (what, letter, allowed, beyond) in limits {
        let Some(allowed) = allowed else { continue };
        if allowed < least.saturating_add(beyond) {
            return Err(Error::new(
                Kind::Io,
                message![
                    ("the system allows {} of {what} (`ulimit {letter}`), and a ", size(allowed)),
                    MemoryLimit,
                    (" of {}MiB with ", least >> 20),
                    Threads,
                    (" {threads} takes up to {}", size(least.saturating_add(beyond)))
                ],
                message!["have it allow more, or give a smaller ", MemoryLimit, " or ", Threads],
            ));
        }
        room = room.min(allowed - beyond);
    }
    let limit = *LIMIT.get_or_init(|| room);
    let current = limit.saturating_add(beyond);
    let current = hard.map_or(current, |hard| hard.min(current));
    // Where the system does not let us, the shares alone have to do.
    let _ = setrlimit(Resource::Data, Rlimit { current: Some(current), maximum: hard });
    Ok(())
}

/// The address space that this process has now: the program and its libraries.
fn mapped_bytes() -> u64 {
    fs::read_to_string("/proc/self/status").ok().and_then(|text| kilobytes(&text, "VmSize:")).unwrap_or(0)
}

/// Memory for sorting, of everything that is sorted at once.
///
/// An eighth: a batch of ten times the least limit then takes 84 MiB of 128, also beside other work; with a quarter it was seen to take 137 where threads
/// came to their turns unevenly.
pub fn sort_bytes() -> usize {
    share(8)
}

/// Memory for what the raw files say of a group of customers: with 1 GiB some 3,000 with more actions than count, or ten times as many with a few hundred.
/// A quarter, since all raw files are read once for each group, and what is gathered takes up to twice as much by the allocator's count (measured).
pub fn audit_bytes() -> usize {
    share(4)
}

/// The most customers that a command holds at once: ids of 8 bytes, or marks of those whom the store has forgotten, of 16 bytes, so a quarter of the limit.
pub fn customers_max() -> usize {
    share(64)
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
    usize_of(LIMIT.get_or_init(half_of_the_machine) / part)
}

fn half_of_the_machine() -> u64 {
    let number = |path: &Path| fs::read_to_string(path).ok()?.trim().parse::<u64>().ok();
    let machine = fs::read_to_string("/proc/meminfo").ok().and_then(|text| kilobytes(&text, "MemTotal:"));
    // Each group is held by those above it too.
    let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let own = own.lines().find_map(|line| line.strip_prefix("0::/")).unwrap_or_default();
    let groups = Path::new(own).ancestors().map(|group| Path::new("/sys/fs/cgroup").join(group).join("memory.max"));
    let first_version = PathBuf::from("/sys/fs/cgroup/memory/memory.limit_in_bytes");
    let least = groups.chain([first_version]).filter_map(|path| number(&path)).chain(machine).min();
    (least.map_or(LIMIT_WITHOUT_KNOWLEDGE, |bytes| bytes / 2)).max(LIMIT_MIN)
}

/// The bytes of a line `name   1234 kB`, as the system tells them.
fn kilobytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}
