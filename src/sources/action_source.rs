//! One source of actions.

use std::collections::BTreeMap;

use super::mapping::{Mapping, hash, put, put_ids};
use super::{CsvDialect, FileFormat, Pattern, TimeFormat};
use crate::message::named;
use crate::model::{ActionType, Ids};

/// The sources that apply without a configuration, in the order of their numbers in a batch record, from 1.
pub const BUILT_IN: [&str; 3] = ["clicks", "add_to_carts", "orders"];

/// Returns the sort key of sources: the built-in names first, then by name.
pub fn source_rank(name: &str) -> (usize, &str) {
    (BUILT_IN.iter().position(|built_in| *built_in == name).unwrap_or(BUILT_IN.len()), name)
}

named! {
    /// The unit of integer times.
    pub enum TimeUnit {
        /// `s`
        Seconds = "s",
        /// `ms`
        Milliseconds = "ms",
        /// `us`
        Microseconds = "us",
        /// `ns`
        Nanoseconds = "ns",
    }
    ALL
}

impl TimeUnit {
    /// Returns the power of ten that one of the unit is in microseconds.
    pub(crate) fn power_of_microseconds(self) -> i32 {
        match self {
            TimeUnit::Seconds => 6,
            TimeUnit::Milliseconds => 3,
            TimeUnit::Microseconds => 0,
            TimeUnit::Nanoseconds => -3,
        }
    }

    /// Converts to microseconds, rounding down (towards the past). `None` beyond 64 bits.
    pub(crate) fn microseconds(self, count: i64) -> Option<i64> {
        match self {
            TimeUnit::Seconds => count.checked_mul(1_000_000),
            TimeUnit::Milliseconds => count.checked_mul(1_000),
            TimeUnit::Microseconds => Some(count),
            TimeUnit::Nanoseconds => Some(count.div_euclid(1_000)),
        }
    }
}

named! {
    /// The meaning of times in Parquet's old type INT96.
    pub enum Int96 {
        /// Times in UTC.
        Utc = "instant",
        /// Times on the wall clock of the store's zone.
        WallTime = "wall_time",
    }
    ALL
}

impl Int96 {
    /// Returns the meaning used by a file's writer, by `created_by` in its footer: Impala writes wall times, all others
    /// instants.
    pub(crate) fn of_writer(created_by: &str) -> Self {
        if created_by.starts_with("impala") { Int96::WallTime } else { Int96::Utc }
    }
}

named! {
    /// What becomes of rows whose customer is null.
    #[derive(Default)]
    pub enum WithoutCustomer {
        /// They are bad rows.
        #[default]
        Refuse = "refuse",
        /// They are left out, and counted.
        LeaveOut = "leave_out",
    }
    ALL
}

/// How to determine the type of an action.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum TypeRule {
    /// All actions of the source have this type.
    Constant(ActionType),
    /// The value of a column determines the type.
    Column {
        /// Its name.
        column: String,
        /// The type for each value; `None`: such a row is no action, and is counted as ignored. A row with a value that
        /// is not listed is a bad row.
        values: BTreeMap<String, Option<ActionType>>,
    },
}

/// Files of actions with the same description.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ActionSource {
    /// The name in messages and batch records.
    pub name: String,
    /// The pattern of the files of a day.
    pub pattern: Pattern,
    /// The format of the files; `None`: what each file's name or content tells.
    pub format: Option<FileFormat>,
    /// The column of the customer.
    pub customer_id: String,
    /// The column of the item.
    pub item_id: String,
    /// The column of the time.
    pub time: String,
    /// The column that replaces the time in files without that column.
    pub date: Option<String>,
    /// The unit of times that are numbers; `None`: numbers are no times.
    pub time_unit: Option<TimeUnit>,
    /// The form of times that are text; `None`: ISO 8601.
    pub time_format: Option<TimeFormat>,
    /// What becomes of rows whose customer is null.
    pub without_customer: WithoutCustomer,
    /// The column of event ids: of rows of a batch that have the same id, the earliest stays.
    pub distinct_by: Option<String>,
    /// The column that orders the rows of one time: a number that is added to the time as microseconds.
    pub order_column: Option<String>,
    /// The meaning of times in INT96; `None`: that used by the file's writer.
    pub int96: Option<Int96>,
    /// The type of the actions.
    pub types: TypeRule,
    /// How ids become numbers: the same for all sources.
    pub ids: Ids,
    /// The list in each record whose elements are the rows; `None`: each record is a row.
    pub explode: Option<String>,
    /// How its CSV files are written.
    pub csv: CsvDialect,
}

impl ActionSource {
    /// Returns the contract's source of clicks, add_to_carts or orders; `None` for any other name.
    pub fn built_in(name: &str) -> Option<Self> {
        let (item_id, time, date, action_type) = match name {
            "clicks" => ("item_id", "click_time", None, ActionType::CLICK),
            "add_to_carts" => ("config_id", "occurred_at", None, ActionType::ADD_TO_CART),
            "orders" => ("config_id", "occurred_at", Some("order_date"), ActionType::ORDER),
            _ => return None,
        };
        Some(ActionSource {
            name: name.to_owned(),
            pattern: Pattern::hive(name),
            format: None,
            customer_id: "customer_id".to_owned(),
            item_id: item_id.to_owned(),
            time: time.to_owned(),
            date: date.map(str::to_owned),
            time_unit: None,
            time_format: None,
            without_customer: WithoutCustomer::default(),
            distinct_by: None,
            order_column: None,
            int96: None,
            types: TypeRule::Constant(action_type),
            ids: Ids::default(),
            explode: None,
            csv: CsvDialect::default(),
        })
    }

    /// Returns the number of a built-in source, 1 to 3, if the rows of this source become the same actions as the
    /// built-in's; the pattern may differ.
    pub(crate) fn built_in_number(&self) -> Option<u8> {
        let built_in = Self::built_in(&self.name).filter(|built_in| built_in.mapping() == self.mapping())?;
        let place = BUILT_IN.iter().position(|name| *name == built_in.name)?;
        u8::try_from(place + 1).ok()
    }

    /// Returns a hash over everything except the file that determines an action: columns, unit and form of times,
    /// types, rules. The specification of the store defines the bytes. The format of files is no part of it: the bytes
    /// of a file are rows in one format at most.
    pub(crate) fn mapping(&self) -> Mapping {
        // Destructured, so that a new field does not compile until someone decides whether it belongs in the hash.
        let ActionSource {
            name: _,
            pattern: _,
            format: _,
            customer_id,
            item_id,
            time,
            date,
            time_unit,
            time_format,
            without_customer,
            distinct_by,
            order_column,
            int96,
            types,
            ids,
            explode,
            csv,
        } = self;
        let mut bytes = Vec::new();
        for text in [customer_id, item_id, time] {
            put(text, &mut bytes);
        }
        put(date.as_deref().unwrap_or_default(), &mut bytes);
        put(time_unit.map_or("", TimeUnit::name), &mut bytes);
        match types {
            TypeRule::Constant(action_type) => bytes.push(action_type.number()),
            TypeRule::Column { column, values } => {
                bytes.push(0);
                put(column, &mut bytes);
                for (value, action_type) in values {
                    put(value, &mut bytes);
                    bytes.push(action_type.map_or(0, ActionType::number));
                }
            }
        }
        // Only if given, so that the hashes of sources without these settings never change.
        let left_out = Some(without_customer.name()).filter(|_| *without_customer == WithoutCustomer::LeaveOut);
        let given = [
            ("int96", int96.map(Int96::name)),
            ("time_format", time_format.as_ref().map(TimeFormat::text)),
            ("without_customer", left_out),
            ("distinct_by", distinct_by.as_deref()),
            ("order_column", order_column.as_deref()),
            ("explode", explode.as_deref()),
        ];
        for (key, value) in given {
            if let Some(value) = value {
                put(key, &mut bytes);
                put(value, &mut bytes);
            }
        }
        put_ids(*ids, &mut bytes);
        csv.put(&mut bytes);
        hash(&bytes)
    }

    /// Returns the configurable columns with their names in the files, in the order of the contract.
    pub fn columns(&self) -> Vec<(&'static str, &str)> {
        let mut columns =
            vec![("customer_id", self.customer_id.as_str()), ("item_id", &self.item_id), ("time", &self.time)];
        columns.extend(self.date.as_deref().map(|date| ("date", date)));
        if let TypeRule::Column { column, .. } = &self.types {
            columns.push(("type", column));
        }
        let keys = [("distinct_by", &self.distinct_by), ("order_column", &self.order_column)];
        columns.extend(keys.into_iter().filter_map(|(key, column)| Some((key, column.as_deref()?))));
        columns
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::IdForm;

    #[test]
    fn a_mapping_is_all_that_an_action_follows_from() {
        let clicks = ActionSource::built_in("clicks").unwrap();
        let with = |change: fn(&mut ActionSource)| {
            let mut changed = clicks.clone();
            change(&mut changed);
            changed.mapping()
        };
        let rule = |values: &[(&str, u8)]| TypeRule::Column {
            column: "event".to_owned(),
            values: values
                .iter()
                .map(|(value, number)| ((*value).to_owned(), ActionType::from_number(*number)))
                .collect(),
        };
        let mut mappings = vec![
            clicks.mapping(),
            with(|source| source.customer_id = "c".to_owned()),
            with(|source| source.item_id = "i".to_owned()),
            with(|source| source.time = "t".to_owned()),
            with(|source| source.date = Some("d".to_owned())),
            with(|source| source.time_unit = Some(TimeUnit::Milliseconds)),
            with(|source| source.time_unit = Some(TimeUnit::Microseconds)),
            with(|source| source.int96 = Some(Int96::Utc)),
            with(|source| source.int96 = Some(Int96::WallTime)),
            with(|source| source.without_customer = WithoutCustomer::LeaveOut),
            with(|source| source.distinct_by = Some("e".to_owned())),
            with(|source| source.order_column = Some("e".to_owned())),
            with(|source| source.time_format = TimeFormat::new("%d.%m.%Y").ok()),
            with(|source| source.time_format = TimeFormat::new("%m.%d.%Y").ok()),
            with(|source| source.explode = Some("events".to_owned())),
            with(|source| source.explode = Some("csv".to_owned())),
            with(|source| source.csv.separator = Some(b';')),
            with(|source| source.csv.separator = Some(b',')),
            with(|source| source.csv.quote = None),
            with(|source| source.csv.quote = Some(b'\'')),
            with(|source| source.csv.escape = Some(b'\\')),
            with(|source| source.csv.has_header = false),
            with(|source| source.csv.nulls = ["NULL".to_owned()].into()),
            with(|source| source.csv.nulls = ["NULL".to_owned(), "\\N".to_owned()].into()),
            with(|source| source.types = TypeRule::Constant(ActionType::ORDER)),
            with(|source| source.ids.customer = IdForm::Text),
            with(|source| source.ids.item = IdForm::Text),
            with(|source| source.ids.item_offset = 1),
            with(|source| source.ids.item_offset = -1),
            ActionSource { types: rule(&[("a", 1)]), ..clicks.clone() }.mapping(),
            ActionSource { types: rule(&[("a", 2)]), ..clicks.clone() }.mapping(),
            ActionSource { types: rule(&[("a", 1), ("b", 0)]), ..clicks.clone() }.mapping(),
        ];
        let count = mappings.len();
        mappings.sort_unstable();
        mappings.dedup();
        assert_eq!(mappings.len(), count, "each change gives another");
        let moved = ActionSource { name: "x".to_owned(), pattern: Pattern::hive("y"), ..clicks.clone() };
        assert_eq!(moved.mapping(), clicks.mapping(), "name and place are no part of it");
        assert_eq!(with(|source| source.format = Some(FileFormat::Parquet)), clicks.mapping(), "nor is the format");
        assert_eq!((clicks.built_in_number(), moved.built_in_number()), (Some(1), None));
        let placed = ActionSource { pattern: Pattern::hive("y"), ..clicks };
        assert_eq!(placed.built_in_number(), Some(1));
    }

    /// Batch records hold these hashes, which never change.
    #[test]
    fn golden_mappings() {
        let hex = |source: &ActionSource| format!("{:032x}", u128::from_be_bytes(source.mapping()));
        let events = ActionSource {
            name: "events".to_owned(),
            pattern: Pattern::hive("events"),
            format: None,
            customer_id: "visitorid".to_owned(),
            item_id: "itemid".to_owned(),
            time: "timestamp".to_owned(),
            date: None,
            time_unit: Some(TimeUnit::Milliseconds),
            time_format: None,
            without_customer: WithoutCustomer::Refuse,
            distinct_by: None,
            order_column: None,
            int96: None,
            types: TypeRule::Column {
                column: "event".to_owned(),
                values: [("view".to_owned(), ActionType::from_number(1)), ("ping".to_owned(), None)].into(),
            },
            ids: Ids::default(),
            explode: None,
            csv: CsvDialect::default(),
        };
        let clicks = ActionSource::built_in("clicks").unwrap();
        assert_eq!((hex(&clicks), hex(&events)), (GOLDEN.0.to_owned(), GOLDEN.1.to_owned()));
    }

    const GOLDEN: (&str, &str) = ("c7300f776cdadc501fec9bb79771a982", "0ec9a680d7b1f269b277a20ec6f33c67");

    #[test]
    fn units_are_scaled_and_what_is_finer_is_cut_off() {
        let one = TimeUnit::ALL.map(|unit| unit.microseconds(1_999));
        assert_eq!(one, [Some(1_999_000_000), Some(1_999_000), Some(1_999), Some(1)]);
        assert_eq!(TimeUnit::Nanoseconds.microseconds(-1), Some(-1));
        assert_eq!(TimeUnit::Seconds.microseconds(i64::MAX), None);
        assert_eq!(TimeUnit::Milliseconds.microseconds(i64::MIN), None);
    }
}
