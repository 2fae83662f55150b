//! The limits that the system enforces on this process: on open files, as many as it allows; on memory, a backstop for
//! the budgets, so that unforeseen memory use ends this process and no other.

use std::fs;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use lookback::error::{Error, Kind, Result};
use lookback::resources::memory;
use lookback::text::size;

/// Added to the limit given to the system: memory that the allocator and stacks reserve and do not use; many threads
/// add more.
const RESERVED_BYTES_MIN: u64 = 192 << 20;

/// The part of that for other purposes than stacks.
const RESERVED_BESIDE_STACKS: u64 = 64 << 20;

/// Address space that the C library's allocator reserves for a thread, and the most threads for each core. It counts
/// against a limit on address space, not against the limit on data.
const ARENA_BYTES: u64 = 64 << 20;
const ARENAS_EACH_CORE: u64 = 8;

/// Numbers of threads to start.
#[derive(Clone, Copy, Debug)]
pub(super) struct Threads {
    /// Worker threads, as given with `--threads`.
    pub asked: usize,
    /// All threads of the process at once.
    pub at_once: u64,
    /// Bytes of each thread's stack.
    pub stack_bytes: u64,
}

/// Raises this process's limit on open files to the most that the system allows it (`ulimit -Hn`): each table file of a
/// store is open, and so is each fetched object of a day.
pub(super) fn raise_open_files() {
    let maximum = getrlimit(Resource::Nofile).maximum;
    // If the system refuses, the limit stays as it is, and what goes beyond it says so.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}

/// Fails if a memory limit is too small for any command.
pub(super) fn refuse_too_little(asked: Option<u64>) -> Result<()> {
    match asked.filter(|asked| *asked < memory::LIMIT_MIN) {
        Some(asked) => Err(Error::usage(
            format!("--memory-limit {asked} (in bytes) is too small"),
            format!("give at least {}MiB", memory::LIMIT_MIN >> 20),
        )),
        None => Ok(()),
    }
}

/// Makes the system enforce a memory limit on this process, and returns it: the requested limit, or half of the memory
/// of the machine or its control group, or what the system's own limits on address space and data allow. Fails if these
/// allow too little for the limit and for `threads` workers.
pub(super) fn limit_to(asked: Option<u64>, threads: Threads) -> Result<u64> {
    refuse_too_little(asked)?;
    let Threads { asked: threads, at_once, stack_bytes } = threads;
    let beyond = RESERVED_BESIDE_STACKS.saturating_add(at_once.saturating_mul(stack_bytes)).max(RESERVED_BYTES_MIN);
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
    let arenas = at_once.min(cores * ARENAS_EACH_CORE);
    let beyond_of_space = beyond.saturating_add(arenas * ARENA_BYTES).saturating_add(mapped_bytes());
    let hard = getrlimit(Resource::Data).maximum;
    let limits =
        [("address space", "-v", getrlimit(Resource::As).current, beyond_of_space), ("data", "-d", hard, beyond)];
    let mut memory_bytes = asked.unwrap_or_else(memory::half_of_the_machine);
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
                "raise that limit, or give a smaller --memory-limit or --threads",
            ));
        }
        memory_bytes = memory_bytes.min(allowed - beyond);
    }
    let current = memory_bytes.saturating_add(beyond);
    let current = hard.map_or(current, |hard| hard.min(current));
    // If the system refuses, only the budgets limit memory.
    let _ = setrlimit(Resource::Data, Rlimit { current: Some(current), maximum: hard });
    Ok(memory_bytes)
}

/// Returns the address space that this process uses now: the program and its libraries.
fn mapped_bytes() -> u64 {
    fs::read_to_string("/proc/self/status").ok().and_then(|text| memory::kilobytes(&text, "VmSize:")).unwrap_or(0)
}
