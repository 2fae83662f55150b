//! The impressions of several days, customer by customer.

use std::iter::Peekable;

use crate::error::Result;
use crate::exact::Held;
use crate::model::{CustomerId, Day, Impression};

/// Maximum number of customers in a chunk: their histories take up to 9 kB each.
const CHUNK_CUSTOMERS: usize = 256;

/// A chunk is also full at this many rows, even with few customers.
const CHUNK_ROWS: usize = 50_000;

/// The impressions of some customers on some days.
pub(super) struct CustomerChunk {
    /// The impressions of each day, in the order of the rows.
    pub impressions: Vec<Vec<Impression>>,
    /// The customers, ascending.
    pub customers: Vec<CustomerQuery>,
}

/// A customer of a chunk.
pub(super) struct CustomerQuery {
    pub customer: CustomerId,
    /// The days with an impression in this chunk, newest first; `places` has the index of each among all days.
    pub days: Vec<Day>,
    pub places: Vec<usize>,
}

/// Cuts the impressions of several days into chunks; the cuts depend only on the impressions.
///
/// Memory: one chunk, which exceeds its limit by at most one impression.
pub(super) struct CustomerChunks<I: Iterator> {
    /// Newest day first: the day, its index among all days, and its impressions in the order of customers.
    streams: Vec<(Day, usize, Peekable<I>)>,
}

impl<I: Iterator<Item = Result<Impression>>> CustomerChunks<I> {
    /// Returns the chunks of these days, each given with its impressions in the order of customers.
    pub(super) fn new(days: impl Iterator<Item = (Day, I)>) -> Self {
        let streams = days.enumerate().map(|(place, (day, impressions))| (day, place, impressions.peekable()));
        let mut streams: Vec<_> = streams.collect();
        streams.sort_by(|(one, ..), (other, ..)| other.cmp(one));
        CustomerChunks { streams }
    }

    /// Returns the next chunk, which is never empty; `None` at the end. If one customer's rows fill a chunk, the next
    /// chunk continues with that customer.
    pub(super) fn next_chunk(&mut self) -> Result<Option<CustomerChunk>> {
        let mut chunk =
            CustomerChunk { impressions: self.streams.iter().map(|_| Vec::new()).collect(), customers: Vec::new() };
        let mut rows = 0;
        while chunk.customers.len() < CHUNK_CUSTOMERS && rows < CHUNK_ROWS {
            let Some(customer) = self.next_customer()? else { break };
            let mut query = CustomerQuery { customer, days: Vec::new(), places: Vec::new() };
            for (day, place, stream) in &mut self.streams {
                let mut of_customer = Vec::new();
                while rows < CHUNK_ROWS
                    && let Some(impression) = next_of(stream, customer).transpose()?
                {
                    rows += impression.elements.len();
                    of_customer.push(impression);
                }
                if !of_customer.is_empty() {
                    query.days.push(*day);
                    query.places.push(*place);
                    chunk
                        .impressions
                        .get_mut(*place)
                        .held("each stream of a chunk is of one of its days")?
                        .append(&mut of_customer);
                }
            }
            chunk.customers.push(query);
        }
        Ok((!chunk.customers.is_empty()).then_some(chunk))
    }

    /// Returns the smallest customer id that has an impression left.
    fn next_customer(&mut self) -> Result<Option<CustomerId>> {
        let mut least: Option<CustomerId> = None;
        for (_, _, stream) in &mut self.streams {
            match stream.peek() {
                Some(Ok(impression)) => {
                    least = Some(least.map_or(impression.customer, |least| least.min(impression.customer)))
                }
                Some(Err(_)) => return stream.next().transpose().map(|_| None),
                None => {}
            }
        }
        Ok(least)
    }
}

/// Returns the next impression of a stream if it is the customer's, or the next error.
fn next_of<I: Iterator<Item = Result<Impression>>>(
    stream: &mut Peekable<I>,
    customer: CustomerId,
) -> Option<Result<Impression>> {
    stream.next_if(|next| next.as_ref().map_or(true, |impression| impression.customer == customer))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Error, Kind};
    use crate::model::Element;

    fn impression(customer: i64, rows: usize) -> Impression {
        Impression {
            customer: CustomerId(customer),
            ranking_id: None,
            elements: vec![Element { item_id: 1, label: 0 }; rows],
        }
    }

    fn day(number: i32) -> Day {
        Day::from_number(number).unwrap()
    }

    fn chunks(days: Vec<(i32, Vec<Result<Impression>>)>) -> CustomerChunks<std::vec::IntoIter<Result<Impression>>> {
        CustomerChunks::new(days.into_iter().map(|(number, impressions)| (day(number), impressions.into_iter())))
    }

    #[test]
    fn a_customer_s_days_stand_together_the_newest_first() {
        let of = |customers: &[i64]| customers.iter().map(|customer| Ok(impression(*customer, 1))).collect();
        let mut chunks = chunks(vec![(7, of(&[1, 1, 3])), (9, of(&[2, 3])), (8, of(&[3]))]);
        let chunk = chunks.next_chunk().unwrap().unwrap();
        let query: Vec<_> = chunk.customers.iter().map(|query| (query.customer.0, query.places.clone())).collect();
        assert_eq!(query, [(1, vec![0]), (2, vec![1]), (3, vec![1, 2, 0])]);
        assert_eq!(chunk.customers[2].days, [day(9), day(8), day(7)]);
        assert_eq!(chunk.impressions.iter().map(Vec::len).collect::<Vec<_>>(), [3, 2, 1]);
        assert!(chunks.next_chunk().unwrap().is_none());
    }

    #[test]
    fn a_turn_ends_by_customers_or_by_rows_and_loses_nothing() {
        let many = (0..CHUNK_CUSTOMERS as i64 + 1).map(|customer| Ok(impression(customer, 1))).collect();
        let mut by_customers = chunks(vec![(7, many)]);
        assert_eq!(by_customers.next_chunk().unwrap().unwrap().customers.len(), CHUNK_CUSTOMERS);
        assert_eq!(by_customers.next_chunk().unwrap().unwrap().customers.len(), 1);

        // One customer with rows for more than two chunks, on two days.
        let rows = || (0..5).map(|_| Ok(impression(4, CHUNK_ROWS / 4))).collect::<Vec<_>>();
        let mut by_rows = chunks(vec![(7, rows()), (8, rows())]);
        let mut met = vec![0, 0];
        let mut count = 0;
        while let Some(chunk) = by_rows.next_chunk().unwrap() {
            assert_eq!(chunk.customers.len(), 1);
            assert!(chunk.impressions.iter().map(Vec::len).sum::<usize>() <= 4);
            met.iter_mut().zip(&chunk.impressions).for_each(|(met, of_day)| *met += of_day.len());
            count += 1;
        }
        assert_eq!((met, count), (vec![5, 5], 3));
    }

    #[test]
    fn an_error_of_any_stream_is_given() {
        let failing = vec![Ok(impression(1, 1)), Err(Error::new(Kind::Io, "gone", "nothing"))];
        for days in [
            vec![(7, failing)],
            vec![(7, vec![Ok(impression(5, 1))]), (8, vec![Err(Error::new(Kind::Io, "gone", "nothing"))])],
        ] {
            let mut chunks = chunks(days);
            assert!(chunks.next_chunk().is_err_and(|error| error.to_string().contains("gone")));
        }
    }
}
