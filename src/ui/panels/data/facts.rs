use crate::domain::text::{count, day};
use crate::domain::{Problem, ProblemCount, UtcMillis};
use crate::ui::state::{ListedSeries, Surveys};
use crate::workbench::MarketSeries;

/// What is known of the bars of a series: from this session's survey of it, or from an earlier reading.
#[derive(Debug, Clone, Copy)]
pub(super) struct Facts<'a> {
    pub(super) bars: u64,
    pub(super) first_open: UtcMillis,
    pub(super) last_open: UtcMillis,
    quality: &'a [ProblemCount],
    /// Closes to draw; empty until the series is surveyed.
    pub(super) spark: &'a [f64],
}

impl<'a> Facts<'a> {
    /// `None` while nothing is known; why the series cannot be read, where it cannot.
    pub(super) fn of(
        listed: &'a ListedSeries,
        surveys: &'a Surveys,
    ) -> Option<Result<Self, &'a str>> {
        match surveys.get(listed.series.symbol(), listed.series.timeframe()) {
            Some(Ok(survey)) => Some(Ok(Self {
                bars: survey.bars,
                first_open: survey.first_open,
                last_open: survey.last_open,
                quality: &survey.quality,
                spark: &survey.spark,
            })),
            Some(Err(message)) => Some(Err(message)),
            None => listed.known.as_ref().map(|known| {
                Ok(Self {
                    bars: known.bars,
                    first_open: known.first_open,
                    last_open: known.last_open,
                    quality: &known.quality,
                    spark: &[],
                })
            }),
        }
    }

    /// What is worth a look; holidays are not.
    fn faults(&self) -> impl Iterator<Item = &'a ProblemCount> {
        self.quality.iter().filter(|count| count.problem != Problem::Closed)
    }

    /// Rows, bars and places that are worth a look.
    pub(super) fn fault_count(&self) -> u64 {
        self.faults().map(|count| count.found).sum()
    }

    pub(super) fn faults_in_words(&self) -> String {
        let faults: Vec<String> = self.faults().map(ToString::to_string).collect();
        if faults.is_empty() { "no faults".to_owned() } else { faults.join(", ") }
    }

    pub(super) fn in_words(&self) -> String {
        let (first, last) = (day(self.first_open), day(self.last_open));
        let faults = self.faults_in_words();
        format!("{} bars from {first} to {last}, {faults}", count(self.bars))
    }
}

/// Everything that is known of a series, in lines.
pub(super) fn about(listed: &ListedSeries, facts: Option<&Result<Facts<'_>, &str>>) -> String {
    let mut lines = match &listed.series {
        MarketSeries::File(entry) => vec![entry.path.display().to_string()],
        MarketSeries::Synthetic { .. } => vec!["made up from the market's seed".to_owned()],
    };
    lines.push(match facts {
        None => "not read yet".to_owned(),
        Some(Ok(facts)) => facts.in_words(),
        Some(Err(message)) => (*message).to_owned(),
    });
    lines.extend(listed.known.iter().flat_map(|known| known.reading.notes()));
    lines.push("Click for its price, quality and import settings.".to_owned());
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_is_told_with_its_faults_and_without_its_holidays() {
        let found = |problem, found, dropped| ProblemCount { problem, found, dropped };
        let (first_open, last_open) = (UtcMillis(0), UtcMillis(86_400_000));
        let facts = |quality| Facts { bars: 25, first_open, last_open, quality, spark: &[] };
        let closed = found(Problem::Closed, 9, 0);
        let clean = [closed];
        assert_eq!(facts(&clean).in_words(), "25 bars from 1970-01-01 to 1970-01-02, no faults");
        assert_eq!(facts(&clean).fault_count(), 0);
        let broken = [found(Problem::Unreadable, 2, 2), found(Problem::Missing, 2, 0), closed];
        let told = facts(&broken).in_words();
        assert!(told.ends_with(", 2 unreadable rows (dropped), 2 missing bars"), "{told}");
        assert_eq!(facts(&broken).fault_count(), 4);
    }
}
