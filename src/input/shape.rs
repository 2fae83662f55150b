//! Where the wanted columns are in a schema: at the top, in structs, or in the elements of a list.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, LargeListArray, RecordBatch, StructArray};
use arrow::compute::{cast, nullif};
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema};
use arrow::error::ArrowError;

use super::subject::Subject;
use super::wanted::{Wanted, missing_column, two_columns, wrong_type};
use crate::error::Result;
use crate::sources::in_element;

/// The names of a field, from the column at the top to the field itself.
type FieldPath = Vec<String>;

/// The places of the wanted columns.
#[derive(Debug)]
pub(super) struct Shape {
    columns: Vec<Placed>,
    /// The list whose elements are the rows: its name and its place.
    list: Option<(String, FieldPath)>,
}

/// A column and its place.
#[derive(Debug)]
struct Placed {
    name: String,
    /// In the record, or in an element of the exploded list; empty for the element itself.
    path: FieldPath,
    is_in_element: bool,
    /// Of a column of lists, the wanted fields of its elements.
    fields: Vec<(String, FieldPath)>,
}

/// Two fields of one name.
struct Twice;

impl Shape {
    /// Finds the columns in a schema. Fails if one is missing, unless it is optional, or there twice, or if what is to
    /// be exploded is no list.
    pub(super) fn of(
        subject: Subject<'_>,
        schema: &Schema,
        wanted: &[Wanted<'_>],
        explode: Option<&str>,
    ) -> Result<Self> {
        let top = schema.fields();
        let names = || top.iter().map(|field| field.name().as_str());
        let found =
            |fields: &Fields, name: &str, whole: &str| find(fields, name).map_err(|Twice| two_columns(subject, whole));
        let missing = |name| missing_column(subject, name, names());
        let list = match explode {
            Some(name) => Some((name, found(top, name, name)?.ok_or_else(|| missing(name))?)),
            None => None,
        };
        let mut columns: Vec<Placed> = Vec::new();
        for wanted in wanted {
            let name = wanted.name();
            // Two of the wanted may be the same column.
            if columns.iter().any(|column| column.name == name) {
                continue;
            }
            let path = match (in_element(explode, name), &list) {
                (Some(inner), Some((list, path))) => {
                    let field = field_at(top, path).map(Field::data_type);
                    let element = field.and_then(element_of);
                    match (inner, element.map(|element| element.data_type())) {
                        ("", Some(_)) => Some(Vec::new()),
                        (inner, Some(DataType::Struct(fields))) => found(fields, inner, name)?,
                        _ => {
                            let found = field.unwrap_or(&DataType::Null);
                            return Err(wrong_type(subject, list, found, "a list of structs, whose fields are named"));
                        }
                    }
                }
                _ => found(top, name, name)?,
            };
            let Some(path) = path else {
                if wanted.is_optional() {
                    continue;
                }
                return Err(missing(name));
            };
            let mut fields = Vec::new();
            if let Wanted::List { item, label, .. } = wanted
                && let Some(DataType::Struct(of_element)) = field_at(top, &path)
                    .and_then(|field| element_of(field.data_type()))
                    .map(|element| element.data_type())
            {
                for inner in [item, label] {
                    let path = found(of_element, inner, &format!("{name}.{inner}"))?;
                    fields.extend(path.map(|path| ((*inner).to_owned(), path)));
                }
            }
            let is_in_element = in_element(explode, name).is_some();
            columns.push(Placed { name: name.to_owned(), path, is_in_element, fields });
        }
        Ok(Shape { columns, list: list.map(|(name, path)| (name.to_owned(), path)) })
    }

    /// Whether each column is at the top of the schema, so that batches are already flat.
    pub(super) fn is_flat(&self) -> bool {
        let is_top = |path: &FieldPath| path.len() == 1;
        let are_top = |column: &Placed| is_top(&column.path) && column.fields.iter().all(|(_, path)| is_top(path));
        self.list.is_none() && self.columns.iter().all(are_top)
    }

    /// Whether a column at the top of the schema holds any of the wanted ones.
    pub(super) fn has_root(&self, name: &str) -> bool {
        let of_columns = self.columns.iter().filter(|column| !column.is_in_element).map(|column| &column.path);
        let mut paths = of_columns.chain(self.list.as_ref().map(|(_, path)| path));
        paths.any(|path| path.first().is_some_and(|root| root == name))
    }

    /// Whether a leaf of a Parquet schema, by the names on the way to it, is read. Between a list and a field of its
    /// elements there are one or two names more; a leaf too many does no harm.
    pub(super) fn has_leaf(&self, leaf: &[String]) -> bool {
        let list = self.list.as_ref().map(|(_, path)| path.as_slice()).unwrap_or_default();
        self.columns.iter().any(|column| {
            if column.is_in_element {
                return leaf.strip_prefix(list).is_some_and(|rest| is_field(rest, &column.path));
            }
            leaf.strip_prefix(column.path.as_slice()).is_some_and(|rest| {
                rest.is_empty() || column.fields.iter().any(|(_, path)| rest.len() > path.len() && rest.ends_with(path))
            })
        })
    }

    /// Returns the columns under their names: those of the record, and under its name the exploded list with the
    /// columns of its elements as fields.
    pub(super) fn flatten(&self, batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
        let schema = batch.schema();
        let at = |path: &FieldPath| -> Result<ArrayRef, ArrowError> {
            let (root, inside) = path.split_first().ok_or_else(|| lacks(""))?;
            dig(batch.column_by_name(root).ok_or_else(|| lacks(root))?, inside)
        };
        let mut columns: Vec<(FieldRef, ArrayRef)> = Vec::new();
        for column in self.columns.iter().filter(|column| !column.is_in_element) {
            let mut array = at(&column.path)?;
            if column.fields.iter().any(|(_, path)| path.len() > 1) {
                array = with_fields(&array, column.fields.iter().map(|(name, path)| (name, path)))?;
            }
            columns.push((renamed(&column.name, field_at(schema.fields(), &column.path), &array), array));
        }
        if let Some((name, path)) = &self.list {
            let of_elements = self.columns.iter().filter(|column| column.is_in_element);
            let fields = of_elements.map(|column| (&column.name, &column.path));
            let array = with_fields(&at(path)?, fields)?;
            columns.push((renamed(name, None, &array), array));
        }
        let (fields, columns): (Vec<FieldRef>, Vec<ArrayRef>) = columns.into_iter().unzip();
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
    }
}

/// Whether a schema has a column of this name, or elements of the exploded list have it.
pub(super) fn has(schema: &Schema, column: &str, explode: Option<&str>) -> bool {
    // A column that is there twice is there.
    let find = |fields, name| find(fields, name).unwrap_or_else(|Twice| Some(FieldPath::new()));
    let Some(inner) = in_element(explode, column) else { return find(schema.fields(), column).is_some() };
    let list = explode.and_then(|list| find(schema.fields(), list));
    let element = list.and_then(|path| element_of(field_at(schema.fields(), &path)?.data_type()));
    element.is_some_and(|element| match element.data_type() {
        _ if inner.is_empty() => true,
        DataType::Struct(fields) => find(fields, inner).is_some(),
        _ => false,
    })
}

/// Finds a field: the one of the whole name, else what is before the first dot, and in it what is after the dot.
fn find(fields: &Fields, name: &str) -> Result<Option<FieldPath>, Twice> {
    let one = |name: &str| {
        let mut named = fields.iter().filter(|field| field.name() == name);
        let first = named.next();
        if named.next().is_some() { Err(Twice) } else { Ok(first) }
    };
    if one(name)?.is_some() {
        return Ok(Some(vec![name.to_owned()]));
    }
    let Some((head, rest)) = name.split_once('.') else { return Ok(None) };
    let Some(DataType::Struct(inside)) = one(head)?.map(|field| field.data_type()) else { return Ok(None) };
    let path = find(inside, rest)?;
    Ok(path.map(|path| [vec![head.to_owned()], path].concat()))
}

/// The field at a path.
fn field_at<'a>(fields: &'a Fields, path: &[String]) -> Option<&'a Field> {
    let (name, rest) = path.split_first()?;
    let field = fields.iter().find(|field| field.name() == name)?;
    match field.data_type() {
        DataType::Struct(inside) if !rest.is_empty() => field_at(inside, rest),
        _ => rest.is_empty().then_some(field.as_ref()),
    }
}

/// The element of a list type.
fn element_of(list: &DataType) -> Option<&FieldRef> {
    match list {
        DataType::List(element)
        | DataType::LargeList(element)
        | DataType::FixedSizeList(element, _)
        | DataType::ListView(element)
        | DataType::LargeListView(element) => Some(element),
        _ => None,
    }
}

/// Whether names after those of a list are on the way to a field of its elements, or to the elements for an empty path.
fn is_field(rest: &[String], path: &[String]) -> bool {
    rest.strip_suffix(path).is_some_and(|between| (1..=2).contains(&between.len()))
}

/// The array at a path in an array of structs: where a struct is null, so is what is in it.
fn dig(array: &ArrayRef, path: &[String]) -> Result<ArrayRef, ArrowError> {
    let mut array = Arc::clone(array);
    for name in path {
        let fields = array.as_struct_opt().ok_or_else(|| lacks(name))?;
        let field = fields.column_by_name(name).ok_or_else(|| lacks(name))?;
        array = match fields.nulls().filter(|nulls| nulls.null_count() > 0) {
            None => Arc::clone(field),
            Some(nulls) => nullif(field, &BooleanArray::new(!nulls.inner(), None))?,
        };
    }
    Ok(array)
}

/// Returns lists whose elements are structs with these fields, found at their paths in the elements.
fn with_fields<'a>(
    array: &ArrayRef,
    fields: impl Iterator<Item = (&'a String, &'a FieldPath)>,
) -> Result<ArrayRef, ArrowError> {
    let element = element_of(array.data_type()).ok_or_else(|| lacks("element"))?;
    let lists = cast(array, &DataType::LargeList(Arc::clone(element)))?;
    let lists = lists.as_list::<i64>();
    let mut columns = Vec::new();
    for (name, path) in fields {
        let column = dig(lists.values(), path)?;
        let found = match element.data_type() {
            DataType::Struct(inside) if !path.is_empty() => field_at(inside, path),
            _ => Some(element.as_ref()),
        };
        columns.push((renamed(name, found, &column), column));
    }
    let (fields, columns): (Vec<FieldRef>, Vec<ArrayRef>) = columns.into_iter().unzip();
    let (length, nulls) = (lists.values().len(), lists.values().logical_nulls());
    let structs = StructArray::try_new_with_length(Fields::from(fields), columns, nulls, length)?;
    let element = Arc::new(Field::new("element", structs.data_type().clone(), true));
    let (offsets, nulls) = (lists.offsets().clone(), lists.nulls().cloned());
    Ok(Arc::new(LargeListArray::try_new(element, offsets, Arc::new(structs), nulls)?))
}

/// A field of this name for an array, with the metadata of the field that it was found under: they tell UUIDs from
/// other bytes.
fn renamed(name: &str, found: Option<&Field>, array: &ArrayRef) -> FieldRef {
    let field = Field::new(name, array.data_type().clone(), true);
    Arc::new(match found {
        Some(found) => field.with_metadata(found.metadata().clone()),
        None => field,
    })
}

fn lacks(name: &str) -> ArrowError {
    ArrowError::SchemaError(format!("a batch lacks the field {name}"))
}
