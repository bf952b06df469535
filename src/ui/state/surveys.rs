use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{Symbol, Timeframe};
use crate::spec::{DataSource, QualitySpec};
use crate::workbench::{MarketSeries, Survey};

/// What is known of the data source's series, each by itself, since the source was chosen.
#[derive(Debug, Default)]
pub(crate) struct Surveys {
    /// Names the latest request.
    ticket: u64,
    /// What the surveys rest on.
    of: Option<(DataSource, QualitySpec)>,
    found: BTreeMap<Symbol, BTreeMap<Timeframe, Result<Box<Survey>, String>>>,
    /// Asked for last.
    asked: BTreeSet<(Symbol, Timeframe)>,
    /// The oldest request that counts: those before are about other data.
    first: u64,
    /// Counts up whenever anything here changes.
    pub(crate) revision: u64,
}

impl Surveys {
    /// The series come from here, and this is done about rows that are wrong: what was known of others is forgotten.
    pub(crate) fn follow(&mut self, source: &DataSource, policies: &QualitySpec) {
        let is_same = |of: &(DataSource, QualitySpec)| of.0 == *source && of.1 == *policies;
        if !self.of.as_ref().is_some_and(is_same) {
            self.forget();
            self.of = Some((source.clone(), *policies));
        }
    }

    /// Files may have changed.
    pub(crate) fn forget(&mut self) {
        self.found.clear();
        self.asked.clear();
        self.first = self.ticket + 1;
        self.revision += 1;
    }

    /// What is known of a series: its survey, or why it cannot be read. `None` until it has been read.
    pub(crate) fn get(
        &self,
        symbol: &Symbol,
        timeframe: Timeframe,
    ) -> Option<Result<&Survey, &str>> {
        let found = self.found.get(symbol)?.get(&timeframe)?;
        Some(found.as_deref().map_err(String::as_str))
    }

    /// Whether all of these are asked for or known: nothing need be sent.
    pub(crate) fn has_asked(&self, series: &[MarketSeries]) -> bool {
        series.iter().all(|series| {
            let (symbol, timeframe) = (series.symbol(), series.timeframe());
            self.asked.contains(&(symbol.clone(), timeframe))
                || self.get(symbol, timeframe).is_some()
        })
    }

    /// A new request, in the place of the one before: its ticket.
    pub(crate) fn ask(&mut self, series: &[MarketSeries]) -> u64 {
        self.ticket += 1;
        self.asked =
            series.iter().map(|series| (series.symbol().clone(), series.timeframe())).collect();
        self.ticket
    }

    /// Takes an answer, of an older request too as long as it is about the same data.
    pub(crate) fn answer(
        &mut self,
        ticket: u64,
        symbol: Symbol,
        timeframe: Timeframe,
        survey: Result<Box<Survey>, String>,
    ) {
        if ticket >= self.first {
            self.found.entry(symbol).or_default().insert(timeframe, survey);
            self.revision += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{SyntheticMarket, SyntheticSpec};

    fn market(seed: u64) -> SyntheticSpec {
        SyntheticSpec { market: SyntheticMarket::Null, bars: 10, seed }
    }

    fn series(symbol: &str) -> MarketSeries {
        let (symbol, timeframe) = (symbol.parse().unwrap(), "1h".parse().unwrap());
        MarketSeries::Synthetic { market: market(1), symbol, timeframe }
    }

    #[test]
    fn late_answers_count_while_they_are_about_the_same_data() {
        let mut surveys = Surveys::default();
        let (a, b) = (series("A"), series("B"));
        let policies = QualitySpec::default();
        surveys.follow(&DataSource::Synthetic(market(1)), &policies);
        let first = surveys.ask(&[a.clone(), b.clone()]);
        assert!(surveys.has_asked(&[a.clone(), b.clone()]));
        let second = surveys.ask(std::slice::from_ref(&b));
        assert!(!surveys.has_asked(std::slice::from_ref(&a)), "the newer request took its place");
        let failed = |ticket, of: &MarketSeries, surveys: &mut Surveys| {
            let why = Err("why".to_owned());
            surveys.answer(ticket, of.symbol().clone(), of.timeframe(), why);
        };
        failed(first, &a, &mut surveys);
        assert!(surveys.has_asked(&[a.clone(), b.clone()]), "it was read all the same");
        assert_eq!(surveys.get(a.symbol(), a.timeframe()), Some(Err("why")));
        surveys.follow(&DataSource::Synthetic(market(2)), &policies);
        failed(second, &b, &mut surveys);
        assert_eq!(surveys.get(b.symbol(), b.timeframe()), None, "it is about another market");
        let revision = surveys.revision;
        surveys.follow(&DataSource::Synthetic(market(2)), &policies);
        assert_eq!(surveys.revision, revision);
    }
}
