//! The impressions of several days, customer by customer.

use std::iter::Peekable;

use crate::error::Result;
use crate::exact::Held;
use crate::model::{CustomerId, Day, Impression};

/// Customers of a turn: their histories take up to 9 kB each.
const TURN_CUSTOMERS: usize = 256;

/// A turn is full with so many rows, however few its customers are.
const TURN_ROWS: usize = 50_000;

/// The impressions of some customers on some days.
pub(super) struct Turn {
    /// By day, in the order of the rows.
    pub impressions: Vec<Vec<Impression>>,
    /// The customers, ascending.
    pub customers: Vec<AskedFor>,
}

/// A customer of a turn.
pub(super) struct AskedFor {
    pub customer: CustomerId,
    /// The days with an impression of this turn, the newest first; and which of all days each is.
    pub days: Vec<Day>,
    pub places: Vec<usize>,
}

/// Cuts the impressions of several days into turns, by the impressions alone.
///
/// Memory: one turn, which has one impression more than it has room for at most.
pub(super) struct Turns<I: Iterator> {
    /// By day, the newest first: the day, its place among all, and its impressions in the order of customers.
    streams: Vec<(Day, usize, Peekable<I>)>,
}

impl<I: Iterator<Item = Result<Impression>>> Turns<I> {
    /// Those of these days, each with its impressions in the order of customers.
    pub fn new(days: impl Iterator<Item = (Day, I)>) -> Self {
        let streams = days.enumerate().map(|(place, (day, impressions))| (day, place, impressions.peekable()));
        let mut streams: Vec<_> = streams.collect();
        streams.sort_by(|(one, ..), (other, ..)| other.cmp(one));
        Turns { streams }
    }

    /// The next turn, never an empty one; `None` at the end. Where a turn is full of one customer's rows, the next goes on with them.
    pub fn turn(&mut self) -> Result<Option<Turn>> {
        let mut turn = Turn { impressions: self.streams.iter().map(|_| Vec::new()).collect(), customers: Vec::new() };
        let mut rows = 0;
        while turn.customers.len() < TURN_CUSTOMERS && rows < TURN_ROWS {
            let Some(customer) = self.next_customer()? else { break };
            let mut asked = AskedFor { customer, days: Vec::new(), places: Vec::new() };
            for (day, place, stream) in &mut self.streams {
                let mut of_customer = Vec::new();
                while rows < TURN_ROWS
                    && let Some(impression) = next_of(stream, customer).transpose()?
                {
                    rows += impression.elements.len();
                    of_customer.push(impression);
                }
                if !of_customer.is_empty() {
                    asked.days.push(*day);
                    asked.places.push(*place);
                    turn.impressions
                        .get_mut(*place)
                        .held("each stream of a turn is of one of its days")?
                        .append(&mut of_customer);
                }
            }
            turn.customers.push(asked);
        }
        Ok((!turn.customers.is_empty()).then_some(turn))
    }

    /// The least customer that has an impression left.
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

/// The next impression of a stream, if it is the customer's, or is an error.
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

    fn turns(days: Vec<(i32, Vec<Result<Impression>>)>) -> Turns<std::vec::IntoIter<Result<Impression>>> {
        Turns::new(days.into_iter().map(|(number, impressions)| (day(number), impressions.into_iter())))
    }

    #[test]
    fn a_customer_s_days_stand_together_the_newest_first() {
        let of = |customers: &[i64]| customers.iter().map(|customer| Ok(impression(*customer, 1))).collect();
        let mut turns = turns(vec![(7, of(&[1, 1, 3])), (9, of(&[2, 3])), (8, of(&[3]))]);
        let turn = turns.turn().unwrap().unwrap();
        let asked: Vec<_> = turn.customers.iter().map(|asked| (asked.customer.0, asked.places.clone())).collect();
        assert_eq!(asked, [(1, vec![0]), (2, vec![1]), (3, vec![1, 2, 0])]);
        assert_eq!(turn.customers[2].days, [day(9), day(8), day(7)]);
        assert_eq!(turn.impressions.iter().map(Vec::len).collect::<Vec<_>>(), [3, 2, 1]);
        assert!(turns.turn().unwrap().is_none());
    }

    #[test]
    fn a_turn_ends_by_customers_or_by_rows_and_loses_nothing() {
        let many = (0..TURN_CUSTOMERS as i64 + 1).map(|customer| Ok(impression(customer, 1))).collect();
        let mut by_customers = turns(vec![(7, many)]);
        assert_eq!(by_customers.turn().unwrap().unwrap().customers.len(), TURN_CUSTOMERS);
        assert_eq!(by_customers.turn().unwrap().unwrap().customers.len(), 1);

        // One customer with rows for two turns and a bit, on two days.
        let rows = || (0..5).map(|_| Ok(impression(4, TURN_ROWS / 4))).collect::<Vec<_>>();
        let mut by_rows = turns(vec![(7, rows()), (8, rows())]);
        let mut met = vec![0, 0];
        let mut count = 0;
        while let Some(turn) = by_rows.turn().unwrap() {
            assert_eq!(turn.customers.len(), 1);
            assert!(turn.impressions.iter().map(Vec::len).sum::<usize>() <= 4);
            met.iter_mut().zip(&turn.impressions).for_each(|(met, of_day)| *met += of_day.len());
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
            let mut turns = turns(days);
            assert!(turns.turn().is_err_and(|error| error.to_string().contains("gone")));
        }
    }
}
