use std::fmt;
use std::io::BufRead;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::super::{MarketError, Place, RowProblem};
use super::Format;
use super::columns::{Header, Shape};
use super::dialect::ORDERS;
use super::fields::number;
use super::layout::Layout;
use super::moment::{self, Moment};
use super::rows::{Context, Rows};
use super::source::{Packing, failed};
use super::table::{Places, Table};

/// A row with more values than this is no bar.
const MOST_VALUES: usize = 64;

/// Reads an array of rows: `[[time, open, high, low, close, volume], …]` or `[{"date": …, "open": …}, …]`. Values may be texts.
pub fn read(
    context: &Context<'_>,
    source: &mut dyn BufRead,
    packing: &Packing,
) -> Result<Table, MarketError> {
    let mut reader = Reader {
        rows: Rows::new(context, Format::Json, Places::rows(), 0),
        context,
        columns: None,
        values: Vec::new(),
        names: Vec::new(),
        number: 0,
        first_date: None,
        refused: None,
    };
    let mut json = serde_json::Deserializer::from_reader(source);
    let read = Array(&mut reader).deserialize(&mut json).and_then(|()| json.end());
    if let Some(refused) = reader.refused.take() {
        return Err(refused);
    }
    if let Err(error) = read {
        if error.is_io() {
            return Err(failed(context.path, packing.compression, error.into()));
        }
        return Err(MarketError::BrokenJson {
            path: context.path.to_owned(),
            message: error.to_string(),
        });
    }
    reader.finish(packing)
}

/// One value of a row.
#[derive(Debug, Clone, PartialEq)]
enum Value {
    Whole(i64),
    Number(f64),
    Text(String),
    Other(&'static str),
}

/// Where the values of a row are.
enum Columns {
    Positions(Shape, usize),
    /// The names of an object that hold what a shape's positions name.
    Names(Shape, Vec<String>),
}

impl Columns {
    const fn shape(&self) -> &Shape {
        match self {
            Self::Positions(shape, _) | Self::Names(shape, _) => shape,
        }
    }
}

struct Reader<'a> {
    rows: Rows<'a>,
    context: &'a Context<'a>,
    columns: Option<Columns>,
    values: Vec<Value>,
    /// The names of an object's values.
    names: Vec<String>,
    number: u64,
    first_date: Option<String>,
    /// What is wrong with the whole file.
    refused: Option<MarketError>,
}

impl Reader<'_> {
    fn row(&mut self) -> Result<(), MarketError> {
        self.number += 1;
        if self.columns.is_none() {
            self.columns = Some(self.find_columns()?);
        }
        match self.bar() {
            Ok(symbol) => match symbol {
                Some(symbol) => self.rows.belongs_to(symbol.as_bytes()),
                None => Ok(()),
            },
            Err(problem) => {
                self.rows.refuse(Place::Row(self.number), || problem);
                Ok(())
            }
        }
    }

    fn find_columns(&self) -> Result<Columns, MarketError> {
        let path = self.context.path;
        let unknown = |column: String| MarketError::UnknownColumn {
            path: path.to_owned(),
            column,
            found: self.names.join(", "),
        };
        let chosen = self.context.chosen.columns.positions(&self.names).map_err(unknown)?;
        if !self.names.is_empty() {
            let header = Header { path, line: None, names: &self.names };
            return Ok(Columns::Names(header.shape(&chosen)?, self.names.clone()));
        }
        Shape::of_positions(self.values.len(), false, false, &chosen)
            .map(|shape| Columns::Positions(shape, self.values.len()))
            .ok_or_else(|| MarketError::BrokenJson {
                path: path.to_owned(),
                message: format!("the first row has {} values", self.values.len()),
            })
    }

    /// Appends the row that was read, and says whose it is where it does.
    fn bar(&mut self) -> Result<Option<String>, RowProblem> {
        let columns = self.columns.as_ref().expect("they are found before the first row is read");
        let shape = columns.shape();
        let is_same = match columns {
            Columns::Positions(_, expected) => {
                let found = self.values.len();
                if !self.names.is_empty() || found != *expected {
                    let (found, expected) = (found as u64, *expected as u64);
                    return Err(RowProblem::WrongFieldCount { found, expected });
                }
                true
            }
            Columns::Names(_, names) => *names == self.names,
        };
        let position = |at: usize| match columns {
            Columns::Names(_, names) if !is_same => {
                self.names.iter().position(|name| *name == names[at])
            }
            _ => Some(at),
        };
        let value = |at: usize| {
            position(at)
                .and_then(|at| self.values.get(at))
                .ok_or(RowProblem::Empty { column: name_of(columns, at) })
        };
        let moment = moment_of(value(shape.time)?)
            .ok_or_else(|| problem(value(shape.time), name_of(columns, shape.time), true))?;
        let mut numbers = [0.0; 10];
        for (into, at) in numbers.iter_mut().zip(shape.numbers.positions()) {
            *into = number_of(value(*at)?)
                .ok_or_else(|| problem(value(*at), name_of(columns, *at), false))?;
        }
        let symbol = shape.symbol.map(value).transpose()?;
        let symbol = symbol.and_then(|symbol| match symbol {
            Value::Text(symbol) => Some(symbol.clone()),
            _ => None,
        });
        if self.first_date.is_none() {
            self.first_date = Some(match value(shape.time)? {
                Value::Text(text) => text.clone(),
                Value::Whole(count) => count.to_string(),
                Value::Number(count) => count.to_string(),
                Value::Other(_) => String::new(),
            });
        }
        self.rows.push(self.number, moment, &shape.numbers, &numbers)?;
        Ok(symbol)
    }

    fn finish(self, packing: &Packing) -> Result<Table, MarketError> {
        let mut rows = self.rows;
        let layout = match &self.columns {
            Some(Columns::Positions(_, 6)) => Layout::Freqtrade,
            Some(Columns::Positions(_, 12)) => Layout::BinanceKlines,
            Some(Columns::Names(_, names)) => Layout::of_names(names, ""),
            _ => Layout::Generic,
        };
        let reading = &mut rows.reading;
        reading.layout = self.context.layout(layout);
        reading.header = matches!(self.columns, Some(Columns::Names(..)));
        reading.compression = packing.compression;
        reading.member.clone_from(&packing.member);
        reading.encoding = Some(packing.encoding.to_owned());
        reading.time_format = moment::describe(&self.first_date.unwrap_or_default(), ORDERS[0]);
        rows.finish()
    }
}

fn name_of(columns: &Columns, at: usize) -> String {
    match columns {
        Columns::Names(_, names) => names.get(at).cloned().unwrap_or_default(),
        Columns::Positions(..) => format!("value {}", at + 1),
    }
}

fn problem(value: Result<&Value, RowProblem>, column: String, is_date: bool) -> RowProblem {
    let found = match value {
        Err(problem) => return problem,
        Ok(Value::Other("null")) => return RowProblem::Empty { column },
        Ok(Value::Text(text)) if text.is_empty() => return RowProblem::Empty { column },
        Ok(Value::Text(text)) => text.chars().take(40).collect(),
        Ok(Value::Whole(count)) => count.to_string(),
        Ok(Value::Number(count)) => count.to_string(),
        Ok(Value::Other(what)) => (*what).to_owned(),
    };
    if is_date {
        RowProblem::NotADate { column, found }
    } else {
        RowProblem::NotANumber { column, found }
    }
}

fn moment_of(value: &Value) -> Option<Moment> {
    match value {
        Value::Whole(count) => moment::from_number(*count),
        Value::Number(count) if count.fract() == 0.0 && count.abs() < 9e15 => {
            moment::from_number(*count as i64)
        }
        Value::Text(text) => moment::from_text(text.trim().as_bytes(), ORDERS[0]),
        Value::Number(_) | Value::Other(_) => None,
    }
}

fn number_of(value: &Value) -> Option<f64> {
    match value {
        Value::Whole(count) => Some(*count as f64),
        Value::Number(number) => Some(*number),
        Value::Text(text) => number(text.trim().as_bytes(), b'.'),
        Value::Other(_) => None,
    }
}

/// The array of rows.
struct Array<'r, 'a>(&'r mut Reader<'a>);

impl<'de> DeserializeSeed<'de> for Array<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Array<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<(), A::Error> {
        loop {
            self.0.values.clear();
            self.0.names.clear();
            match rows.next_element_seed(Row(&mut *self.0))? {
                None => return Ok(()),
                Some(Some(found)) => {
                    self.0.number += 1;
                    let place = Place::Row(self.0.number);
                    self.0.rows.refuse(place, || RowProblem::NoRow { found: found.to_owned() });
                }
                Some(None) => {
                    if let Err(refused) = self.0.row() {
                        self.0.refused = Some(refused);
                        return Err(serde::de::Error::custom("refused"));
                    }
                }
            }
        }
    }
}

/// A row: `None` where it is one, and what it is instead where it is not.
struct Row<'r, 'a>(&'r mut Reader<'a>);

impl<'de> DeserializeSeed<'de> for Row<'_, '_> {
    type Value = Option<&'static str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// Says what stands where a row is expected.
macro_rules! no_row {
    ($($visit:ident: $kind:ty => $what:literal),+) => {
        $(fn $visit<E: serde::de::Error>(self, _value: $kind) -> Result<Self::Value, E> {
            Ok(Some($what))
        })+
    };
}

impl<'de> Visitor<'de> for Row<'_, '_> {
    type Value = Option<&'static str>;

    no_row!(visit_bool: bool => "a truth value", visit_i64: i64 => "a number", visit_u64: u64 => "a number",
        visit_f64: f64 => "a number", visit_str: &str => "a text");

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row of bars")
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Self::Value, E> {
        Ok(Some("null"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Self::Value, A::Error> {
        while let Some(value) = values.next_element_seed(Cell)? {
            if self.0.values.len() < MOST_VALUES {
                self.0.values.push(value);
            }
        }
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut values: A) -> Result<Self::Value, A::Error> {
        while let Some(name) = values.next_key::<String>()? {
            let value = values.next_value_seed(Cell)?;
            if self.0.values.len() < MOST_VALUES {
                self.0.names.push(name);
                self.0.values.push(value);
            }
        }
        Ok(if self.0.names.is_empty() { Some("an empty object") } else { None })
    }
}

struct Cell;

impl<'de> DeserializeSeed<'de> for Cell {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Cell {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number or a text")
    }

    fn visit_bool<E: serde::de::Error>(self, _value: bool) -> Result<Value, E> {
        Ok(Value::Other("a truth value"))
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Whole(value))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Value, E> {
        Ok(i64::try_from(value).map_or(Value::Number(value as f64), Value::Whole))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Number(value))
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Value, E> {
        Ok(Value::Other("null"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Value, A::Error> {
        while values.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Value::Other("an array"))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut values: A) -> Result<Value, A::Error> {
        while values.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Value::Other("an object"))
    }
}
