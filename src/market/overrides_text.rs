use std::fmt::Write;

use serde::Serialize;

use super::overrides::{ColumnOverrides, FileOverride, Overrides};

impl Overrides {
    /// As the text of a `walkforge.ron` that says the same; only fields that are said stand in it.
    #[must_use]
    pub fn to_ron(&self) -> String {
        let mut text = "(\n".to_owned();
        if self.all != FileOverride::default() {
            let _infallible = writeln!(text, "    all: {},", self.all.to_ron());
        }
        if !self.files.is_empty() {
            text.push_str("    files: [\n");
            for (pattern, said) in &self.files {
                let (pattern, said) = (ron_of(pattern), said.to_ron());
                let _infallible = writeln!(text, "        ({pattern}, {said}),");
            }
            text.push_str("    ],\n");
        }
        text.push_str(")\n");
        text
    }
}

impl FileOverride {
    fn to_ron(&self) -> String {
        let columns = (self.columns != ColumnOverrides::default()).then(|| self.columns.to_ron());
        fields(&[
            ("layout", self.layout.as_ref().map(ron_of)),
            ("zone", self.zone.as_ref().map(ron_of)),
            ("price_divisor", self.price_divisor.as_ref().map(ron_of)),
            ("symbol", self.symbol.as_ref().map(ron_of)),
            ("timeframe", self.timeframe.as_ref().map(ron_of)),
            ("date_order", self.date_order.as_ref().map(ron_of)),
            ("separator", self.separator.as_ref().map(ron_of)),
            ("columns", columns),
        ])
    }
}

impl ColumnOverrides {
    fn to_ron(&self) -> String {
        let names = ["time", "time_of_day", "open", "high", "low", "close", "volume", "symbol"];
        let values = self.all().map(|column| column.as_ref().map(ron_of));
        fields(&names.into_iter().zip(values).collect::<Vec<_>>())
    }
}

/// A value as RON writes it.
fn ron_of(value: &(impl Serialize + ?Sized)) -> String {
    ron::to_string(value).expect("names and numbers serialise")
}

/// The fields that have a value, as a struct.
fn fields(all: &[(&str, Option<String>)]) -> String {
    let said: Vec<String> = all
        .iter()
        .filter_map(|(name, value)| Some(format!("{name}: {}", value.as_ref()?)))
        .collect();
    format!("({})", said.join(", "))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::market::OVERRIDES_FILE;

    #[test]
    fn what_is_written_reads_the_same_and_a_name_is_said_once() {
        let text = r#"(
            all: (zone: "Europe/Athens", separator: '\t'),
            files: [
                ("XAU*.csv", (price_divisor: 100.5, date_order: month_day_year, layout: lean_quotes)),
                ("gold \"1\".txt", (symbol: "XAUUSD", timeframe: "1h", columns: (time: 1, close: "last", volume: 6))),
            ],
        )"#;
        let path = Path::new(OVERRIDES_FILE);
        let read = Overrides::parse(text, path).unwrap();
        let again =
            Overrides::parse(&read.to_ron(), path).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((&again.all, &again.files), (&read.all, &read.files));
        let said = FileOverride { price_divisor: Some(10.0), ..FileOverride::default() };
        let changed = read.with_file("XAU*.csv", said.clone());
        assert_eq!((changed.of_name("XAU*.csv"), changed.files.len()), (said, 2));
        let twice = r#"(files: [("a.csv", (symbol: "A")), ("a.csv", (timeframe: "1h"))])"#;
        let both = Overrides::parse(twice, path).unwrap().of_name("a.csv");
        assert!(both.symbol.is_some() && both.timeframe.is_some(), "{both:?}");
        let empty = changed.with_file("XAU*.csv", FileOverride::default());
        assert_eq!(empty.files.len(), 1, "nothing said is nothing written");
        assert_eq!(Overrides::default().to_ron(), "(\n)\n");
    }
}
