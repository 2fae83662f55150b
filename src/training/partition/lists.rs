//! Puts the rows of a partition back together into impressions.

use super::super::options::PartitionOptions;
use super::known_keys::{Bounds, KnownKeys};
use super::list_rows::{ListRows, Lists, Told};
use super::row::{HistoryHash, PartitionRow};
use super::source::Source;
use crate::error::{Error, Result};
use crate::exact::{Held, usize_of};
use crate::message::message;
use crate::model::{CustomerId, Day, Impression, RowOrder};
use crate::parallel::ordered_map;
use crate::resources::Spool;
use crate::sort::{Fields, Record as _, Sorted, Sorter};

/// Lists in work for each thread that tells them apart.
const LISTS_AHEAD: usize = 16;

/// The invariant of reading rows that were put aside.
const AS_WRITTEN: &str = "rows are read as they were put aside";

/// Puts impressions together from sorted rows, and returns them in their own order. Fails if rows of a customer have
/// different histories, if rows are no whole lists, or if the lists of shuffled rows cannot be told apart.
///
/// Memory: two thirds of that for sorting; that of a [`Spool`]; one list, of shuffled rows all rows of one customer and
/// ranking id, 100 bytes each, sixteen times for each thread; and two megabytes.
pub(super) fn impressions(
    rows: Sorted<PartitionRow>,
    source: &Source,
    options: &PartitionOptions,
) -> Result<Sorted<Impression>> {
    let resources = &options.resources;
    let sorter = Sorter::new(resources.sort_bytes() / 3, resources.scratch(), resources);
    let mut last: Option<(i64, HistoryHash)> = None;
    let rows = rows.map(|row| {
        let row = row?;
        match last {
            Some((customer, history)) if customer == row.customer && history != row.history => {
                let why = format!("its history is not that of another row of customer {customer}");
                Err(source.invalid(row.index, &why))
            }
            Some((customer, _)) if customer == row.customer => Ok(row),
            _ => {
                last = Some((row.customer, row.history));
                Ok(row)
            }
        }
    });
    match source.manifest.settings.row_order()? {
        RowOrder::Customer | RowOrder::Carousel(_) => whole_lists(rows, source, sorter),
        RowOrder::Shuffled(seed) => shuffled_lists(rows, seed, source, options, sorter),
    }
}

/// Takes lists that stand whole in the partition.
fn whole_lists(
    rows: impl Iterator<Item = Result<PartitionRow>>,
    source: &Source,
    mut sorter: Sorter<Impression>,
) -> Result<Sorted<Impression>> {
    let mut list: Option<(Impression, u64)> = None;
    for row in rows {
        let row = row?;
        if row.position == 0 {
            let impression = Impression {
                customer: CustomerId(row.customer),
                ranking_id: row.ranking_id,
                elements: vec![row.element],
            };
            if let Some((before, _)) = list.replace((impression, row.index)) {
                sorter.push(before)?;
            }
            continue;
        }
        match &mut list {
            Some((Impression { customer, ranking_id, elements }, begin))
                if (customer.0, &*ranking_id) == (row.customer, &row.ranking_id)
                    && usize::try_from(row.position) == Ok(elements.len())
                    && row.index == *begin + elements.len() as u64 =>
            {
                elements.push(row.element);
            }
            _ => return Err(source.invalid(row.index, "its impression_pos does not continue the list before it")),
        }
    }
    if let Some((last, _)) = list {
        sorter.push(last)?;
    }
    sorter.finish()
}

/// Takes lists whose rows are scattered: first those that their cells tell apart, then the others.
fn shuffled_lists(
    mut rows: impl Iterator<Item = Result<PartitionRow>>,
    seed: u64,
    source: &Source,
    options: &PartitionOptions,
    mut sorter: Sorter<Impression>,
) -> Result<Sorted<Impression>> {
    let (resources, keyed_by) = (&options.resources, (seed, options.dt));
    let mut known = KnownKeys::new(source.manifest.rows);
    let mut open = Spool::new(resources.scratch(), resources.spool_bytes());
    let mut next = rows.next().transpose()?;
    while let Some(first) = next.take() {
        let mut of_lists = vec![first];
        for row in rows.by_ref() {
            let row = row?;
            if of_lists
                .first()
                .is_some_and(|first| (first.customer, &first.ranking_id) == (row.customer, &row.ranking_id))
            {
                of_lists.push(row);
            } else {
                next = Some(row);
                break;
            }
        }
        let index = of_lists.first().held("a row was put there")?.index;
        let lists = ListRows::of(&mut of_lists);
        let lists = lists.ok_or_else(|| source.invalid(index, "its list lacks a row, or has one of them twice"))?;
        match lists.by_cells() {
            Some(lists_told) => {
                lists.add_keys(keyed_by, &lists_told, &mut known)?;
                push(&lists, lists_told, &mut sorter)?;
            }
            None => {
                open.append(&encoded(&of_lists))?;
            }
        }
    }
    let bounds = known.bounds();
    let workers = (0..resources.threads()).map(|_| |rows| told(rows, keyed_by, &bounds, source)).collect();
    let take = |(lists, told): (ListRows, Lists)| push(&lists, told, &mut sorter);
    let mut at = 0;
    let next = || decoded(&open, &mut at);
    ordered_map(resources.cancel(), workers, LISTS_AHEAD, next, take)?;
    sorter.finish()
}

/// Tells lists apart by the order of the partition.
fn told(
    mut rows: Vec<PartitionRow>,
    keyed_by: (u64, Day),
    bounds: &Bounds,
    source: &Source,
) -> Result<(ListRows, Lists)> {
    let index = rows.first().held(AS_WRITTEN)?.index;
    let lists = ListRows::of(&mut rows).held(AS_WRITTEN)?;
    match lists.by_order(keyed_by, bounds)? {
        Told::Apart(told) => Ok((lists, told)),
        Told::Impossible => Err(source.invalid(index, "it does not stand where the order of its list places it")),
        Told::Open => Err(Error::refused(
            format!(
                "the lists of customer {} with {} cannot be told apart in the partition of {}, whose rows are shuffled",
                lists.customer,
                lists.ranking_id.map_or_else(|| "no ranking id".to_owned(), |id| format!("ranking id {id:?}")),
                keyed_by.1
            ),
            message![
                "produce the day again with ",
                [Produce Order = ("carousel")],
                ", which keeps the rows of a list together"
            ],
        )),
    }
}

fn push(lists: &ListRows, told: Lists, sorter: &mut Sorter<Impression>) -> Result<()> {
    for (elements, count) in told {
        for _ in 0..count {
            let (customer, ranking_id) = (CustomerId(lists.customer), lists.ranking_id.clone());
            sorter.push(Impression { customer, ranking_id, elements: elements.clone() })?;
        }
    }
    Ok(())
}

/// Returns rows to be put aside: the size of all (8 bytes), then each with its own size before it (8).
fn encoded(rows: &[PartitionRow]) -> Vec<u8> {
    let mut bytes = vec![0; 8];
    let put_length = |bytes: &mut Vec<u8>, at: usize| {
        let length = (bytes.len() - at - 8) as u64;
        bytes.iter_mut().skip(at).zip(length.to_le_bytes()).for_each(|(to, from)| *to = from);
    };
    for row in rows {
        let at = bytes.len();
        bytes.extend_from_slice(&[0; 8]);
        row.encode(&mut bytes);
        put_length(&mut bytes, at);
    }
    put_length(&mut bytes, 0);
    bytes
}

/// Returns the rows of the next lists put aside; `None` at the end.
fn decoded(open: &Spool, at: &mut u64) -> Result<Option<Vec<PartitionRow>>> {
    if *at == open.length() {
        return Ok(None);
    }
    let (mut buffer, mut rows) = (Vec::new(), Vec::new());
    let length = usize_of(u64::from_le_bytes(Fields(open.read(*at, 8, &mut buffer)?).take().held(AS_WRITTEN)?));
    let mut rest = open.read(*at + 8, length, &mut buffer)?;
    while !rest.is_empty() {
        let (length, behind) = rest.split_first_chunk().held(AS_WRITTEN)?;
        let (row, behind) = behind.split_at_checked(usize_of(u64::from_le_bytes(*length))).held(AS_WRITTEN)?;
        rows.push(PartitionRow::decode(row).held(AS_WRITTEN)?);
        rest = behind;
    }
    *at += 8 + length as u64;
    Ok(Some(rows))
}
