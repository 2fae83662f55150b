//! Part `pages`: rows from impressions and histories in memory to files, as a produce makes them, on one thread and
//! without the store.

use std::ops::Range;
use std::path::Path;

use lookback::error::Result;
use lookback::internals::history::History;
use lookback::internals::output::{RowGroup, RowSchema, RowSettings, RowWriter};
use lookback::model::Impression;

use lookback::store::Store;

use crate::histories::{customers, histories, impressions};
use crate::input::Input;

/// Everything that becomes rows.
pub struct Pages {
    impressions: Vec<Impression>,
    /// Of each impression, where its customer's history is in `histories`.
    places: Vec<usize>,
    histories: Vec<History>,
    /// The impressions of each row group.
    shares: Vec<Range<usize>>,
    settings: RowSettings,
}

impl Pages {
    /// Reads impressions and histories, and cuts the rows into row groups.
    pub fn read(input: &Input, store: &Store, settings: RowSettings) -> Result<Self> {
        let impressions = impressions(input)?;
        let histories = histories(input, store, &customers(&impressions))?;
        let of_customers = impressions.chunk_by(|one, other| one.customer == other.customer).enumerate();
        let places = of_customers.flat_map(|(place, impressions)| impressions.iter().map(move |_| place)).collect();
        let shares = shares(&impressions, settings.sizes.row_group_rows);
        Ok(Pages { impressions, places, histories, shares, settings })
    }

    /// How many rows these are.
    pub fn rows(&self) -> u64 {
        self.impressions.iter().map(|impression| impression.elements.len() as u64).sum()
    }

    /// How many row groups, impressions, customers and actions of theirs.
    pub fn sizes(&self) -> [u64; 4] {
        let actions = self.histories.iter().map(History::len).sum();
        [self.shares.len(), self.impressions.len(), self.histories.len(), actions].map(|size| size as u64)
    }

    /// Writes all rows as part files into `folder`, which is empty; the last thing is an fsync.
    pub fn write(&self, folder: &Path) -> Result<()> {
        let schema = RowSchema::new(&self.settings)?;
        let mut group = RowGroup::new(&schema, &self.settings)?;
        let mut writer = RowWriter::new(folder.to_owned(), &self.settings, &schema);
        for share in &self.shares {
            let impressions = self.impressions.get(share.clone()).unwrap_or_default();
            let mut begun = None;
            for (impression, place) in impressions.iter().zip(self.places.iter().skip(share.start)) {
                if begun != Some(*place) {
                    begun = Some(*place);
                    if let Some(history) = self.histories.get(*place) {
                        group.begin_customer(history.view())?;
                    }
                }
                group.add(impression)?;
            }
            writer.append(group.encode()?)?;
        }
        writer.finish()?;
        Ok(())
    }
}

/// Cuts impressions into shares of at most so many rows, as a produce does; an impression with more is a share of its
/// own.
fn shares(impressions: &[Impression], row_group_rows: usize) -> Vec<Range<usize>> {
    let (mut shares, mut begin, mut rows) = (Vec::new(), 0, 0);
    for (place, impression) in impressions.iter().enumerate() {
        rows += impression.elements.len();
        if rows > row_group_rows && place > begin {
            shares.push(begin..place);
            (begin, rows) = (place, impression.elements.len());
        }
    }
    if begin < impressions.len() {
        shares.push(begin..impressions.len());
    }
    shares
}
