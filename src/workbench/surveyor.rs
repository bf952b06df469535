//! What reads market files for somebody who looks at them. None of it is the desk's: a file may take long, and a list of runs is not to wait for it.

use std::path::PathBuf;

use super::Update;
use super::contain::contain_panic;
use super::latest::LatestSlot;
use super::mailbox::Mailbox;
use super::survey::{MarketSeries, examine, survey};
use crate::market::{Cache, try_import};
use crate::spec::QualitySpec;

/// Series that a list wants to show.
pub(super) struct SurveyRequest {
    /// The asker's own count.
    pub(super) ticket: u64,
    /// The most urgent first.
    pub(super) series: Vec<MarketSeries>,
    pub(super) policies: QualitySpec,
}

/// Everything there is to see of a series is asked for.
pub(super) struct ExamineRequest {
    pub(super) ticket: u64,
    pub(super) series: Box<MarketSeries>,
    pub(super) policies: QualitySpec,
}

/// Import settings are to be tried out.
pub(super) struct TrialRequest {
    pub(super) ticket: u64,
    pub(super) file: PathBuf,
    /// Of a `walkforge.ron`.
    pub(super) text: String,
}

/// Reads whatever is asked for, one series after another, until the slot is closed. A newer request takes the place of what is left of the older
/// one: a series that is being read is still told.
pub(super) fn survey_all(slot: &LatestSlot<SurveyRequest>, mailbox: &Mailbox) {
    let cache = Cache::platform();
    while let Some((SurveyRequest { ticket, series, policies }, cancel)) = slot.next() {
        for series in series {
            if cancel.is_cancelled() {
                break;
            }
            let found = contain_panic(|| {
                let found = survey(&series, &policies, &cache);
                found.map(Box::new).map_err(|error| error.to_string())
            });
            let (symbol, timeframe) = (series.symbol().clone(), series.timeframe());
            let survey = found.flatten();
            mailbox.post(Update::Surveyed { ticket, symbol, timeframe, survey });
        }
    }
}

/// Reads the series that was asked for last, until the slot is closed. One that is being read is still told.
pub(super) fn examine_all(slot: &LatestSlot<ExamineRequest>, mailbox: &Mailbox) {
    while let Some((ExamineRequest { ticket, series, policies }, _)) = slot.next() {
        let found = contain_panic(|| {
            let found = examine(*series, &policies, &Cache::platform());
            found.map(Box::new).map_err(|error| error.to_string())
        });
        mailbox.post(Update::Examined { ticket, examination: found.flatten() });
    }
}

/// The same for import settings.
pub(super) fn try_all(slot: &LatestSlot<TrialRequest>, mailbox: &Mailbox) {
    while let Some((TrialRequest { ticket, file, text }, _)) = slot.next() {
        let tried = contain_panic(|| {
            let trial = try_import(&file, &text);
            trial.map(Box::new).map_err(|error| error.to_string())
        });
        mailbox.post(Update::ImportTried { ticket, trial: tried.flatten() });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::spec::{SyntheticMarket, SyntheticSpec};

    #[test]
    fn every_series_is_told_and_one_that_cannot_be_made_says_why() {
        let slot = Arc::new(LatestSlot::default());
        let mailbox = Mailbox::new({
            let slot = Arc::clone(&slot);
            let told = std::sync::atomic::AtomicUsize::new(0);
            move || {
                if told.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 1 {
                    slot.close();
                }
            }
        });
        let made = |bars| MarketSeries::Synthetic {
            market: SyntheticSpec { market: SyntheticMarket::Null, bars, seed: 1 },
            symbol: format!("BARS_{bars}").parse().unwrap(),
            timeframe: "1h".parse().unwrap(),
        };
        let series = vec![made(0), made(100), made(200)];
        slot.ask(SurveyRequest { ticket: 7, series, policies: QualitySpec::default() });
        survey_all(&slot, &mailbox);
        let told = mailbox.drain();
        let [Update::Surveyed { survey: Err(why), .. }, Update::Surveyed { ticket: 7, survey, .. }] =
            told.as_slice()
        else {
            panic!("closing ends it after the second: {told:?}");
        };
        assert!(why.contains("it has 0 bars"), "{why}");
        assert_eq!(survey.as_ref().unwrap().bars, 100);
    }

    #[test]
    fn of_several_series_only_the_last_one_is_read() {
        let slot = Arc::new(LatestSlot::default());
        let mailbox = Mailbox::new({
            let slot = Arc::clone(&slot);
            move || slot.close()
        });
        for (ticket, symbol) in [(1, "A"), (2, "B")] {
            let series = Box::new(MarketSeries::Synthetic {
                market: SyntheticSpec { market: SyntheticMarket::Null, bars: 100, seed: 1 },
                symbol: symbol.parse().unwrap(),
                timeframe: "1h".parse().unwrap(),
            });
            slot.ask(ExamineRequest { ticket, series, policies: QualitySpec::default() });
        }
        examine_all(&slot, &mailbox);
        let told = mailbox.drain();
        let [Update::Examined { ticket: 2, examination: Ok(found) }] = told.as_slice() else {
            panic!("{told:?}");
        };
        assert_eq!(found.contents.as_ref().unwrap().candles.bars(), 100);
    }
}
