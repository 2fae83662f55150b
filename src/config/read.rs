//! Converts the text of a configuration to the sources that it describes.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use toml::de::DeTable;

use super::csv::read_csv;
use super::ids::read_ids;
use super::row_rules::{read_column, read_layout, read_without_customer, refuse_column_of_other_layout};
use super::section::{Document, Section};
use crate::error::{Error, Result};
use crate::model::{ActionType, Ids, TypeTable, is_type_name};
use crate::sources::{
    ActionSource, CsvDialect, FileFormat, ImpressionSource, Int96, Pattern, SOURCES_MAX, Sources, TimeFormat, TimeUnit,
    TypeRule, in_element, source_rank,
};

const SOURCE_KEYS: [&str; 13] = [
    "pattern",
    "format",
    "columns",
    "explode",
    "time_unit",
    "time_format",
    "without_customer",
    "distinct_by",
    "order_column",
    "int96",
    "type",
    "values",
    "ignore",
];
pub(super) const COLUMN_KEYS: [&str; 5] = ["customer_id", "item_id", "time", "date", "type"];
const IMPRESSION_KEYS: [&str; 5] = ["pattern", "format", "layout", "columns", "without_customer"];
pub(super) const IMPRESSION_COLUMN_KEYS: [&str; 6] =
    ["ranking_id", "customer_id", "impressions", "item_id", "is_order", "position"];

/// The maximum length of a source's name, in characters.
const SOURCE_NAME_CHARS_MAX: usize = 64;

/// Returns the sources that `text`, the content of the file at `path`, describes. Fails on anything it does not
/// understand, naming file and line.
pub(crate) fn parse(path: &Path, text: &str) -> Result<Sources> {
    let document = Document { path, text };
    let table = DeTable::parse(text).map_err(|error| {
        let message = error.message().lines().next().unwrap_or("it is not TOML").to_owned();
        document
            .error(&error.span().unwrap_or_default(), &message, "correct the file, which must be valid TOML")
            .caused_by(error)
    })?;
    let root = Section::root(document, &table);
    root.only(&["types", "ids", "csv", "sources", "impressions"])?;
    let types = match root.section("types", "[types]".to_owned())? {
        Some(section) => read_types(&section)?,
        None => TypeTable::default(),
    };
    let mut actions = match root.section("sources", "[sources]".to_owned())? {
        Some(section) => read_sources(&section, &types)?,
        None => default_sources(&types).map_err(|name| {
            let what = format!("[types] has no {name}, a type of the default sources clicks, add_to_carts and orders");
            document.error(&table.span(), &what, "add it to [types], or describe each source under [sources.NAME]")
        })?,
    };
    let mut impressions = match root.section("impressions", "[impressions]".to_owned())? {
        Some(section) => read_impressions(&section)?,
        None => ImpressionSource::default(),
    };
    if let Some(section) = root.section("csv", "[csv]".to_owned())? {
        let csv = read_csv(&section)?;
        actions.iter_mut().for_each(|source| source.csv.clone_from(&csv));
        impressions.csv = csv;
    }
    let ids = root.section("ids", "[ids]".to_owned())?.map(|section| read_ids(&section)).transpose()?;
    Ok(Sources { types, actions, impressions, file: Some(path.to_owned()) }.with_ids(ids.unwrap_or_default()))
}

/// Returns the sources that apply without a configuration, each with the table's number for its type. Fails with the
/// type that the table lacks.
fn default_sources(types: &TypeTable) -> Result<Vec<ActionSource>, String> {
    let sources = Sources::default().actions.into_iter();
    sources.map(|source| Ok(ActionSource { types: default_rule(&source, types)?, ..source })).collect()
}

/// Returns the type of a built-in source, by its name. Fails with the name that the table lacks.
fn default_rule(built_in: &ActionSource, types: &TypeTable) -> Result<TypeRule, String> {
    match &built_in.types {
        TypeRule::Constant(action_type) => {
            let name = TypeTable::default().name(action_type.number());
            types.type_named(&name).map(TypeRule::Constant).ok_or(name)
        }
        by_column @ TypeRule::Column { .. } => Ok(by_column.clone()),
    }
}

fn read_types(section: &Section<'_>) -> Result<TypeTable> {
    let document = section.document;
    let mut types: BTreeMap<u8, String> = BTreeMap::new();
    for (name, span, value) in section.entries() {
        if !is_type_name(name) {
            let what = format!("{name:?} is not a valid name of a type");
            return Err(document.error(&span, &what, "give 1 to 64 letters, digits, _, - and . of ASCII"));
        }
        let number = document.small_number_of(&format!("{name} in [types]"), value)?;
        let Some(number) = number.filter(|number| *number > 0) else {
            let what = format!("the number of {name} is not from 1 to 255");
            return Err(document.error(&value.span(), &what, "give another number; 0 is the padding"));
        };
        if let Some(before) = types.insert(number, name.to_owned()) {
            let what = format!("{before} and {name} have the same number, {number}");
            return Err(document.error(&value.span(), &what, "give each type a number of its own"));
        }
    }
    TypeTable::new(types).ok_or_else(|| section.error("is empty", "name at least one type, such as click = 1"))
}

/// Whether a source may have this name.
pub(super) fn is_source_name(name: &str) -> bool {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || ['_', '-'].contains(&letter);
    (1..=SOURCE_NAME_CHARS_MAX).contains(&name.len()) && name.chars().all(is_plain)
}

fn read_sources(section: &Section<'_>, types: &TypeTable) -> Result<Vec<ActionSource>> {
    let mut sources = Vec::new();
    for (name, span, value) in section.entries() {
        let document = section.document;
        if !is_source_name(name) {
            let what = format!("{name:?} is not a valid name of a source");
            return Err(document.error(&span, &what, "give 1 to 64 letters, digits, _ and - of ASCII"));
        }
        let title = format!("[sources.{name}]");
        sources.push(read_source(name, &Section::of(document, title, value)?, types)?);
    }
    if sources.is_empty() || sources.len() > SOURCES_MAX {
        let what = format!("has {} sources", sources.len());
        return Err(section.error(&what, &format!("describe 1 to {SOURCES_MAX}, or leave [sources] out")));
    }
    sources.sort_by(|one, other| source_rank(&one.name).cmp(&source_rank(&other.name)));
    Ok(sources)
}

fn read_source(name: &str, section: &Section<'_>, types: &TypeTable) -> Result<ActionSource> {
    section.only(&SOURCE_KEYS)?;
    let columns = section.section("columns", format!("columns in {}", section.name))?;
    let named = |key| -> Result<Option<String>> {
        let text = columns.as_ref().map(|columns| columns.text(key)).transpose()?.flatten();
        Ok(text.map(|(text, _)| text.to_owned()))
    };
    columns.as_ref().map(|columns| columns.only(&COLUMN_KEYS)).transpose()?;
    // A source of the contract has the contract's values for keys that are not given.
    let built_in = ActionSource::built_in(name);
    let of_built_in = |field: fn(&ActionSource) -> &String| built_in.as_ref().map(field).cloned();
    let pattern = match (read_pattern(section)?, &built_in) {
        (Some(pattern), _) => pattern,
        (None, Some(built_in)) => built_in.pattern.clone(),
        (None, None) => {
            let example = format!("name its files, such as pattern = \"{name}/dt={{dt}}\"");
            return Err(section.error("has no pattern", &example));
        }
    };
    let time = named("time")?;
    let date = match (named("date")?, &time) {
        (Some(date), _) => Some(date),
        // With another time column, the default column's fallback does not apply.
        (None, Some(_)) => None,
        (None, None) => built_in.as_ref().and_then(|built_in| built_in.date.clone()),
    };
    let time = time
        .or_else(|| of_built_in(|source| &source.time))
        .ok_or_else(|| section.error("has no time column", "name it, such as columns = { time = \"timestamp\" }"))?;
    let explode = read_explode(section, columns.as_ref())?;
    let customer_id = named("customer_id")?.unwrap_or_else(|| "customer_id".to_owned());
    let item_id = named("item_id")?.or_else(|| of_built_in(|source| &source.item_id));
    Ok(ActionSource {
        name: name.to_owned(),
        pattern,
        format: read_format(section)?,
        customer_id,
        item_id: item_id.unwrap_or_else(|| "item_id".to_owned()),
        time,
        date,
        time_unit: read_time_unit(section)?,
        time_format: read_time_format(section)?,
        without_customer: read_without_customer(section)?,
        distinct_by: read_column(section, "distinct_by")?,
        order_column: read_column(section, "order_column")?,
        int96: read_int96(section)?,
        types: read_rule(section, columns.as_ref(), types, built_in.as_ref())?,
        ids: Ids::default(),
        explode,
        csv: CsvDialect::default(),
    })
}

/// Returns the list whose elements are the rows. Fails if no column is of an element.
fn read_explode(section: &Section<'_>, columns: Option<&Section<'_>>) -> Result<Option<String>> {
    let Some((list, span)) = section.text("explode")? else { return Ok(None) };
    let columns = columns.map(Section::entries).unwrap_or_default();
    for (_, _, name) in columns {
        if in_element(Some(list), section.document.text_of("a column", name)?).is_some() {
            return Ok(Some(list.to_owned()));
        }
    }
    let what = format!("{} explodes {list:?}, but none of its columns is in an element of that list", section.name);
    let example = format!("name one by the list and a dot, such as columns = {{ item_id = \"{list}.item_id\" }}");
    Err(section.document.error(&span, &what, &example))
}

fn read_pattern(section: &Section<'_>) -> Result<Option<Pattern>> {
    let Some((text, span)) = section.text("pattern")? else { return Ok(None) };
    let pattern = Pattern::new(text).map_err(|why| {
        let what = format!("the pattern {text:?} {why}");
        section.document.error(&span, &what, "write it like clicks/dt={dt} or events/{dt}/clicks-*.parquet")
    })?;
    Ok(Some(pattern))
}

fn read_time_unit(section: &Section<'_>) -> Result<Option<TimeUnit>> {
    let Some((text, span)) = section.text("time_unit")? else { return Ok(None) };
    let unit = TimeUnit::ALL.into_iter().find(|unit| unit.name() == text);
    let unit = unit.ok_or_else(|| {
        let what = format!("{text:?} is not a unit of time");
        section.document.unknown(&span, &what, text, "the units are", &TimeUnit::ALL.map(TimeUnit::name))
    })?;
    Ok(Some(unit))
}

fn read_format(section: &Section<'_>) -> Result<Option<FileFormat>> {
    let Some((text, span)) = section.text("format")? else { return Ok(None) };
    let format = FileFormat::ALL.into_iter().find(|format| format.name() == text);
    let format = format.ok_or_else(|| {
        let what = format!("{text:?} is not a format of files");
        section.document.unknown(&span, &what, text, "the formats are", &FileFormat::ALL.map(FileFormat::name))
    })?;
    Ok(Some(format))
}

fn read_time_format(section: &Section<'_>) -> Result<Option<TimeFormat>> {
    let Some((text, span)) = section.text("time_format")? else { return Ok(None) };
    let format = TimeFormat::new(text).map_err(|why| {
        let what = format!("the time_format {text:?} {why}");
        section.document.error(&span, &what, "write it like %d.%m.%Y %H:%M:%S, with %z where times have an offset")
    })?;
    Ok(Some(format))
}

fn read_int96(section: &Section<'_>) -> Result<Option<Int96>> {
    let Some((text, span)) = section.text("int96")? else { return Ok(None) };
    let int96 = Int96::ALL.into_iter().find(|int96| int96.name() == text);
    let int96 = int96.ok_or_else(|| {
        let what = format!("{text:?} is not a meaning of INT96 times");
        section.document.unknown(&span, &what, text, "the meanings are", &Int96::ALL.map(Int96::name))
    })?;
    Ok(Some(int96))
}

fn read_rule(
    section: &Section<'_>,
    columns: Option<&Section<'_>>,
    types: &TypeTable,
    built_in: Option<&ActionSource>,
) -> Result<TypeRule> {
    let document = section.document;
    let column = columns.map(|columns| columns.text("type")).transpose()?.flatten();
    let constant = section.text("type")?;
    match (column, constant) {
        (Some(_), Some((_, span))) => Err(document.error(
            &span,
            &format!("{} has both a type and a column of types", section.name),
            "leave one of type and columns.type out",
        )),
        (Some((column, _)), None) => {
            Ok(TypeRule::Column { column: column.to_owned(), values: read_values(section, types)? })
        }
        (None, constant) => {
            for key in ["values", "ignore"] {
                if let Some(value) = section.get(key) {
                    let what = format!("{} has {key} but no column of types", section.name);
                    return Err(document.error(&value.span(), &what, "name the column with columns.type"));
                }
            }
            match (constant, built_in) {
                (Some((name, span)), _) => Ok(TypeRule::Constant(known_type(document, name, &span, types)?)),
                (None, Some(built_in)) => default_rule(built_in, types).map_err(|name| {
                    let what = format!("has no type, and [types] has no {name}");
                    section.error(&what, "give the type of its actions with type = NAME")
                }),
                (None, None) => Err(section.error(
                    "has neither a type nor a column of types",
                    "give all its actions one type with type, or name their column of types with columns.type",
                )),
            }
        }
    }
}

/// Returns the type of each value: by `values`, or without it by each type's own name. Values in `ignore` are no
/// actions.
fn read_values(section: &Section<'_>, types: &TypeTable) -> Result<BTreeMap<String, Option<ActionType>>> {
    let document = section.document;
    let mut values: BTreeMap<String, Option<ActionType>> = BTreeMap::new();
    match section.section("values", format!("values in {}", section.name))? {
        Some(listed) => {
            for (value, _, name) in listed.entries() {
                let text = document.text_of(&format!("{value} in {}", listed.name), name)?;
                values.insert(value.to_owned(), Some(known_type(document, text, &name.span(), types)?));
            }
            if values.is_empty() {
                return Err(listed.error("is empty", "map each value to a type, such as view = \"click\""));
            }
        }
        None => {
            values.extend(types.iter().map(|(number, name)| (name.to_owned(), ActionType::from_number(number))));
        }
    }
    let Some(ignored) = section.get("ignore") else { return Ok(values) };
    for (value, span) in document.texts_of(&format!("ignore in {}", section.name), ignored)? {
        if values.insert(value.to_owned(), None).is_some() {
            let what = format!("the value {value:?} is both mapped to a type and ignored, or is ignored twice");
            return Err(document.error(&span, &what, "remove one of the two"));
        }
    }
    Ok(values)
}

fn known_type(document: Document<'_>, name: &str, span: &Range<usize>, types: &TypeTable) -> Result<ActionType> {
    let unknown = || -> Error {
        let names: Vec<&str> = types.iter().map(|(_, name)| name).collect();
        document.unknown(span, &format!("there is no type {name:?}"), name, "the types are", &names)
    };
    types.type_named(name).ok_or_else(unknown)
}

fn read_impressions(section: &Section<'_>) -> Result<ImpressionSource> {
    section.only(&IMPRESSION_KEYS)?;
    let mut impressions = ImpressionSource {
        layout: read_layout(section)?,
        without_customer: read_without_customer(section)?,
        ..ImpressionSource::default()
    };
    if let Some(pattern) = read_pattern(section)? {
        impressions.pattern = pattern;
    }
    impressions.format = read_format(section)?;
    let Some(columns) = section.section("columns", format!("columns in {}", section.name))? else {
        return Ok(impressions);
    };
    columns.only(&IMPRESSION_COLUMN_KEYS)?;
    refuse_column_of_other_layout(&columns, impressions.layout)?;
    let ImpressionSource { ranking_id, customer_id, impressions: list, item_id, is_order, position, .. } =
        &mut impressions;
    let fields = [ranking_id, customer_id, list, item_id, is_order, position];
    for (key, field) in IMPRESSION_COLUMN_KEYS.into_iter().zip(fields) {
        if let Some((name, _)) = columns.text(key)? {
            name.clone_into(field);
        }
    }
    Ok(impressions)
}
