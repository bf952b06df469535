use std::sync::Arc;

use crate::domain::{Plan, Problem, ProblemCount, SeriesPlan, Timeframe};

/// What a plan tells of where a series comes from, beside its bars.
#[derive(Debug, Clone, Default)]
pub(super) struct Origin {
    /// What was wrong with the file's rows, and how many were dropped.
    pub(super) quality: Vec<ProblemCount>,
    /// The bar length of the file, where the bars were put together from shorter ones.
    pub(super) made_from: Option<Timeframe>,
}

/// Where the series of an experiment come from, in their order.
#[derive(Debug, Clone)]
pub(super) struct Origins(Arc<[Origin]>);

impl Origins {
    /// By timeframe and symbol, as the series.
    pub(super) fn new(origins: Vec<Origin>) -> Self {
        Self(origins.into())
    }

    /// Of more series than this the rest is warned of in one line.
    const MOST_TOLD: usize = 8;

    /// Writes into a plan of these series what was wrong with their files and what they were made from.
    pub(super) fn tell(&self, plan: &mut Plan) {
        for (series, origin) in plan.series.iter_mut().zip(self.0.iter()) {
            series.quality.clone_from(&origin.quality);
            series.made_from = origin.made_from;
        }
        let told = |text: fn(&SeriesPlan) -> Option<String>, of_many: &str| {
            let lines: Vec<String> = plan.series.iter().filter_map(text).collect();
            match lines.len().saturating_sub(Self::MOST_TOLD) {
                0 => lines,
                more => {
                    let mut shown = lines[..Self::MOST_TOLD].to_vec();
                    shown.push(format!("and {more} more series {of_many}"));
                    shown
                }
            }
        };
        let made = told(made_from_in_words, "are made from shorter bars");
        let odd = told(quality_in_words, "have rows that were dropped or look odd");
        plan.warnings.extend(made.into_iter().chain(odd));
    }
}

fn made_from_in_words(series: &SeriesPlan) -> Option<String> {
    let SeriesPlan { symbol, timeframe, .. } = series;
    series.made_from.map(|from| format!("{symbol} {timeframe}: made from its {from} bars"))
}

/// What was dropped and what may spoil a result. Bars that are missing or hold no volume are common and break or weaken nothing unseen.
fn quality_in_words(series: &SeriesPlan) -> Option<String> {
    let is_worth_a_warning = |count: &&ProblemCount| {
        count.dropped > 0
            || !matches!(count.problem, Problem::Missing | Problem::Closed | Problem::ZeroVolume)
    };
    let counts: Vec<String> =
        series.quality.iter().filter(is_worth_a_warning).map(ToString::to_string).collect();
    let SeriesPlan { symbol, timeframe, .. } = series;
    (!counts.is_empty()).then(|| {
        format!("{symbol} {timeframe}: {}; `walkforge data inspect` shows where", counts.join(", "))
    })
}
