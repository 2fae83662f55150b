//! Parts of one partition that tasks write, anywhere, and one run publishes.
//!
//! On a disk, tasks write into the staging folder of the partition, and the run takes from there what it publishes. At
//! a URL a part goes to where it stays, under a name that follows from its content and from the manifest that is to be
//! replaced: so a task that is run twice writes it once, and no run that has published before, and still removes what
//! it has replaced, can take it for one of those.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_128;

use super::delta::statistics_of;
use super::partition::Partition;
use super::partition_folder::PartitionFolder;
use super::rows::RowSchema;
use crate::error::{Error, Result};
use crate::format::hex;
use crate::manifest::{Manifest, PartFile};
use crate::progress::Progress;
use crate::storage::{Local, hash_of_texts, regular_file};

/// Where tasks write the parts of a partition.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PartsPlace {
    /// In new folders in this one, on the disk of the output.
    Folder(PathBuf),
    /// At the URL of the partition, under names that follow from this text too.
    Url(String),
}

/// The parts that a task has put at a URL.
#[derive(Debug, Deserialize, Serialize)]
pub struct UploadedParts {
    /// As the manifest names them.
    pub parts: Vec<PartFile>,
    /// The statistics of each, as a Delta table has them.
    pub statistics: Vec<String>,
}

impl Partition {
    /// Returns where tasks write the parts.
    pub(crate) fn for_tasks(&self) -> Result<PartsPlace> {
        if let Some(replaced) = self.replaced_manifest() {
            return Ok(PartsPlace::Url(format!("{:032x}", xxh3_128(replaced))));
        }
        let folder = self.scratch();
        fs::create_dir_all(&folder).map_err(|error| Error::io("create", &folder, error))?;
        Ok(PartsPlace::Folder(folder))
    }

    /// Publishes parts that tasks have put at the URL. Fails if one is not there.
    pub(crate) fn publish_uploaded(
        self,
        manifest: &Manifest,
        statistics: &[String],
        schema: &RowSchema,
        progress: &dyn Progress,
    ) -> Result<Option<u64>> {
        self.publish_as(manifest, Some(statistics), schema, progress)
    }
}

impl PartitionFolder {
    /// Puts parts of a local folder at the URL, as those of task number `task`.
    pub(crate) fn upload_parts(
        &self,
        local: &Path,
        parts: &[PartFile],
        (task, salt): (u32, &str),
        progress: &dyn Progress,
    ) -> Result<UploadedParts> {
        let Some((objects, Local { part_bytes, .. })) = self.out().objects() else {
            return Err(Error::internal("parts are uploaded to a folder"));
        };
        progress.begin("uploading", "files", Some(parts.len() as u64));
        let mut uploaded = UploadedParts { parts: Vec::new(), statistics: Vec::new() };
        for (number, part) in parts.iter().enumerate() {
            let from = local.join(&part.name);
            let file = regular_file::open(&from).map_err(|error| Error::io("open", &from, error))?;
            let hash = hex(&hash_of_texts([salt, &part.xxh3_128].into_iter()));
            let part = PartFile { name: PartFile::name_of_task(task, number, &hash), ..part.clone() };
            objects.upload(&self.path().join(&part.name), &file, *part_bytes)?;
            uploaded.statistics.push(statistics_of(&part, &file)?);
            uploaded.parts.push(part);
            progress.advance(1);
        }
        Ok(uploaded)
    }
}
