use std::sync::Arc;

use crate::market::Trial;
use crate::spec::QualitySpec;
use crate::workbench::{Examination, MarketSeries};

/// The series that is looked at by itself. The last one stays in view while the next is read.
#[derive(Debug, Default)]
pub(crate) struct Examined {
    /// Names the latest request.
    ticket: u64,
    /// What was asked for last.
    pub(crate) wanted: Option<(MarketSeries, QualitySpec)>,
    /// The latest request has not been answered.
    pub(crate) pending: bool,
    /// What there is to see.
    pub(crate) found: Option<Arc<Examination>>,
    /// Why there is nothing to see of the series asked for.
    pub(crate) error: Option<String>,
    /// How its file would be read with other settings.
    pub(crate) trial: Trying,
}

/// An import that is tried out.
#[derive(Debug, Default)]
pub(crate) struct Trying {
    ticket: u64,
    /// The text asked about last, until it is answered.
    pub(crate) pending: bool,
    /// What came of it: the text, and how the file would be read or why it cannot be.
    pub(crate) outcome: Option<Result<Box<Trial>, String>>,
    text: String,
}

impl Examined {
    /// A new request: its ticket.
    pub(crate) fn ask(&mut self, series: MarketSeries, policies: QualitySpec) -> u64 {
        self.ticket += 1;
        self.pending = true;
        self.error = None;
        let is_other = self.wanted.as_ref().is_none_or(|(wanted, _)| *wanted != series);
        if is_other {
            self.trial = Trying { ticket: self.trial.ticket, ..Trying::default() };
        }
        self.wanted = Some((series, policies));
        self.ticket
    }

    /// Takes an answer, unless something else has been asked for since.
    pub(crate) fn answer(&mut self, ticket: u64, found: Result<Box<Examination>, String>) {
        if ticket != self.ticket {
            return;
        }
        self.pending = false;
        match found {
            Ok(found) => (self.found, self.error) = (Some(Arc::from(found)), None),
            Err(message) => (self.found, self.error) = (None, Some(message)),
        }
    }

    /// Whether this series is the one looked at.
    pub(crate) fn is(&self, series: &MarketSeries) -> bool {
        self.wanted.as_ref().is_some_and(|(wanted, _)| wanted == series)
    }
}

impl Trying {
    /// A new text is tried: its ticket.
    pub(crate) fn ask(&mut self, text: &str) -> u64 {
        self.ticket += 1;
        self.pending = true;
        text.clone_into(&mut self.text);
        self.ticket
    }

    /// Takes an answer, unless another text has been tried since.
    pub(crate) fn answer(&mut self, ticket: u64, trial: Result<Box<Trial>, String>) {
        if ticket == self.ticket {
            self.pending = false;
            self.outcome = Some(trial);
        }
    }

    /// Whether this very text is what was tried last.
    pub(crate) fn is_of(&self, text: &str) -> bool {
        (self.pending || self.outcome.is_some()) && self.text == text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{SyntheticMarket, SyntheticSpec};

    #[test]
    fn only_the_latest_request_is_listened_to_and_another_series_forgets_what_was_tried() {
        let series = |symbol: &str| MarketSeries::Synthetic {
            market: SyntheticSpec { market: SyntheticMarket::Null, bars: 10, seed: 1 },
            symbol: symbol.parse().unwrap(),
            timeframe: "1h".parse().unwrap(),
        };
        let mut examined = Examined::default();
        let policies = QualitySpec::default();
        let old = examined.ask(series("A"), policies);
        let tried = examined.trial.ask("()");
        examined.trial.answer(tried, Err("no".to_owned()));
        assert!(examined.trial.is_of("()") && !examined.trial.is_of("(all: ())"));
        let new = examined.ask(series("B"), policies);
        assert!(examined.trial.outcome.is_none(), "it was about another file");
        examined.answer(old, Err("old".to_owned()));
        assert!(examined.pending && examined.error.is_none());
        examined.answer(new, Err("new".to_owned()));
        assert_eq!((examined.pending, examined.error.as_deref()), (false, Some("new")));
        assert!(examined.is(&series("B")) && !examined.is(&series("A")));
    }
}
