use super::Update;
use super::contain::contain_panic;
use super::latest::LatestSlot;
use super::mailbox::Mailbox;
use super::survey::{MarketSeries, survey};
use crate::market::Cache;
use crate::spec::QualitySpec;

/// Series that a list wants to show.
pub(super) struct SurveyRequest {
    /// The asker's own count.
    pub(super) ticket: u64,
    /// The most urgent first.
    pub(super) series: Vec<MarketSeries>,
    pub(super) policies: QualitySpec,
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
}
