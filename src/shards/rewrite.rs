//! Other numbers of shards: a store becomes shards, shards become twice as many, or one store.

use serde::Serialize;

use super::deal::{Dealer, From};
use super::run::Traffic;
use crate::error::{Error, Kind, Result};
use crate::exact::usize_of;
use crate::model::{CustomerId, Shards};
use crate::progress::Progress;
use crate::store::{Change, Folder, OpenShard, Pinned, ShardFiles, ShardedStore};

/// Stores that are written at once.
const AT_ONCE: u32 = 4;

/// The result of dealing customers out anew.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct Rewritten {
    /// The version that has them so, or from which they came.
    pub version: u32,
    /// Its number of shards.
    pub shards: u32,
    /// What went to and fro.
    #[serde(flatten)]
    pub traffic: Traffic,
}

/// Makes a sharded store of the customers of a store: version 1. Fails if there is one. The store may have a writer
/// beside it; what it has committed counts.
///
/// Memory: that of four loads. Disk: four shards.
pub fn import(store: &ShardedStore, from: &Folder, shards: Shards, progress: &dyn Progress) -> Result<Rewritten> {
    store.begin()?;
    let from = [From::open(from)?];
    let mut dealt = Dealt::new(store, progress);
    let of = |customer| usize_of(u64::from(shards.of(customer)));
    let dealer = Dealer::new(&from, usize_of(u64::from(shards.number())), of, progress)?;
    for first in (0..shards.number()).step_by(AT_ONCE as usize) {
        let numbers: Vec<u32> = (first..(first + AT_ONCE).min(shards.number())).collect();
        let places: Vec<usize> = numbers.iter().map(|number| usize_of(u64::from(*number))).collect();
        dealt.deal(0, &dealer, &numbers, &places)?;
    }
    let [from] = from;
    let made = store.publish_first(&from.store, shards, "import", dealt.answers)?;
    Ok(Rewritten { version: made.version(), shards: shards.number(), traffic: dealt.traffic })
}

/// Makes of each shard two: the next version has twice as many. Fails if another run makes the next version meanwhile.
///
/// Memory: that of two loads. Disk: one shard, twice.
pub fn split(store: &ShardedStore, progress: &dyn Progress) -> Result<Rewritten> {
    let head = store.pin(None)?;
    let few = head.shards().number();
    let Some(many) = few.checked_mul(2).and_then(Shards::new) else {
        return Err(Error::refused(
            format!("there are {few} shards, and {} is the most", Shards::MAX),
            "leave them as they are",
        ));
    };
    let mut dealt = Dealt::new(store, progress);
    for number in 0..few {
        let open = store.open(&head, number, progress)?;
        dealt.traffic.add_fetched(&open);
        let from = [From::open(open.folder())?];
        let dealer = Dealer::new(&from, 2, |customer| usize::from(many.of(customer) != number), progress)?;
        dealt.deal(head.version(), &dealer, &[number, number + few], &[0, 1])?;
    }
    let made = store.commit(&head, dealt.answers, Change::Split(many))?.ok_or_else(|| {
        let what = "another run has made the next version of the sharded store meanwhile";
        Error::new(Kind::Busy, what, "run the same command again, while no other run makes versions")
    })?;
    Ok(Rewritten { version: made.version(), shards: many.number(), traffic: dealt.traffic })
}

/// Makes one store of all shards of a version, where no store exists.
///
/// Memory: that of a load, and of all open shards. Disk: all shards, and the store.
pub fn export(store: &ShardedStore, pinned: &Pinned, to: &Folder, progress: &dyn Progress) -> Result<Rewritten> {
    let shards = pinned.shards().number();
    let open = (0..shards).map(|number| store.open(pinned, number, progress)).collect::<Result<Vec<OpenShard>>>()?;
    let mut traffic = Traffic::default();
    open.iter().for_each(|open| traffic.add_fetched(open));
    let from = open.iter().map(|open| From::open(open.folder())).collect::<Result<Vec<_>>>()?;
    Dealer::new(&from, 1, |_| 0, progress)?.make(&[0], std::slice::from_ref(to), progress)?;
    Ok(Rewritten { version: pinned.version(), shards, traffic })
}

/// Shards that were made anew.
struct Dealt<'a> {
    store: &'a ShardedStore,
    progress: &'a dyn Progress,
    answers: Vec<ShardFiles>,
    traffic: Traffic,
}

impl<'a> Dealt<'a> {
    fn new(store: &'a ShardedStore, progress: &'a dyn Progress) -> Self {
        Dealt { store, progress, answers: Vec::new(), traffic: Traffic::default() }
    }

    /// Deals customers to the shards with these numbers, and writes those to the place, for the version after `base`.
    /// The dealer knows them by their places.
    fn deal<F: Fn(CustomerId) -> usize>(
        &mut self,
        base: u32,
        dealer: &Dealer<'_, F>,
        numbers: &[u32],
        places: &[usize],
    ) -> Result<()> {
        let work = self.store.work_folder()?;
        let to: Vec<Folder> = numbers.iter().map(|number| work.folder(&format!("shard-{number}"))).collect();
        dealer.make(places, &to, self.progress)?;
        for (number, folder) in numbers.iter().zip(&to) {
            let files = self.store.put_new(base, *number, folder, self.progress)?;
            self.traffic.add_uploaded(&files);
            self.answers.push(files);
        }
        Ok(())
    }
}
