//! `lookback manifest`.

use serde::Serialize;

use super::args;
use super::console::Console;
use super::lines::Lines;
use super::text::{counted, size};
use lookback::error::{Error, Result};
use lookback::output::{PartitionFolder, check_hashes};
use lookback::text::escaped_json;

#[derive(Serialize)]
struct Checked {
    dt: String,
    parts: usize,
    bytes: u64,
    /// Whether the manifest has a checksum of itself; manifests of 0.4.0 and before have none.
    has_checksum: bool,
}

pub(super) fn run(typed: &args::Manifest, console: &Console) -> Result<()> {
    let folder = PartitionFolder::new(&console.resources().place(&typed.out)?, typed.dt);
    let manifest = folder.manifest()?;
    if typed.check {
        let bytes = check_hashes(&folder, &manifest, console.resources().cancel(), console.progress())?;
        let has_checksum = manifest.checksum.is_some();
        if !has_checksum {
            let progress = console.progress();
            progress.note(
                &format!("the manifest of {} has no checksum, so only the part files were checked", typed.dt).into(),
            );
        }
        let checked = Checked { dt: typed.dt.to_string(), parts: manifest.parts.len(), bytes, has_checksum };
        let parts = counted(checked.parts as u64, "part file");
        return console.done(&checked, &format!("checked {}: {parts} of {}, unchanged", typed.dt, size(bytes)));
    }
    let text = serde_json::to_string_pretty(&manifest)
        .map_err(|error| Error::io("write", "the manifest".as_ref(), std::io::Error::other(error)))?;
    console.result(&manifest, &escaped_json(&text).lines().collect::<Lines>())
}
