//! Selects the customers to audit.

use std::collections::BTreeSet;

use super::flat::ListCount;
use super::sources::Sources;
use crate::error::Result;
use crate::input::{BadRows, QuarantineFolder, read_shown};
use crate::model::Day;
use crate::resources::Resources;
use crate::sources::ImpressionLayout;
use crate::store::BlockList;

/// The findings of a first pass over the impressions.
pub(super) struct Shown {
    /// Impressions with an element.
    pub impressions: u64,
    /// Their elements, each of which is a row.
    pub elements: u64,
    /// The customers whose rows are audited; `None`: all, either on request or since there are no more than requested.
    pub sample: Option<BTreeSet<i64>>,
}

impl Shown {
    /// Counts the impressions of customers who have not been forgotten, and selects the `wanted` customers with the
    /// lowest hashes among those with an impression.
    ///
    /// Memory: about 50 bytes for each customer selected; for the flat layout that of a [`ListCount`].
    pub(super) fn read(
        sources: &Sources<'_>,
        dt: Day,
        block_list: &BlockList,
        resources: &Resources,
        (wanted, seed): (Option<usize>, u64),
    ) -> Result<Self> {
        let (mut impressions, mut elements, mut chosen, mut some_left) = (0, 0, BTreeSet::new(), false);
        let mut bad = BadRows::new(QuarantineFolder::Impressions, dt, None);
        let mut lists = (sources.shown().layout == ImpressionLayout::Flat).then(|| ListCount::new(resources));
        for file in &sources.impressions {
            read_shown(sources.shown(), file, resources, &mut bad, |_, impression, _| {
                if block_list.holds(impression.customer) {
                    return Ok(());
                }
                elements += impression.elements.len() as u64;
                match &mut lists {
                    Some(lists) => lists.add(impression.customer.0, impression.ranking_id)?,
                    None => impressions += 1,
                }
                if let Some(wanted) = wanted {
                    chosen.insert((hash(seed, impression.customer.0), impression.customer.0));
                    if chosen.len() > wanted {
                        chosen.pop_last();
                        some_left = true;
                    }
                }
                Ok(())
            })?;
        }
        if let Some(lists) = lists {
            impressions = lists.finish()?;
        }
        let sample = some_left.then(|| chosen.into_iter().map(|(_, customer)| customer).collect());
        Ok(Shown { impressions, elements, sample })
    }
}

/// Returns a customer's sampling hash, which depends on the seed: the finalizer of SplitMix64 (Steele, Lea, Flood,
/// "Fast splittable pseudorandom number generators", 2014) over both.
fn hash(seed: u64, customer: i64) -> u64 {
    let mixed = |mut number: u64| {
        number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        number ^ (number >> 31)
    };
    mixed(customer.cast_unsigned() ^ mixed(seed.wrapping_add(0x9e37_79b9_7f4a_7c15)))
}
