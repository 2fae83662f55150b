//! Floor 8, the command line: the only place with clap, stdout, exit codes, clocks and progress bars. `args` has the
//! typed arguments; each command is one file that makes options for lower floors of them, runs, and reports.

mod args;
mod audit;
mod backfill;
mod backup;
mod bars;
mod clock;
mod config;
mod console;
mod customer_ids;
mod diff;
mod examples;
mod explain;
mod forget;
mod get;
pub mod given;
mod help;
mod ids;
mod in_memory;
mod ingest;
mod init;
mod limits;
mod lines;
mod man;
mod manifest;
mod migrate;
mod phases;
mod produce;
mod prune;
mod remove;
mod repair;
mod report;
mod shards;
mod show;
mod signals;
mod stale;
mod status;
mod styles;
mod table;
mod text;
mod typed;
mod verify;
mod vocabulary;
mod waiting;
pub mod words;

use std::ffi::OsString;
use std::sync::Arc;

use args::{Arguments, Command};
pub use bars::Listener;
use bars::Log;
use console::Console;
use given::Given;
use signals::Signals;

use lookback::error::{Error, Kind, Result};
use lookback::resources::{Cancel, Resources, threads};

/// Runs the program with a process's arguments, the first of which is the program's name, and returns the exit code: 0
/// done, 1 refused or failed, 2 wrong usage, 3 different, 130 stopped by Ctrl-C, 143 by SIGTERM.
///
/// All process-wide settings are made here: the limits on memory and open files, the signal handlers, the panic hook.
/// So the process has to be the program's own.
pub fn run(arguments: &[OsString]) -> u8 {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !lookback::is_panic_caught() {
            report(panic);
        }
    }));
    let (arguments, places) = match typed::arguments(arguments) {
        Ok(typed) => typed,
        Err(exit_code) => return exit_code,
    };
    let (log, unknown) = match Log::of_environment() {
        Ok(log) => (log, None),
        Err(unknown) => (Log::Normal, Some(unknown)),
    };
    limits::raise_open_files();
    let (signals, deaf) = match Signals::listen() {
        Ok(signals) => (Some(signals), None),
        Err(error) => (None, Some(Error::io("take signals of", "the system".as_ref(), error))),
    };
    let mut console = Console::new(arguments.json, log);
    let cancel = signals.as_ref().map(Signals::cancel).unwrap_or_default();
    let started = unknown.or(deaf).map_or(places, Err);
    let started = started.and_then(|()| start_threads(&arguments, &console, cancel));
    match started.and_then(|resources| dispatch(&arguments, console.give(resources))) {
        Ok(()) => 0,
        Err(error) => {
            console.error(&error);
            match error.kind() {
                Kind::Usage => 2,
                Kind::Different => 3,
                Kind::Input | Kind::Refused | Kind::Busy | Kind::Io | Kind::Corrupt | Kind::Internal => 1,
                Kind::Cancelled => signals.map_or(1, |signals| signals.exit_code()),
            }
        }
    }
}

/// Runs a command inside a program of another kind: returns its JSON summary, and whether it succeeded; a command that
/// fails because of its findings has a summary too. `words` are what would follow `lookback` on a command line, without
/// `--json`. `ingest` and `produce` take rows in memory in place of `--input`; so do tasks of `shards ingest` and
/// `shards produce`, which take an engine in place of it. Prints nothing, sets nothing of the process, and stops when
/// `cancel` asks it to.
///
/// The memory limit that the words may give is shared out, but the process is not limited to it.
///
/// Fails with [`Kind::Usage`] if the words are no command line, else as the command does.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let store = folder.path().join("store");
/// use std::sync::Arc;
///
/// use lookback::progress::Silent;
/// use lookback::resources::Cancel;
///
/// let words = ["init".into(), "--store".into(), store.into_os_string()];
/// let given = lookback::cli::given::Given::default();
/// let (summary, result) = lookback::cli::call(&words, given, Arc::new(Silent), Cancel::default());
/// result?;
/// assert!(summary.contains("\"max_history\":1000"), "{summary}");
/// # Ok(())
/// # }
/// ```
pub fn call(words: &[OsString], given: Given, progress: Arc<Listener>, cancel: Cancel) -> (String, Result<()>) {
    let (has_rows, has_engine, scratch) = (!given.rows.is_empty(), given.engine.is_some(), given.scratch.clone());
    let mut console = Console::for_caller(progress, given);
    let done = typed::arguments_of_call(words).and_then(|arguments| {
        if matches!(arguments.command, Command::Completions(_) | Command::Man(_)) {
            return Err(Error::usage("completions and man pages are for a command line", "run `lookback` in a shell"));
        }
        let (takes_rows, takes_engine) = match &arguments.command {
            Command::Ingest(_) | Command::Produce(_) => (true, false),
            Command::Shards(typed) => typed.takes(),
            _ => (false, false),
        };
        if has_rows && !takes_rows {
            return Err(Error::usage("this command takes no rows in memory", "give it the root of the files as input"));
        }
        if has_engine && !takes_engine {
            return Err(Error::usage("this command has no tasks", "call it without an engine"));
        }
        let limit = arguments.memory_limit;
        limits::refuse_too_little(limit)?;
        let threads = arguments.threads.map_or_else(threads::cores, |threads| threads.get().into());
        let resources = Resources::default()
            .with_threads(threads)
            .with_cancel(cancel)
            .with_request_limits(arguments.requests.limits());
        let resources = match limit {
            Some(bytes) => resources.with_memory(bytes),
            None => resources,
        };
        let resources = match &scratch {
            Some(folder) => resources.with_scratch_folder(folder),
            None => resources,
        };
        resources.install(|| ())?;
        dispatch(&arguments, console.give(resources))
    });
    match String::from_utf8(console.into_result()) {
        Ok(summary) => (summary, done),
        Err(error) => (String::new(), Err(Error::internal("a summary is not text").caused_by(error))),
    }
}

/// Sets the memory limit and starts the threads: the requested number, or up to one for each core, as the system's
/// limits allow. Returns both as the resources that commands may use until `cancel`.
fn start_threads(arguments: &Arguments, console: &Console, cancel: Cancel) -> Result<Resources> {
    let asked = arguments.threads.map(|threads| usize::from(threads.get()));
    let wanted = asked.unwrap_or_else(threads::cores);
    let mut number = wanted;
    let allowed = |number| {
        let at_once = threads::at_once(number) as u64;
        let stack_bytes = threads::STACK_BYTES as u64;
        let threads = limits::Threads { asked: number, at_once, stack_bytes };
        let memory_bytes = limits::limit_to(arguments.memory_limit, threads)?;
        threads::require(number).map(|()| memory_bytes)
    };
    let memory_bytes = loop {
        match allowed(number) {
            Err(error) if asked.is_some() || number == 1 || error.kind() == Kind::Usage => return Err(error),
            Err(_) => number /= 2,
            Ok(memory_bytes) => break memory_bytes,
        }
    };
    if number < wanted {
        let progress = console.progress();
        progress.note(
            &format!("the system allows too few threads or too little memory for {wanted}: working with {number}")
                .into(),
        );
    }
    let resources = Resources::default()
        .with_memory(memory_bytes)
        .with_threads(number)
        .with_cancel(cancel)
        .with_request_limits(arguments.requests.limits());
    // Fails now if the threads cannot be started, and not in the middle of the work.
    resources.install(|| ())?;
    Ok(resources)
}

fn dispatch(arguments: &Arguments, console: &Console) -> Result<()> {
    match &arguments.command {
        Command::Init(typed) => init::run(typed, console),
        Command::Ingest(typed) => ingest::run(typed, console),
        Command::Produce(typed) => produce::run(typed, console),
        Command::Backfill(typed) => backfill::run(typed, console),
        Command::Show(typed) => show::run(typed, console),
        Command::Explain(typed) => explain::run(typed, console),
        Command::Get(typed) => get::run(typed, console),
        Command::Status(typed) => status::run(typed, console),
        Command::Report(typed) => report::run(typed, console),
        Command::Forget(typed) => forget::run(typed, console),
        Command::Prune(typed) => prune::run(typed, console),
        Command::Remove(typed) => remove::run(typed, console),
        Command::Backup(typed) => backup::backup(typed, console),
        Command::Restore(typed) => backup::restore(typed, console),
        Command::Audit(typed) => audit::run(typed, console),
        Command::Vocabulary(typed) => vocabulary::run(typed, console),
        Command::Stale(typed) => stale::run(typed, console),
        Command::Manifest(typed) => manifest::run(typed, console),
        Command::Config(args::Config::Check(typed)) => config::run(typed, console),
        Command::Diff(typed) => diff::run(typed, console),
        Command::Migrate(typed) => migrate::run(typed, console),
        Command::Verify(typed) => verify::run(typed, console),
        Command::Repair(typed) => repair::run(typed, console),
        Command::Shards(typed) => shards::run(typed, console),
        Command::Completions(typed) => help::completions(typed, console),
        Command::Man(typed) => help::man(typed, console),
    }
}
