//! A planted signal is found, and none is found where there is none.

use std::collections::HashMap;

use walkforge::domain::UtcMillis;
use walkforge::evaluation::{ic_ts, mean_and_t};
use walkforge::market::synthetic_bars;
use walkforge::spec::{DataSource, ExperimentSpec};

use crate::support::{prepare, run, spec};

/// What the best possible predictor says, by decision time.
fn bayes(spec: &ExperimentSpec) -> HashMap<UtcMillis, f64> {
    let DataSource::Synthetic(synthetic) = &spec.data.source else { panic!("not synthetic") };
    let series = synthetic_bars(synthetic, &spec.data.symbols[0], spec.data.timeframes[0]).unwrap();
    let bayes = series.bayes.unwrap();
    (0..series.bars.len()).map(|row| (series.bars.close_time(row), bayes[row])).collect()
}

#[test]
fn a_planted_signal_is_realised_nearly_as_well_as_by_the_bayes_predictor() {
    for model in [
        r#"model="Linear""#,
        r#"model={"Mlp":{"hidden":[32],"activation":"Relu","dropout":0.1}}"#,
        r#"model={"Lstm":{"hidden":16,"layers":1,"dropout":0.0}}"#,
    ] {
        let spec = spec(
            "mlp-return",
            &[
                r#"data.source={"Synthetic":{"market":{"Planted":{"ic":0.3}},"bars":18300,"seed":3}}"#,
                r#"data.symbols=["PLANTED"]"#,
                "validation.train=6000",
                "validation.validation=2000",
                "validation.test=10200",
                "resources.device=cpu",
                model,
            ],
        );
        let output = run(&prepare(&spec), 0);
        let rows = &output.predictions;
        assert!(rows.time.len() >= 10_000, "{} test rows", rows.time.len());
        let by_time = bayes(&spec);
        let best: Vec<f64> = rows.time.iter().map(|time| by_time[time]).collect();
        let best = ic_ts(&best, &rows.outcome).unwrap();
        assert!((0.26..0.34).contains(&best), "the market's own IC is {best}, planted 0.30");
        let realised = ic_ts(&rows.prediction, &rows.outcome).unwrap();
        let share = realised / best;
        println!("{model}: IC {realised:.4}, Bayes {best:.4}, share {share:.3}");
        assert!((0.8..=1.1).contains(&share), "{model}: IC {realised} is {share} of {best}");
    }
}

#[test]
fn a_null_market_shows_no_skill_over_twenty_seeds() {
    let ics: Vec<f64> = (0..20)
        .map(|seed| {
            let data = format!(
                r#"data.source={{"Synthetic":{{"market":"Null","bars":24200,"seed":{seed}}}}}"#
            );
            let spec = spec(
                "mlp-return",
                &[
                    &data,
                    r#"data.symbols=["NULL"]"#,
                    &format!("seed={seed}"),
                    "validation.train=3000",
                    "validation.validation=1000",
                    "validation.test=20100",
                    "training.max_epochs=5",
                    "resources.device=cpu",
                ],
            );
            let rows = run(&prepare(&spec), 0).predictions;
            assert!(rows.time.len() >= 20_000, "{} test rows", rows.time.len());
            ic_ts(&rows.prediction, &rows.outcome).unwrap()
        })
        .collect();
    let summary = mean_and_t(&ics);
    let (mean, t) = (summary.mean.unwrap(), summary.t.unwrap());
    println!("null market: mean IC {mean:.5}, t {t:.2}");
    assert!(mean.abs() <= 0.01, "mean IC {mean}: {ics:?}");
    assert!(t.abs() < 3.0, "t {t}: {ics:?}");
}

#[test]
fn the_score_is_that_of_the_stored_predictions() {
    for (label, neutral) in [("ForwardReturn", 0.0), ("Direction", 0.5)] {
        let spec = spec(
            "linear-return",
            &[
                r#"data.symbols=["SYN_A"]"#,
                "validation.max_folds=1",
                "costs.fee_bps=3.0",
                "costs.half_spread_bps=1.0",
                "resources.device=cpu",
                &format!(r#"label={{"{label}":{{"horizon":1}}}}"#),
            ],
        );
        let output = run(&prepare(&spec), 0);
        let (rows, score) = (&output.predictions, &output.report.model);
        let positions: Vec<f64> =
            rows.prediction.iter().map(|value| (value - neutral).signum()).collect();
        let longs = positions.iter().filter(|position| **position > 0.0).count();
        assert!(
            (100..400).contains(&longs),
            "{label}: {longs} of {} long tests nothing",
            positions.len()
        );

        let right = positions
            .iter()
            .zip(&rows.outcome)
            .filter(|(position, outcome)| *position * *outcome > 0.0);
        let hit_rate = right.count() as f64 / positions.len() as f64;
        assert!(
            (score.hit_rate.unwrap() - hit_rate).abs() < 1e-12,
            "{label}: {score:?}, not {hit_rate}"
        );

        // At horizon 1 the outcome is the bar that the position is held for.
        let (mut equity, mut held) = (1.0, 0.0_f64);
        for (row, (position, outcome)) in positions.iter().zip(&rows.outcome).enumerate() {
            let closing = if row + 1 == positions.len() { 1.0 } else { 0.0 };
            equity *= 1.0 + position * outcome - 4e-4 * ((position - held).abs() + closing);
            held = *position;
        }
        let total_return = score.total_return.unwrap();
        assert!(
            (total_return - (equity - 1.0)).abs() < 1e-9,
            "{label}: {total_return}, not {}",
            equity - 1.0
        );
    }
}
