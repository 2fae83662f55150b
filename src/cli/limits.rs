//! The limit that the system holds this process to: behind the shares of memory, so that what nobody thought of ends
//! this process and no other.

use std::fs;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::error::{Error, Kind, Result};
use crate::resources::memory;
use crate::text::size;

/// What the system is told beyond the limit: memory that is reserved and not used, by the allocator and for stacks;
/// more where there are many threads.
const RESERVED_BYTES_MIN: u64 = 192 << 20;

/// Of that, what is no stack.
const RESERVED_BESIDE_STACKS: u64 = 64 << 20;

/// What the C library's allocator reserves of the address space for a thread, and for how many of each core at most: it
/// counts where the address space is limited, and not against the limit on data.
const ARENA_BYTES: u64 = 64 << 20;
const ARENAS_EACH_CORE: u64 = 8;

/// How many threads there are to be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Threads {
    /// Those that work, as a person would ask for them.
    pub asked: usize,
    /// All of the process at once.
    pub at_once: u64,
    /// What the stack of each takes.
    pub stack_bytes: u64,
}

/// Has the system enforce a limit on this process, and gives it: what was asked for, or half of what the machine or its
/// control group has, or what the system's own limits on address space and data leave room for. Refused where these
/// leave too little for the limit and `threads` that work.
pub(super) fn limit_to(asked: Option<u64>, threads: Threads) -> Result<u64> {
    if let Some(asked) = asked.filter(|asked| *asked < memory::LIMIT_MIN) {
        return Err(Error::usage(
            format!("--memory-limit {asked} (in bytes) is too little to work with"),
            format!("give at least {}MiB", memory::LIMIT_MIN >> 20),
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
    let mut room = asked.unwrap_or_else(memory::half_of_the_machine);
    let least = asked.unwrap_or(memory::LIMIT_MIN);
    for (what, letter, allowed, beyond) in limits {
        let Some(allowed) = allowed else { continue };
        if allowed < least.saturating_add(beyond) {
            return Err(Error::new(
                Kind::Io,
                format!(
                    "the system allows {} of {what} (`ulimit {letter}`), and a --memory-limit of {}MiB with --threads {threads} takes up to {}",
                    size(allowed),
                    least >> 20,
                    size(least.saturating_add(beyond)),
                ),
                "have it allow more, or give a smaller --memory-limit or --threads",
            ));
        }
        room = room.min(allowed - beyond);
    }
    let current = room.saturating_add(beyond);
    let current = hard.map_or(current, |hard| hard.min(current));
    // Where the system does not let us, the shares alone have to do.
    let _ = setrlimit(Resource::Data, Rlimit { current: Some(current), maximum: hard });
    Ok(room)
}

/// The address space that this process has now: the program and its libraries.
fn mapped_bytes() -> u64 {
    fs::read_to_string("/proc/self/status").ok().and_then(|text| memory::kilobytes(&text, "VmSize:")).unwrap_or(0)
}
