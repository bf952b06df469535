//! Which runs to list, as people write it: `lstm tag:good sharpe>1 -status:failed`.

mod columns;
mod scan;
mod value;

use std::ops::Range;
use std::str::FromStr;

use self::columns::Column;
pub use self::columns::QueryColumn;
use self::scan::{Operator, Scanned, scan};
use self::value::{Length, Number, Span};
use super::RunEntry;
use crate::market::nearest;

/// What a run must be to be listed; the default fits every run. Made of a text of terms, all of which must hold:
///
/// - a word, or several in double quotes: somewhere in what [`search_text`] gives, in any case;
/// - a column, an operator and a value: `status:failed`, `tag:good`, `rank_ic >= 0.02`, `net_return>5%`, `started>2026-01-14`,
///   `duration<10m`. Operators are `:` (contains), `=`, `!=`, `<`, `<=`, `>`, `>=`. What is not known fits none of them but `!=`;
/// - a setting that a sweep varies, by its path: `training.learning_rate=0.001`, `seed=7`.
///
/// A minus before a term turns it round.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunQuery {
    terms: Vec<Term>,
}

/// Why a text is no query.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("character {}: {message}", .at.start + 1)]
pub struct QueryError {
    /// Where, in characters from 0.
    pub at: Range<usize>,
    /// What was found there, what was expected, and the next step.
    pub message: String,
}

#[derive(Debug, Clone, PartialEq)]
struct Term {
    negated: bool,
    what: What,
}

#[derive(Debug, Clone, PartialEq)]
enum What {
    /// In small letters.
    Words(String),
    /// A column that holds texts; the value in small letters.
    Text(&'static QueryColumn, TextTest, String),
    Number(&'static QueryColumn, Operator, Number),
    Moment(&'static QueryColumn, Operator, Span),
    Duration(Operator, Length),
    /// A setting's path and its value, in small letters.
    Setting(String, Operator, String),
}

/// How a text is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TextTest {
    Contains,
    Is,
    IsNot,
}

impl RunQuery {
    /// The columns that a query can name, in the order they are explained.
    #[must_use]
    pub const fn columns() -> &'static [QueryColumn] {
        columns::COLUMNS
    }

    /// Runs with these words somewhere, none of which is read as anything but a word.
    #[must_use]
    pub fn of_words(words: &str) -> Self {
        let what = |word: &str| What::Words(word.to_lowercase());
        let terms = words.split_whitespace().map(|word| Term { negated: false, what: what(word) });
        Self { terms: terms.collect() }
    }

    /// Whether it asks for how runs stand, which may change while nothing else does.
    #[must_use]
    pub fn asks_for_status(&self) -> bool {
        let asks = |term: &Term| match &term.what {
            What::Text(column, ..) => matches!(column.column, Column::Status),
            _ => false,
        };
        self.terms.iter().any(asks)
    }

    /// Whether a run fits. `searched` is its [`search_text`], and `status` how it stands, in a word: whoever asks may know better than the entry.
    #[must_use]
    pub fn fits(&self, entry: &RunEntry, searched: &str, status: &str) -> bool {
        let holds = |term: &Term| term.what.holds(entry, searched, status) != term.negated;
        self.terms.iter().all(holds)
    }
}

impl FromStr for RunQuery {
    type Err = QueryError;

    fn from_str(text: &str) -> Result<Self, QueryError> {
        let term = |scanned: Scanned| {
            let at = scanned.at.clone();
            let what = What::of(scanned.test, &scanned.words);
            let what = what.map_err(|message| QueryError { at, message })?;
            Ok(Term { negated: scanned.negated, what })
        };
        let terms: Result<_, QueryError> = scan(text)?.into_iter().map(term).collect();
        Ok(Self { terms: terms? })
    }
}

impl What {
    /// Of a test's name and operator, and of the words or the value after it.
    fn of(test: Option<(String, Operator)>, value: &str) -> Result<Self, String> {
        let Some((name, operator)) = test else {
            return Ok(Self::Words(value.to_lowercase()));
        };
        let name = name.to_lowercase();
        let Some(column) = QueryColumn::named(&name) else {
            if name.contains('.') || name == "seed" {
                return Ok(Self::Setting(name, operator, value.to_lowercase()));
            }
            return Err(no_column(&name));
        };
        let needs = |what: &str| format!("{} needs {what}, and `{value}` is none", column.name);
        Ok(match column.column {
            Column::Text(_) | Column::Status => {
                let test = match operator {
                    Operator::Has => TextTest::Contains,
                    Operator::Is => TextTest::Is,
                    Operator::IsNot => TextTest::IsNot,
                    Operator::Below | Operator::AtMost | Operator::Above | Operator::AtLeast => {
                        let name = column.name;
                        return Err(format!("{name} is a text: write {name}:{value}"));
                    }
                };
                let value = value.to_lowercase();
                if let Column::Status = column.column
                    && !columns::STATUSES.iter().any(|word| match test {
                        TextTest::Contains => word.contains(value.as_str()),
                        TextTest::Is | TextTest::IsNot => *word == value,
                    })
                {
                    let all = columns::STATUSES.join(", ");
                    return Err(format!("no run is ever `{value}`; expected one of {all}"));
                }
                Self::Text(column, test, value)
            }
            Column::Number(_) => {
                let number = Number::read(value);
                let number = number.ok_or_else(|| needs("a number, as 0.02 or 5%"))?;
                Self::Number(column, operator, number)
            }
            Column::Moment(_) => {
                let span = Span::read(value);
                let span = span.ok_or_else(|| needs("a day, as 2026-01-31, or a minute"))?;
                Self::Moment(column, operator, span)
            }
            Column::Duration => {
                let length = Length::read(value);
                let length = length.ok_or_else(|| needs("a length, as 30s, 10m, 2h or 1d"))?;
                Self::Duration(operator, length)
            }
        })
    }

    fn holds(&self, entry: &RunEntry, searched: &str, status: &str) -> bool {
        match self {
            Self::Words(words) => searched.contains(words.as_str()),
            Self::Text(column, test, value) => {
                let texts = match column.column {
                    Column::Status => vec![status.to_owned()],
                    _ => column.texts(entry),
                };
                let mut texts = texts.iter().map(|text| text.to_lowercase());
                match test {
                    TextTest::Contains => texts.any(|text| text.contains(value.as_str())),
                    TextTest::Is => texts.any(|text| text == *value),
                    TextTest::IsNot => texts.all(|text| text != *value),
                }
            }
            Self::Number(column, operator, number) => {
                number.compare(*operator, column.number(entry))
            }
            Self::Moment(column, operator, span) => span.compare(*operator, column.moment(entry)),
            Self::Duration(operator, length) => {
                let seconds = entry.ended.map(|ended| (ended.0 - entry.created.0) as f64 / 1e3);
                length.compare(*operator, seconds)
            }
            Self::Setting(path, operator, value) => {
                let settings = entry.sweep.iter().flat_map(|member| &member.settings);
                let mut own = settings.filter(|setting| setting.path.eq_ignore_ascii_case(path));
                let own = own.next().map(|setting| setting.value.to_lowercase());
                value::compare_settings(own.as_deref(), *operator, value)
            }
        }
    }
}

fn no_column(name: &str) -> String {
    let names = || RunQuery::columns().iter().map(|column| column.name);
    let near = nearest(name, names());
    if near.is_empty() {
        let all: Vec<&str> = names().collect();
        format!(
            "`{name}` is no column; columns are {}, and paths of settings as training.learning_rate",
            all.join(", ")
        )
    } else {
        format!("`{name}` is no column; did you mean {}?", near.join(" or "))
    }
}

/// Everything of a run that words are looked for in, in small letters: name, experiment, notes, tags, and what a sweep sets.
#[must_use]
pub fn search_text(entry: &RunEntry) -> String {
    let settings = entry.sweep.iter().flat_map(|member| &member.settings);
    let settings = settings.map(ToString::to_string);
    let parts = [entry.id.to_string(), entry.experiment.clone(), entry.notes.clone()];
    let parts = parts.into_iter().chain(entry.tags.iter().cloned()).chain(settings);
    parts.collect::<Vec<_>>().join(" ").to_lowercase()
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
