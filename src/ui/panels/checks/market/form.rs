use std::path::PathBuf;

use crate::market::{ColumnName, ColumnOverrides, FileOverride, OVERRIDES_FILE, Overrides, Zone};

/// What is being said about a file, or about every file of its folder.
#[derive(Debug)]
pub(super) struct ImportForm {
    pub(super) file: PathBuf,
    /// The text it began from.
    pub(super) before: Option<String>,
    pub(super) whole_folder: bool,
    /// What is not edited here stays as it was.
    pub(super) said: FileOverride,
    pub(super) zone: String,
    pub(super) price_divisor: String,
    /// Time, time of day, open, high, low, close, volume: a name or a position from 1.
    pub(super) columns: [String; 7],
}

impl ImportForm {
    pub(super) fn new(file: PathBuf, before: Option<String>, whole_folder: bool) -> Self {
        let mut form = Self {
            file,
            before,
            whole_folder,
            said: FileOverride::default(),
            zone: String::new(),
            price_divisor: String::new(),
            columns: Default::default(),
        };
        form.fill();
        form
    }

    fn name(&self) -> String {
        self.file.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// What the folder's file says now, or why it makes no sense.
    pub(super) fn overrides(&self) -> Result<Overrides, String> {
        let path = self.file.with_file_name(OVERRIDES_FILE);
        let read = self.before.as_deref().map(|text| Overrides::parse(text, &path));
        read.transpose().map(Option::unwrap_or_default).map_err(|error| error.to_string())
    }

    /// Puts into the fields what is said already.
    pub(super) fn fill(&mut self) {
        let overrides = self.overrides().unwrap_or_default();
        let said = if self.whole_folder { overrides.all } else { overrides.of_name(&self.name()) };
        self.zone = said.zone.clone().map(String::from).unwrap_or_default();
        self.price_divisor = said.price_divisor.map(|d| d.to_string()).unwrap_or_default();
        let columns = &said.columns;
        self.columns = [
            &columns.time,
            &columns.time_of_day,
            &columns.open,
            &columns.high,
            &columns.low,
            &columns.close,
            &columns.volume,
        ]
        .map(|column| match column {
            None => String::new(),
            Some(ColumnName::Position(position)) => position.to_string(),
            Some(ColumnName::Name(name)) => name.clone(),
        });
        self.said = said;
    }

    /// What the fields say, or which of them makes no sense.
    fn to_override(&self) -> Result<FileOverride, String> {
        let zone = self.zone.trim();
        let zone = if zone.is_empty() { None } else { Some(Zone::try_from(zone.to_owned())?) };
        let divisor = self.price_divisor.trim();
        let price_divisor = if divisor.is_empty() {
            None
        } else {
            let number = divisor.parse::<f64>().ok().filter(|d| d.is_finite() && *d > 0.0);
            let wrong = || format!("prices are divided by `{divisor}`; expected a number above 0");
            Some(number.ok_or_else(wrong)?)
        };
        let [time, time_of_day, open, high, low, close, volume] =
            self.columns.each_ref().map(|text| column_name(text));
        let symbol = self.said.columns.symbol.clone();
        let columns = ColumnOverrides { time, time_of_day, open, high, low, close, volume, symbol };
        if [&columns.time, &columns.time_of_day, &columns.open, &columns.high, &columns.low]
            .into_iter()
            .chain([&columns.close, &columns.volume])
            .any(|column| *column == Some(ColumnName::Position(0)))
        {
            return Err("a column stands at 0; positions count from 1".to_owned());
        }
        Ok(FileOverride { zone, price_divisor, columns, ..self.said.clone() })
    }

    /// The text that would be written.
    pub(super) fn text(&self) -> Result<String, String> {
        let said = self.to_override()?;
        let overrides = self.overrides()?;
        let changed = if self.whole_folder {
            overrides.with_all(said)
        } else {
            overrides.with_file(&self.name(), said)
        };
        Ok(changed.to_ron())
    }
}

/// A column as it was typed: a number is a position.
fn column_name(text: &str) -> Option<ColumnName> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    Some(text.parse().map_or_else(|_| ColumnName::Name(text.to_owned()), ColumnName::Position))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn form(before: Option<&str>) -> ImportForm {
        ImportForm::new("/data/A-1h.csv".into(), before.map(str::to_owned), false)
    }

    #[test]
    fn the_form_says_what_the_file_says_and_keeps_what_it_does_not_show() {
        let before = r#"(
            all: (zone: "UTC"),
            files: [
                ("A-1h.csv", (symbol: "GOLD", price_divisor: 10, columns: (time: 1, close: "last"))),
                ("B*", (separator: ';')),
            ],
        )"#;
        let mut form = form(Some(before));
        assert_eq!((form.price_divisor.as_str(), form.zone.as_str()), ("10", ""));
        assert_eq!((form.columns[0].as_str(), form.columns[5].as_str()), ("1", "last"));
        // Also in the order of the patterns: nothing is offered to be written.
        let unchanged = form.overrides().unwrap().to_ron();
        assert_eq!(form.text().unwrap(), unchanged, "nothing is changed yet");
        form.zone = "Europe/Athens".to_owned();
        let text = form.text().unwrap();
        let written = Overrides::parse(&text, Path::new(OVERRIDES_FILE)).unwrap();
        let said = written.of_name("A-1h.csv");
        assert_eq!(said.zone.map(String::from).as_deref(), Some("Europe/Athens"));
        assert_eq!(said.symbol.unwrap().as_str(), "GOLD");
        assert_eq!(written.of_name("B*").separator, Some(';'));
        form.whole_folder = true;
        form.fill();
        assert_eq!(form.zone, "UTC");
    }

    #[test]
    fn what_makes_no_sense_is_named_and_nothing_is_made_of_it() {
        let broken = |change: fn(&mut ImportForm)| {
            let mut form = form(None);
            change(&mut form);
            form.text().unwrap_err()
        };
        assert!(broken(|form| form.zone = "Mars".to_owned()).contains("no time zone"));
        assert!(broken(|form| form.price_divisor = "-1".to_owned()).contains("above 0"));
        assert!(broken(|form| form.columns[2] = "0".to_owned()).contains("count from 1"));
        assert_eq!(form(None).text().unwrap(), "(\n)\n");
        let damaged = form(Some("(all: (zon: 1))")).text().unwrap_err();
        assert!(damaged.contains("mend the file there"), "it is not written over: {damaged}");
    }
}
