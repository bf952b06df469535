use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;

use crate::domain::Problem;
use crate::market::{Loaded, MarketError, load};
use crate::spec::{Policy, QualitySpec};

const HEADER: &str = "date,open,high,low,close,volume";
const ROWS: usize = 800;
/// 2024-01-01, a Monday.
const START_MILLIS: i64 = 1_704_067_200_000;
const HOUR_MILLIS: i64 = 3_600_000;

/// One hourly row: a price that wanders a little, so that nothing stands still.
fn row(hour: usize) -> String {
    let at = START_MILLIS + hour as i64 * HOUR_MILLIS;
    let price = 100.0 + (hour * 7 % 13) as f64 * 0.25;
    format!("{at},{price},{},{},{},{}", price + 1.0, price - 1.0, price + 0.5, 10 + hour % 3)
}

fn good() -> Vec<String> {
    (0..ROWS).map(row).collect()
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, rows: &[String]) -> PathBuf {
        let path = self.0.path().join("T-1h.csv");
        fs::write(&path, format!("{HEADER}\n{}\n", rows.join("\n"))).unwrap();
        path
    }

    fn load(&self, rows: &[String], policies: &QualitySpec) -> Result<Loaded, MarketError> {
        load(&self.write(rows), "T".parse().unwrap(), "1h".parse().unwrap(), policies)
    }
}

fn with(problem: Problem, policy: Policy) -> QualitySpec {
    let mut policies = QualitySpec::default();
    *policies.policy_mut(problem).unwrap() = policy;
    policies
}

fn at(hour: usize, values: &str) -> String {
    format!("{},{values}", START_MILLIS + hour as i64 * HOUR_MILLIS)
}

/// A price of the second half, after a split of two for one.
fn halved(row: &str) -> String {
    let fields: Vec<f64> = row.split(',').map(|field| field.parse().unwrap()).collect();
    let [at, open, high, low, close, volume] = fields.try_into().unwrap();
    format!("{at},{},{},{},{},{volume}", open / 2.0, high / 2.0, low / 2.0, close / 2.0)
}

#[test]
fn a_file_without_fault_has_an_empty_report() {
    let loaded = Folder::new().load(&good(), &QualitySpec::strict()).unwrap();
    assert_eq!((loaded.bars.len(), loaded.report.rows), (ROWS, ROWS as u64));
    assert_eq!(loaded.report.findings, []);
}

/// What is done to a good file, what is wrong then, how often, where first, and how many bars are left of it by each policy.
struct Case {
    problem: Problem,
    spoil: fn(&mut Vec<String>),
    found: u64,
    first: &'static str,
    dropped: u64,
    left_by_drop: usize,
    left_by_keep: usize,
}

const CASES: &[Case] = &[
    Case {
        problem: Problem::Unreadable,
        spoil: |rows| rows[10] = at(10, "abc,1,1,1,1"),
        found: 1,
        first: ":12: open is `abc`; expected a number",
        dropped: 1,
        left_by_drop: ROWS - 1,
        left_by_keep: 0,
    },
    Case {
        problem: Problem::NotFinite,
        spoil: |rows| rows[10] = at(10, "100,inf,99,100,5"),
        found: 1,
        first: ":12: high is inf; expected a finite number",
        dropped: 1,
        left_by_drop: ROWS - 1,
        left_by_keep: 0,
    },
    Case {
        problem: Problem::NotPositive,
        spoil: |rows| {
            rows[10] = at(10, "100,101,0,100,5");
            rows[20] = at(20, "-100,101,99,100,5");
        },
        found: 2,
        first: ":12: low is 0; expected a price above 0",
        dropped: 2,
        left_by_drop: ROWS - 2,
        left_by_keep: 0,
    },
    Case {
        problem: Problem::NegativeVolume,
        spoil: |rows| rows[10] = at(10, "100,101,99,100,-5"),
        found: 1,
        first: ":12: volume is -5; expected 0 or more",
        dropped: 1,
        left_by_drop: ROWS - 1,
        left_by_keep: 0,
    },
    Case {
        problem: Problem::HighBelowLow,
        spoil: |rows| rows[10] = at(10, "100,99,101,100,5"),
        found: 1,
        first: ":12: high 99 is below low 101",
        dropped: 1,
        left_by_drop: ROWS - 1,
        left_by_keep: 0,
    },
    Case {
        problem: Problem::OutsideRange,
        spoil: |rows| {
            rows[10] = at(10, "100,101,99,102,5");
            rows[20] = at(20, "98,101,99,100,5");
        },
        found: 2,
        first: ":12: high 101 is below close 102",
        dropped: 2,
        left_by_drop: ROWS - 2,
        left_by_keep: 0,
    },
    Case {
        problem: Problem::Disorder,
        spoil: |rows| rows.swap(10, 11),
        found: 1,
        first: ":13: 2024-01-01T10:00:00Z follows 2024-01-01T11:00:00Z",
        dropped: 0,
        left_by_drop: 0,
        left_by_keep: ROWS,
    },
    Case {
        problem: Problem::Duplicate,
        spoil: |rows| {
            rows.insert(11, row(10));
            rows.insert(12, row(10));
        },
        found: 2,
        first: ":13: 2024-01-01T10:00:00Z is there again with the same values",
        dropped: 2,
        left_by_drop: ROWS,
        left_by_keep: 0,
    },
    Case {
        problem: Problem::Conflict,
        spoil: |rows| rows.insert(11, at(10, "100,101,99,100,5")),
        found: 2,
        first: ":12: 2024-01-01T10:00:00Z stands in 2 rows, with a close of 101.75 and of 100",
        dropped: 2,
        left_by_drop: ROWS - 1,
        left_by_keep: 0,
    },
    Case {
        problem: Problem::OffGrid,
        spoil: |rows| {
            rows.push(format!(
                "{},100,101,99,100,5",
                START_MILLIS + ROWS as i64 * HOUR_MILLIS + 60_000
            ));
        },
        found: 1,
        first: ": 2024-02-03T08:01:00Z: opens where few other 1h bars do",
        dropped: 1,
        left_by_drop: ROWS,
        left_by_keep: ROWS + 1,
    },
    Case {
        problem: Problem::ZeroVolume,
        spoil: |rows| rows[10] = at(10, "100,101,99,100,0"),
        found: 1,
        first: ": 2024-01-01T10:00:00Z: volume 0 at a close of 100",
        dropped: 1,
        left_by_drop: ROWS - 1,
        left_by_keep: ROWS,
    },
    Case {
        problem: Problem::Stale,
        spoil: |rows| (10..40).for_each(|hour| rows[hour] = at(hour, "100,100,100,100,5")),
        found: 29,
        first: ": 2024-01-01T11:00:00Z: 29 bars at 100 without range",
        dropped: 29,
        left_by_drop: ROWS - 29,
        left_by_keep: ROWS,
    },
    Case {
        problem: Problem::Split,
        spoil: |rows| (400..ROWS).for_each(|hour| rows[hour] = halved(&rows[hour])),
        found: 1,
        first: ": 2024-01-17T16:00:00Z: opens at 50.625 after a close of 103.25, as after a 2:1 split",
        dropped: 0,
        left_by_drop: 0,
        left_by_keep: ROWS,
    },
    Case {
        problem: Problem::Missing,
        spoil: |rows| drop(rows.drain(10..13)),
        found: 3,
        first: ": 2024-01-01T13:00:00Z: 3 bars are missing after 2024-01-01 09:00",
        dropped: 0,
        left_by_drop: 0,
        left_by_keep: ROWS - 3,
    },
];

#[test]
fn every_problem_is_found_and_handled_by_its_policy() {
    let folder = Folder::new();
    for case in CASES {
        let mut rows = good();
        (case.spoil)(&mut rows);
        let problem = case.problem;
        for policy in Policy::choices(problem) {
            let result = folder.load(&rows, &with(problem, *policy));
            if *policy == Policy::Reject {
                let error = result.unwrap_err().to_string();
                assert!(error.contains(&format!("T-1h.csv{}", case.first)), "{problem}: {error}");
                let next = format!("and data.quality.{problem} is Reject");
                assert!(error.contains(&next), "{problem}: {error}");
                continue;
            }
            let loaded = result.unwrap_or_else(|error| panic!("{problem} {policy:?}: {error}"));
            let drops = *policy == Policy::Drop;
            let left = if drops { case.left_by_drop } else { case.left_by_keep };
            assert_eq!(loaded.bars.len(), left, "{problem} {policy:?}");
            let finding =
                loaded.report.findings.iter().find(|f| f.count.problem == problem).unwrap();
            let dropped = if drops { case.dropped } else { 0 };
            assert_eq!(
                (finding.count.found, finding.count.dropped),
                (case.found, dropped),
                "{problem} {policy:?}"
            );
            let first = &finding.examples[0];
            let shown = match first.place {
                Some(place) => format!("{place}: {}", first.what),
                None => format!(": {}: {}", first.at.unwrap(), first.what),
            };
            assert!(shown.starts_with(case.first), "{problem}: {shown}");
            // Nothing else is wrong but the bars that the drop leaves missing.
            let others: Vec<Problem> =
                loaded.report.findings.iter().map(|f| f.count.problem).collect();
            let expected =
                |other: &Problem| *other == problem || (drops && *other == Problem::Missing);
            assert!(others.iter().all(expected), "{problem} {policy:?}: {others:?}");
        }
    }
    let covered = CASES.iter().map(|case| case.problem);
    assert!(Problem::ALL.into_iter().filter(|p| *p != Problem::Closed).eq(covered));
}

#[test]
fn a_file_with_many_broken_rows_is_refused() {
    let mut rows = good();
    for hour in 0..8 {
        rows[hour * 5] =
            at(hour * 5, if hour % 2 == 0 { "100,99,101,100,5" } else { "100,inf,99,100,5" });
    }
    let folder = Folder::new();
    let loaded = folder.load(&rows, &QualitySpec::default()).unwrap();
    assert_eq!((loaded.bars.len(), loaded.report.dropped()), (ROWS - 8, 8));
    rows[100] = at(100, "nothing");
    let error = folder.load(&rows, &QualitySpec::default()).unwrap_err().to_string();
    for expected in [
        "T-1h.csv:102: 2 fields under a header of 6",
        "9 of its 800 rows are like that (1 unreadable row, 4 rows with a NaN or infinity, 4 rows with their high below their low)",
        "data.quality.most_dropped = 0.01",
        "raise the share",
    ] {
        assert!(error.contains(expected), "{error}");
    }
    let policies = QualitySpec { most_dropped: 0.02, ..QualitySpec::default() };
    assert_eq!(folder.load(&rows, &policies).unwrap().bars.len(), ROWS - 9);
    // One row may always be bad, also in a short file.
    let short: Vec<String> = rows[..9].to_vec();
    assert_eq!(
        folder
            .load(&short, &QualitySpec::default())
            .unwrap_err()
            .to_string()
            .matches("2 of its 9")
            .count(),
        1
    );
    assert_eq!(folder.load(&short[1..], &QualitySpec::default()).unwrap().bars.len(), 7);
}

#[test]
fn policies_that_leave_nothing_say_so() {
    let rows: Vec<String> = (0..50).map(|hour| at(hour, "100,101,99,100,0")).collect();
    let policies = with(Problem::ZeroVolume, Policy::Drop);
    let error = Folder::new().load(&rows, &policies).unwrap_err().to_string();
    assert!(
        error.contains(
            "every one of its 50 rows is dropped by data.quality (50 bars without volume)"
        ),
        "{error}"
    );
}

#[test]
fn closed_days_are_no_missing_bars() {
    // 40 weeks of weekdays from 8 to 17 o'clock.
    let is_open = |hour: &usize| hour % 168 < 120 && (8..17).contains(&(hour % 24));
    let holiday = 20 * 168 + 48;
    let early = 10 * 168 + 72;
    let hole = 5 * 168 + 12;
    let rows = |skip: fn(usize, usize, usize, usize) -> bool| -> Vec<String> {
        let kept = (0..40 * 168).filter(is_open).filter(|hour| !skip(*hour, holiday, early, hole));
        kept.map(row).collect()
    };
    let folder = Folder::new();
    let found = |rows: &[String]| {
        let report = folder.load(rows, &QualitySpec::default()).unwrap().report;
        (report.found(Problem::Missing), report.found(Problem::Closed))
    };
    assert_eq!(found(&rows(|_, _, _, _| false)), (0, 0));
    assert_eq!(
        found(&rows(|hour, day, _, _| (day..day + 24).contains(&hour))),
        (0, 1),
        "a holiday"
    );
    assert_eq!(
        found(&rows(|hour, _, day, _| (day + 13..day + 24).contains(&hour))),
        (0, 1),
        "an early close"
    );
    assert_eq!(found(&rows(|hour, _, _, hole| hour == hole || hour == hole + 1)), (2, 0), "a hole");
    assert_eq!(
        found(&rows(|hour, day, _, _| (day..day + 14 * 24).contains(&hour))).1,
        0,
        "an outage"
    );
}

#[test]
fn a_price_that_comes_back_and_a_crash_are_no_splits() {
    let folder = Folder::new();
    let found = |rows: &[String]| {
        folder.load(rows, &QualitySpec::default()).unwrap().report.found(Problem::Split)
    };
    let mut spike = good();
    spike[400] = halved(&spike[400]);
    assert_eq!(found(&spike), 0);
    // Within one bar to half the price: no jump between bars.
    let mut crash: Vec<String> = good();
    (400..ROWS).for_each(|hour| crash[hour] = halved(&crash[hour]));
    crash[400] = at(400, "103,103,50,51,10");
    assert_eq!(found(&crash), 0);
    let mut reverse = good();
    (0..400).for_each(|hour| reverse[hour] = halved(&reverse[hour]));
    assert_eq!(found(&reverse), 1);
    let mut odd_ratio = good();
    for row in &mut odd_ratio[400..] {
        let fields: Vec<f64> = row.split(',').map(|field| field.parse().unwrap()).collect();
        let cut: Vec<String> = fields[1..5].iter().map(|price| (price / 2.4).to_string()).collect();
        *row = format!("{},{},{}", fields[0], cut.join(","), fields[5]);
    }
    assert_eq!(found(&odd_ratio), 0);
}

#[test]
fn a_market_that_often_stands_still_is_not_stale() {
    // The price moves in one hour of four, whenever it pleases: it often rests for ten hours.
    let mut state = 1_u32;
    let mut price = 100;
    let quiet: Vec<String> = (0..ROWS)
        .map(|hour| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            price = if state >> 30 == 0 { 100 + (state >> 20) % 7 } else { price };
            at(hour, &format!("{price},{price},{price},{price},5"))
        })
        .collect();
    let rests = quiet.chunk_by(|a, b| a[14..] == b[14..]).map(<[String]>::len);
    assert!(rests.max() > Some(10));
    let folder = Folder::new();
    let report = folder.load(&quiet, &QualitySpec::default()).unwrap().report;
    assert_eq!(report.found(Problem::Stale), 0);
}

/// Rows in any order, some of them twice.
fn shuffled() -> impl Strategy<Value = (Vec<usize>, Vec<usize>)> {
    let rows = prop::collection::btree_set(0..300_usize, 20..120);
    (rows, prop::collection::vec(any::<prop::sample::Index>(), 0..4)).prop_flat_map(
        |(rows, twice)| {
            let mut rows: Vec<usize> = rows.into_iter().collect();
            let again: Vec<usize> = twice.into_iter().map(|index| *index.get(&rows)).collect();
            rows.extend(again);
            let sorted = {
                let mut sorted = rows.clone();
                sorted.sort_unstable();
                sorted
            };
            (Just(sorted), Just(rows).prop_shuffle())
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn shuffled_rows_give_the_bars_of_sorted_ones((sorted, shuffled) in shuffled()) {
        let folder = Folder::new();
        let lines = |rows: &[usize]| rows.iter().map(|hour| row(*hour)).collect::<Vec<_>>();
        let of_sorted = folder.load(&lines(&sorted), &QualitySpec::default()).unwrap();
        let of_shuffled = folder.load(&lines(&shuffled), &QualitySpec::default()).unwrap();
        prop_assert_eq!(&of_shuffled.bars, &of_sorted.bars);
        let without_disorder = |loaded: &Loaded| {
            let counts = loaded.report.counts().into_iter();
            counts.filter(|count| count.problem != Problem::Disorder).collect::<Vec<_>>()
        };
        prop_assert_eq!(without_disorder(&of_shuffled), without_disorder(&of_sorted));
    }
}
