//! What happens after a fold changes nothing in it.

use std::path::Path;

use walkforge::domain::UtcMillis;
use walkforge::features::{FeatureMatrix, check_truncation, compute_panel};
use walkforge::market::{Bars, Catalog, synthetic_bars};
use walkforge::spec::{DataSource, ExperimentSpec, FEATURES, FeatureKind, FeatureSpec};
use walkforge::workbench::TaskOutput;

use crate::require_data;
use crate::support::{bits, prepare, run, spec};

/// Trains the first fold on all data and on data that ends where the fold ends, and wants the same bits.
fn first_fold_ignores_the_future(spec: &ExperimentSpec) {
    let whole = prepare(spec);
    assert!(whole.plan.tasks.len() > 1, "there must be a future to ignore");
    let mut cut_spec = spec.clone();
    // The label of the last test bar needs its horizon and one bar more; bars are kept by open time.
    let fold = whole.plan.tasks[0].fold.clone();
    let bar = whole.plan.tasks[0].timeframes[0].millis();
    cut_spec.data.until =
        Some(fold.test.end.plus_millis(bar * i64::from(spec.label.horizon() + 1)));
    let cut = prepare(&cut_spec);
    assert!(cut.plan.series[0].bars < whole.plan.series[0].bars);
    let (whole, cut) = (run(&whole, 0), run(&cut, 0));
    assert!(bits(&whole) == bits(&cut), "bars after the fold changed its weights");
    assert_eq!(whole.predictions, cut.predictions, "bars after the fold changed its predictions");
}

#[test]
fn a_fold_does_not_see_bars_after_it() {
    first_fold_ignores_the_future(&spec(
        "mlp-return",
        &["training.max_epochs=2", r#"data.symbols=["SYN_A"]"#, "resources.device=cpu"],
    ));
}

#[test]
fn a_fold_does_not_see_bars_after_it_on_a_real_market() {
    let folder = require_data!("crypto");
    let mut spec = spec(
        "lstm-direction",
        &["training.max_epochs=1", r#"data.symbols=["BTC_USDT"]"#, "resources.device=cpu"],
    );
    spec.data.source = DataSource::Folder(folder);
    first_fold_ignores_the_future(&spec);
}

/// Writes the bars as CSV; those that open at or after `altered_from` move wildly.
fn write_csv(folder: &Path, bars: &Bars, altered_from: UtcMillis) {
    let columns = [bars.open(), bars.high(), bars.low(), bars.close(), bars.volume()];
    let rows = bars.open_time().iter().enumerate().map(|(row, time)| {
        let factor = if *time >= altered_from { 1.0 + (row % 7) as f64 / 10.0 } else { 1.0 };
        let cells = columns.map(|column| (column[row] * factor).to_string());
        format!("{time},{}", cells.join(","))
    });
    let header = "date,open,high,low,close,volume".to_owned();
    let text = std::iter::once(header).chain(rows).collect::<Vec<_>>().join("\n");
    std::fs::write(folder.join("SYN_A-1h.csv"), text).unwrap();
}

fn losses(output: &TaskOutput) -> Vec<(f64, Option<f64>)> {
    output.history.iter().map(|epoch| (epoch.train_loss, epoch.validation_loss)).collect()
}

#[test]
fn weights_do_not_depend_on_what_happens_in_the_test_section() {
    let mut spec = spec(
        "mlp-return",
        &[
            "training.max_epochs=3",
            r#"data.symbols=["SYN_A"]"#,
            "label.horizon=3",
            "resources.device=cpu",
        ],
    );
    let DataSource::Synthetic(synthetic) = &spec.data.source else { panic!("not synthetic") };
    let bars =
        synthetic_bars(synthetic, &spec.data.symbols[0], spec.data.timeframes[0]).unwrap().bars;
    let test_start = prepare(&spec).plan.tasks[0].fold.test.start;
    let mut run_altered_from = |altered_from: UtcMillis| {
        let folder = tempfile::tempdir().unwrap();
        write_csv(folder.path(), &bars, altered_from);
        spec.data.source = DataSource::Folder(folder.path().to_owned());
        run(&prepare(&spec), 0)
    };
    let honest = run_altered_from(UtcMillis(i64::MAX));
    let altered = run_altered_from(test_start);
    assert!(bits(&honest) == bits(&altered), "bars of the test section changed the weights");
    assert_eq!(losses(&honest), losses(&altered), "bars of the test section changed a loss");
    assert_ne!(honest.predictions, altered.predictions, "nothing was altered");
    let earlier = run_altered_from(test_start.plus_millis(-3_600_000 * 10));
    assert_ne!(
        losses(&honest),
        losses(&earlier),
        "ten bars earlier lies in the validation section"
    );
}

/// Every registered feature, and some of features.
fn every_feature() -> Vec<FeatureSpec> {
    let mut features: Vec<FeatureSpec> =
        FEATURES.iter().map(FeatureKind::default_feature).collect();
    let of = Box::new(FeatureSpec::Atr { period: 14 });
    let higher = FeatureSpec::Higher { timeframe: "1d".parse().unwrap(), of };
    features.push(FeatureSpec::CrossRank { of: Box::new(higher.clone()) });
    features.push(higher);
    features
}

#[test]
fn no_feature_sees_the_future_of_a_real_market() {
    let folder = require_data!("fx");
    let catalog = Catalog::scan(&folder).unwrap();
    let symbols = ["XAUUSD".parse().unwrap()];
    for choice in catalog.select(&symbols, &["4h".parse().unwrap()]).unwrap() {
        let bars = choice.entry.read().unwrap();
        check_truncation(&every_feature(), &bars, &[100, 2500, 7001, bars.len() - 1]).unwrap();
    }
}

#[test]
fn no_feature_of_several_real_symbols_sees_their_future() {
    let folder = require_data!("crypto");
    let catalog = Catalog::scan(&folder).unwrap();
    let symbols = ["BTC_USDT", "ETH_USDT", "SOL_USDT", "LINK_USDT", "NEAR_USDT", "DOGE_USDT"]
        .map(|name| name.parse().unwrap());
    let choices = catalog.select(&symbols, &["1h".parse().unwrap()]).unwrap();
    let bars: Vec<Bars> = choices.iter().map(|choice| choice.entry.read().unwrap()).collect();
    let panel: Vec<&Bars> = bars.iter().collect();
    let features = every_feature();
    let whole = compute_panel(&features, &panel).unwrap();
    let ranks = whole[0].names().iter().position(|name| name == "cross_rank_log_return_4").unwrap();
    assert!(
        whole[0].column(ranks).filter(|rank| !rank.is_nan()).count() > 5000,
        "all are compared"
    );
    for row in [150, 1999, 5000] {
        let moment = bars[0].close_time(row);
        let known: Vec<Bars> = bars
            .iter()
            .map(|bars| {
                let closed = (0..bars.len()).take_while(|row| bars.close_time(*row) <= moment);
                bars.truncated(closed.count())
            })
            .collect();
        let part = compute_panel(&features, &known.iter().collect::<Vec<_>>()).unwrap();
        for (bars, (whole, part)) in known.iter().zip(whole.iter().zip(&part)) {
            let bits = |matrix: &FeatureMatrix| -> Vec<u32> {
                let cells = bars.len() * matrix.cols();
                matrix.as_slice()[..cells].iter().map(|value| value.to_bits()).collect()
            };
            assert!(bits(whole) == bits(part), "{} changed before {moment}", bars.symbol());
        }
    }
}
