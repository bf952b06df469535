use std::collections::BTreeMap;

use crate::domain::{EpochRecord, EquityCurve, Symbol, TaskId, Timeframe, UtcMillis};

/// Tasks that an epoch's middle is told of at least.
const LEAST_FOR_MIDDLE: usize = 5;

/// What of a run is drawn beside other runs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunOutline {
    /// The validation loss of its tasks together, epoch by epoch from 1; without the epochs that fewer than half of the tasks have reached:
    /// the mean of the few that go on longest is another one. Empty where nothing was validated on.
    pub validation: Vec<EpochSpread>,
    /// The model's equity for each timeframe; empty while the run has not ended.
    pub equity: Vec<WholeEquity>,
}

/// An epoch's validation loss over the tasks that have it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EpochSpread {
    /// Which, from 1.
    pub epoch: u32,
    /// How many tasks have it.
    pub tasks: u32,
    /// Their mean.
    pub mean: f64,
    /// The tenth and the ninetieth percentile; `None` for fewer than five tasks.
    pub middle: Option<(f64, f64)>,
}

/// How the model's equity went over everything that a run traded at a timeframe.
#[derive(Debug, Clone, PartialEq)]
pub struct WholeEquity {
    /// The only symbol; `None` for all symbols, equally weighted.
    pub symbol: Option<Symbol>,
    /// The bar length.
    pub timeframe: Timeframe,
    /// As in [`EquityCurve`].
    pub times: Vec<UtcMillis>,
    /// Of the model, as in [`EquityCurve`]: as long as the times.
    pub equity: Vec<f64>,
}

impl RunOutline {
    /// Of a run's curves and equity as they are stored.
    #[must_use]
    pub fn of(curves: &BTreeMap<TaskId, Vec<EpochRecord>>, equity: Vec<EquityCurve>) -> Self {
        Self { validation: spreads(curves), equity: wholes(equity) }
    }
}

fn spreads(curves: &BTreeMap<TaskId, Vec<EpochRecord>>) -> Vec<EpochSpread> {
    let mut losses: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
    let mut tasks = 0;
    for curve in curves.values() {
        let known = curve.iter().filter_map(|record| {
            Some((record.epoch, record.validation_loss.filter(|loss| loss.is_finite())?))
        });
        let mut is_validated = false;
        for (epoch, loss) in known {
            losses.entry(epoch).or_default().push(loss);
            is_validated = true;
        }
        tasks += usize::from(is_validated);
    }
    let of_epoch = |(epoch, mut losses): (u32, Vec<f64>)| {
        losses.sort_unstable_by(f64::total_cmp);
        let at = |share: f64| losses[((losses.len() - 1) as f64 * share).round() as usize];
        EpochSpread {
            epoch,
            tasks: losses.len() as u32,
            mean: losses.iter().sum::<f64>() / losses.len() as f64,
            middle: (losses.len() >= LEAST_FOR_MIDDLE).then(|| (at(0.1), at(0.9))),
        }
    };
    losses.into_iter().filter(|(_, losses)| 2 * losses.len() >= tasks).map(of_epoch).collect()
}

fn wholes(equity: Vec<EquityCurve>) -> Vec<WholeEquity> {
    let mut found: Vec<WholeEquity> = Vec::new();
    for curve in equity {
        let EquityCurve { symbol, timeframe, times, predictors } = curve;
        let Some(model) = predictors.into_iter().find(|one| one.name == "model") else { continue };
        let whole = WholeEquity { symbol, timeframe, times, equity: model.equity };
        match found.iter_mut().find(|known| known.timeframe == timeframe) {
            None => found.push(whole),
            // All of them together stand for each of them.
            Some(known) if whole.symbol.is_none() => *known = whole,
            Some(_) => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::PredictorEquity;

    fn curve(losses: &[Option<f64>]) -> Vec<EpochRecord> {
        let record = |(place, loss): (usize, &Option<f64>)| EpochRecord {
            epoch: place as u32 + 1,
            train_loss: 1.0,
            validation_loss: *loss,
            monitor: None,
            learning_rate: 0.1,
            gradient_norm: 1.0,
            seconds: 1.0,
            is_best: false,
        };
        losses.iter().enumerate().map(record).collect()
    }

    #[test]
    fn an_epoch_has_the_mean_of_its_tasks_while_half_of_them_go_on() {
        let curves = [
            ("a", curve(&[Some(1.0), Some(0.5), Some(0.4)])),
            ("b", curve(&[Some(3.0), Some(1.5)])),
            ("c", curve(&[Some(2.0), None, Some(f64::NAN)])),
            ("refit", curve(&[None, None])),
        ];
        let curves = curves.map(|(task, curve)| (TaskId::new(task), curve)).into();
        let found = RunOutline::of(&curves, Vec::new()).validation;
        let told: Vec<_> = found.iter().map(|one| (one.epoch, one.tasks, one.mean)).collect();
        assert_eq!(told, [(1, 3, 2.0), (2, 2, 1.0)], "the third is one task's alone");
        assert!(found.iter().all(|one| one.middle.is_none()));
        assert!(RunOutline::of(&BTreeMap::new(), Vec::new()).validation.is_empty());
    }

    #[test]
    fn the_middle_leaves_out_the_tenth_at_either_end() {
        let task = |loss: u32| (TaskId::new(loss.to_string()), curve(&[Some(f64::from(loss))]));
        let found = RunOutline::of(&(0..=10).map(task).collect(), Vec::new()).validation;
        assert_eq!((found[0].middle, found[0].tasks), (Some((1.0, 9.0)), 11));
    }

    #[test]
    fn all_symbols_together_stand_for_each_and_one_alone_for_itself() {
        let equity = |symbol: Option<&str>, timeframe: &str, end: f64| EquityCurve {
            symbol: symbol.map(|symbol| symbol.parse().unwrap()),
            timeframe: timeframe.parse().unwrap(),
            times: vec![UtcMillis(0)],
            predictors: ["model", "ridge"]
                .map(|name| PredictorEquity { name: name.to_owned(), equity: vec![end] })
                .to_vec(),
        };
        let stored = vec![
            equity(Some("A"), "1h", 1.1),
            equity(Some("B"), "1h", 1.2),
            equity(None, "1h", 1.3),
            equity(Some("A"), "4h", 1.4),
        ];
        let found = RunOutline::of(&BTreeMap::new(), stored).equity;
        let told: Vec<_> = found
            .iter()
            .map(|one| {
                let symbol = one.symbol.as_ref().map(ToString::to_string);
                (symbol, one.timeframe.to_string(), one.equity[0])
            })
            .collect();
        let only = Some("A".to_owned());
        assert_eq!(told, [(None, "1h".to_owned(), 1.3), (only, "4h".to_owned(), 1.4)]);
    }
}
