use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::facts::Facts;
use crate::domain::{Symbol, Timeframe};
use crate::ui::state::{Choice, ListedSeries, Surveys};
use crate::ui::widgets::{Sort, SortKey};
use crate::workbench::MarketSeries;

/// What a series is described by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Field {
    Symbol,
    Timeframe,
    From,
    To,
    Bars,
    Faults,
    File,
}

/// What series are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SeriesSort {
    pub(super) by: Field,
    pub(super) descending: bool,
}

impl SeriesSort {
    /// Whether a series must have been read to know its place.
    pub(super) const fn needs_reading(self) -> bool {
        matches!(self.by, Field::From | Field::To | Field::Bars | Field::Faults)
    }
}

/// Which series are shown and in what order; found out again when something it rests on has changed.
#[derive(Debug, Default)]
pub(super) struct Order {
    rests_on: Option<RestsOn>,
    shown: Vec<usize>,
}

#[derive(Debug, PartialEq)]
struct RestsOn {
    series: usize,
    revision: u64,
    timeframes: Choice<Timeframe>,
    search: String,
    sort: Option<SeriesSort>,
}

impl Order {
    /// The places of the series shown, in order.
    pub(super) fn shown(&self) -> &[usize] {
        &self.shown
    }

    pub(super) fn follow(
        &mut self,
        series: &[ListedSeries],
        surveys: &Surveys,
        timeframes: &Choice<Timeframe>,
        search: &str,
        sort: Option<SeriesSort>,
    ) {
        let rests_on = RestsOn {
            series: series.len(),
            revision: surveys.revision,
            timeframes: timeframes.clone(),
            search: search.to_owned(),
            sort,
        };
        if self.rests_on.as_ref() == Some(&rests_on) {
            return;
        }
        self.shown = shown(series, timeframes, search);
        if let Some(SeriesSort { by, descending }) = sort {
            let keyed = |index: &usize| key(&series[*index], surveys, by);
            let sort = Sort { column: 0, descending };
            let mut keyed: Vec<_> = self.shown.iter().map(|index| (keyed(index), *index)).collect();
            keyed.sort_by(|(a, _), (b, _)| sort.order(*a, *b));
            self.shown = keyed.into_iter().map(|(_, index)| index).collect();
        }
        self.rests_on = Some(rests_on);
    }
}

/// The series of the ticked timeframes. Of a symbol that has none of them every series: what is ticked may be made from a finer one.
fn shown(series: &[ListedSeries], timeframes: &Choice<Timeframe>, search: &str) -> Vec<usize> {
    let needle = search.trim().to_lowercase();
    let fits = |listed: &ListedSeries| timeframes.contains(&listed.series.timeframe());
    let with: BTreeSet<&Symbol> =
        series.iter().filter(|listed| fits(listed)).map(|listed| listed.series.symbol()).collect();
    let is_shown = |listed: &ListedSeries| {
        let symbol = listed.series.symbol();
        (fits(listed) || !with.contains(symbol)) && symbol.as_str().to_lowercase().contains(&needle)
    };
    (0..series.len()).filter(|&index| is_shown(&series[index])).collect()
}

fn key<'a>(listed: &'a ListedSeries, surveys: &'a Surveys, by: Field) -> Option<SortKey<'a>> {
    let facts = || Facts::of(listed, surveys).and_then(Result::ok);
    match by {
        // Whatever a symbol is called, it is no number.
        Field::Symbol => Some(SortKey::Text(listed.series.symbol().as_str())),
        Field::Timeframe => Some(SortKey::Number(f64::from(listed.series.timeframe().minutes()))),
        Field::From => facts().map(|facts| SortKey::Number(facts.first_open.0 as f64)),
        Field::To => facts().map(|facts| SortKey::Number(facts.last_open.0 as f64)),
        Field::Bars => facts().map(|facts| SortKey::Number(facts.bars as f64)),
        Field::Faults => facts().map(|facts| SortKey::Number(facts.fault_count() as f64)),
        Field::File => match &listed.series {
            MarketSeries::File(entry) => Some(SortKey::Number(entry.size.0 as f64)),
            MarketSeries::Synthetic { .. } => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::UtcMillis;
    use crate::spec::{DataSource, QualitySpec, SyntheticMarket, SyntheticSpec};
    use crate::workbench::Survey;

    fn listed(symbol: &str, timeframe: &str) -> ListedSeries {
        let market = SyntheticSpec { market: SyntheticMarket::Null, bars: 9, seed: 1 };
        let (symbol, timeframe) = (symbol.parse().unwrap(), timeframe.parse().unwrap());
        let series = MarketSeries::Synthetic { market, symbol, timeframe };
        ListedSeries { series, known: None }
    }

    fn names(order: &Order, series: &[ListedSeries]) -> Vec<String> {
        let name = |index: &usize| {
            let series = &series[*index].series;
            format!("{} {}", series.symbol(), series.timeframe())
        };
        order.shown().iter().map(name).collect()
    }

    #[test]
    fn shown_are_the_ticked_timeframes_and_whatever_a_symbol_without_them_has() {
        let series = [("BTC", "1d"), ("BTC", "1h"), ("ETH", "1h"), ("SOL", "5m"), ("SOL", "1d")]
            .map(|(symbol, timeframe)| listed(symbol, timeframe));
        let surveys = Surveys::default();
        let mut order = Order::default();
        let hours = Choice::Some(vec!["1h".parse().unwrap()]);
        order.follow(&series, &surveys, &hours, "", None);
        assert_eq!(names(&order, &series), ["BTC 1h", "ETH 1h", "SOL 5m", "SOL 1d"]);
        order.follow(&series, &surveys, &hours, " b", None);
        assert_eq!(names(&order, &series), ["BTC 1h"]);
        order.follow(&series, &surveys, &Choice::None, "", None);
        assert_eq!(order.shown().len(), 5, "nothing is ticked yet");
    }

    #[test]
    fn what_has_not_been_read_stands_last_however_it_is_sorted() {
        let series = ["A", "B", "C"].map(|symbol| listed(symbol, "1h"));
        let mut surveys = Surveys::default();
        let DataSource::Synthetic(market) = DataSource::Synthetic(SyntheticSpec {
            market: SyntheticMarket::Null,
            bars: 9,
            seed: 1,
        }) else {
            panic!("it is")
        };
        surveys.follow(&DataSource::Synthetic(market), &QualitySpec::default());
        let ticket = surveys.ask(&[]);
        for (symbol, bars) in [("B", 7), ("C", 9)] {
            let survey = Survey {
                bars,
                first_open: UtcMillis(0),
                last_open: UtcMillis(1),
                quality: Vec::new(),
                spark: Vec::new(),
            };
            let (symbol, timeframe) = (symbol.parse().unwrap(), "1h".parse().unwrap());
            surveys.answer(ticket, symbol, timeframe, Ok(Box::new(survey)));
        }
        let mut order = Order::default();
        for (descending, expected) in
            [(false, ["B 1h", "C 1h", "A 1h"]), (true, ["C 1h", "B 1h", "A 1h"])]
        {
            let sort = Some(SeriesSort { by: Field::Bars, descending });
            order.follow(&series, &surveys, &Choice::All, "", sort);
            assert_eq!(names(&order, &series), expected);
        }
    }
}
