//! What the report finds in real files: what is wrong with them, and nothing else.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::domain::Problem;
use crate::market::{Cache, Catalog, Loaded};
use crate::require_data;
use crate::spec::QualitySpec;

/// Every file of a folder, by name.
fn loaded(folder: &Path) -> BTreeMap<String, Loaded> {
    let catalog = Catalog::scan(folder).unwrap();
    let load = |file| Cache::off().load(file, &QualitySpec::default()).unwrap();
    let named = catalog
        .entries()
        .iter()
        .map(|file| (file.path.file_name().unwrap().to_string_lossy().into_owned(), load(file)));
    named.collect()
}

fn found(loaded: &Loaded) -> Vec<(Problem, u64)> {
    loaded.report.counts().into_iter().map(|count| (count.problem, count.found)).collect()
}

#[test]
fn an_exchange_that_never_closes_has_no_faults() {
    for (name, loaded) in loaded(&require_data!("crypto")) {
        // One bar of one of 132 files saw no trade.
        assert!(
            matches!(found(&loaded)[..], [] | [(Problem::ZeroVolume, 1)]),
            "{name}: {:?}",
            loaded.report
        );
    }
}

#[test]
fn weekends_and_holidays_are_no_missing_bars() {
    for (name, loaded) in loaded(&require_data!("fx")) {
        let bars = loaded.bars.len() as f64;
        for (problem, count) in found(&loaded) {
            let most = match problem {
                // A few holes in ten years, and in EURCHF the three weeks up to the franc's release in January 2015.
                Problem::Missing => 0.006 * bars,
                // Christmas and New Year, sessions that open an hour late, and of gold the early ends on American holidays.
                Problem::Closed => 110.0,
                _ => 0.0,
            };
            assert!(count as f64 <= most, "{name}: {count} {problem} {:?}", loaded.report);
        }
    }
    let daily = loaded(&require_data!("us-equities/daily"));
    let spy = &daily["spy.zip"];
    // Nine holidays in each of 23 years, and the attack of 2001, Reagan's, Ford's and Bush's funerals, Sandy.
    assert_eq!(found(spy), [(Problem::Closed, 210)]);
}

#[test]
fn unadjusted_splits_are_those_of_the_factor_files() {
    let equities = require_data!("us-equities");
    for folder in ["hour", "daily"] {
        let files = loaded(&equities.join(folder));
        for symbol in ["aapl", "aig", "bac", "ibm", "spy"] {
            let factors = equities.join(format!("factor_files/{symbol}.csv"));
            let expected = split_days(&fs::read_to_string(factors).unwrap());
            let report = &files[&format!("{symbol}.zip")].report;
            let splits = report.findings.iter().find(|f| f.count.problem == Problem::Split);
            let days: Vec<String> = splits
                .iter()
                .flat_map(|finding| &finding.examples)
                .map(|example| example.at.unwrap().to_string()[..10].replace('-', ""))
                .collect();
            assert_eq!(days.len(), expected.len(), "{folder} {symbol}: {days:?} {expected:?}");
            for (day, last_day_before) in days.iter().zip(&expected) {
                let distance = day.parse::<i64>().unwrap() - last_day_before;
                // A weekend, which may lie around the end of a month.
                assert!(
                    (1..=4).contains(&distance) || (69..75).contains(&distance),
                    "{symbol}: {day}"
                );
            }
        }
    }
}

/// The last days before splits, as `yyyyMMdd`, of which 5:4 and nearer ones are no matter: markets move as far.
fn split_days(factors: &str) -> Vec<i64> {
    let rows: Vec<(i64, f64)> = factors
        .lines()
        .map(|line| {
            let fields: Vec<&str> = line.split(',').collect();
            (fields[0].parse().unwrap(), fields[2].parse().unwrap())
        })
        .collect();
    let ratios = rows.windows(2).map(|pair| (pair[0].0, (pair[1].1 / pair[0].1).ln().abs()));
    ratios.filter(|(_, ratio)| *ratio > 1.4_f64.ln()).map(|(day, _)| day).collect()
}

#[test]
fn rows_that_a_vendor_mixed_up_are_sorted() {
    for (name, loaded) in loaded(&require_data!("dialects")) {
        let disorder = loaded.report.found(Problem::Disorder);
        assert!((1..=5).contains(&disorder), "{name}: {:?}", loaded.report);
        assert!(loaded.bars.open_time().is_sorted(), "{name}");
        assert_eq!(loaded.report.found(Problem::Split), 0, "{name}");
    }
}
