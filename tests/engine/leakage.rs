//! What happens after a fold changes nothing in it.

use walkforge::features::check_truncation;
use walkforge::market::Catalog;
use walkforge::spec::{DataSource, ExperimentSpec, load};

use crate::require_data;
use crate::support::{bits, prepare, run, spec};

/// Trains the first fold on all data and on data that ends where the fold ends, and wants the same bits.
fn first_fold_ignores_the_future(spec: &ExperimentSpec) {
    let whole = prepare(spec);
    assert!(whole.plan.tasks.len() > 1, "there must be a future to ignore");
    let mut cut_spec = spec.clone();
    // The label of the last test bar needs its horizon and one bar more; bars are kept by open time.
    let fold = whole.plan.tasks[0].fold;
    let bar = whole.plan.tasks[0].timeframe.millis();
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

#[test]
fn no_feature_of_any_preset_sees_the_future_of_a_real_market() {
    let folder = require_data!("fx");
    let catalog = Catalog::scan(&folder).unwrap();
    let symbols = ["XAUUSD".parse().unwrap()];
    for entry in catalog.select(&symbols, &["4h".parse().unwrap()]).unwrap() {
        let bars = entry.read().unwrap();
        for preset in walkforge::spec::PRESETS {
            let features = load(preset.name).unwrap().features;
            check_truncation(&features, &bars, &[100, 2500, 7001, bars.len() - 1]).unwrap();
        }
    }
}
