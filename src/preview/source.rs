//! One source as it is described, and the files that it has on a day.

use serde::Serialize;

use crate::model::TypeTable;
use crate::sources::{ActionSource, ImpressionSource, Sources, TypeRule};

/// A source of actions, or the impressions.
#[derive(Clone, Debug, Serialize)]
pub struct PreviewedSource {
    /// The name of the source; `impressions`.
    pub name: String,
    /// The pattern of its files.
    pub pattern: String,
    /// Each value that is read, with the name of its column or field.
    pub columns: Vec<(&'static str, String)>,
    /// The configured format of its files.
    pub format: Option<&'static str>,
    /// The unit of times that are numbers.
    /// The list in each record whose elements are the rows.
    pub explode: Option<String>,
    /// The unit of integer times.
    pub time_unit: Option<&'static str>,
    /// The configured form of times that are text.
    pub time_format: Option<String>,
    /// The configured meaning of INT96 times.
    pub int96: Option<&'static str>,
    /// What becomes of rows without a customer.
    pub without_customer: &'static str,
    /// What a row of impressions is; `None` for actions.
    pub layout: Option<&'static str>,
    /// The type of all its actions, or the values of the column of types, each with its type or `ignored`.
    pub types: Vec<(Option<String>, String)>,
    /// The files of the source on the day; `None` if no day was asked for.
    #[serde(rename = "found")]
    pub files: Option<FoundFiles>,
}

/// The files of a source on a day.
#[derive(Clone, Debug, Default, Serialize)]
pub struct FoundFiles {
    /// Their number.
    #[serde(rename = "files")]
    pub count: usize,
    /// Their total size.
    pub bytes: u64,
    /// The columns of the first file, each with its type.
    pub columns: Vec<(String, String)>,
}

impl PreviewedSource {
    /// Describes the sources of actions, then the impressions.
    pub(super) fn all_of(sources: &Sources) -> Vec<Self> {
        let actions = sources.actions.iter().map(|source| Self::of_actions(source, &sources.types));
        actions.chain([Self::of_impressions(&sources.impressions)]).collect()
    }

    fn of_actions(source: &ActionSource, types: &TypeTable) -> Self {
        PreviewedSource {
            name: source.name.clone(),
            pattern: source.pattern.text().to_owned(),
            columns: owned(&source.columns()),
            format: source.format.map(|format| format.name()),
            explode: source.explode.clone(),
            time_unit: source.time_unit.map(|unit| unit.name()),
            time_format: source.time_format.as_ref().map(|format| format.text().to_owned()),
            int96: source.int96.map(|int96| int96.name()),
            without_customer: source.without_customer.name(),
            layout: None,
            types: types_of(&source.types, types),
            files: None,
        }
    }

    fn of_impressions(source: &ImpressionSource) -> Self {
        PreviewedSource {
            name: "impressions".to_owned(),
            pattern: source.pattern.text().to_owned(),
            columns: owned(&source.columns()),
            format: source.format.map(|format| format.name()),
            explode: None,
            time_unit: None,
            time_format: None,
            int96: None,
            without_customer: source.without_customer.name(),
            layout: Some(source.layout.name()),
            types: Vec::new(),
            files: None,
        }
    }
}

fn owned(columns: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
    columns.iter().map(|(what, name)| (*what, (*name).to_owned())).collect()
}

fn types_of(rule: &TypeRule, types: &TypeTable) -> Vec<(Option<String>, String)> {
    match rule {
        TypeRule::Constant(action_type) => vec![(None, types.name(action_type.number()))],
        TypeRule::Column { values, .. } => {
            let named = values.iter().map(|(value, action_type)| {
                let name = action_type.map_or_else(|| "ignored".to_owned(), |known| types.name(known.number()));
                (Some(value.clone()), name)
            });
            named.collect()
        }
    }
}
