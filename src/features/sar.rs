use crate::market::Bars;

/// Wilder's parabolic stop and reverse (1978) as TA-Lib begins it: the first direction is that of the larger movement of the second bar, up
/// where there is none. NaN at the first row.
///
/// kand begins a market that stands still the other way round, so it is not used.
pub(super) fn parabolic(bars: &Bars, acceleration: f64, maximum: f64) -> Vec<f64> {
    let (high, low) = (bars.high(), bars.low());
    let mut column = vec![f64::NAN; bars.len()];
    if bars.len() < 2 {
        return column;
    }
    let (up, down) = (high[1] - high[0], low[0] - low[1]);
    let is_long = !(down > 0.0 && down > up);
    let mut state = if is_long {
        State { is_long, stop: low[0], extreme: high[1], pace: acceleration }
    } else {
        State { is_long, stop: high[0], extreme: low[1], pace: acceleration }
    };
    for (t, stop) in column.iter_mut().enumerate().skip(1) {
        // TA-Lib takes the second bar for the one before it as well.
        let before = if t == 1 { 1 } else { t - 1 };
        *stop = state.step([high[before], high[t]], [low[before], low[t]], acceleration, maximum);
    }
    column
}

struct State {
    is_long: bool,
    stop: f64,
    /// The best price since the last reversal.
    extreme: f64,
    pace: f64,
}

impl State {
    /// The stop of this bar; highs and lows are of the bar before and of this one.
    fn step(&mut self, high: [f64; 2], low: [f64; 2], acceleration: f64, maximum: f64) -> f64 {
        let is_hit = if self.is_long { low[1] <= self.stop } else { high[1] >= self.stop };
        if is_hit {
            self.is_long = !self.is_long;
            self.stop = self.outside(self.extreme, high, low);
            self.pace = acceleration;
            self.extreme = if self.is_long { high[1] } else { low[1] };
        }
        let stop = self.stop;
        let best = if self.is_long { high[1] } else { low[1] };
        let is_new = if self.is_long { best > self.extreme } else { best < self.extreme };
        if is_new {
            self.extreme = best;
            self.pace = (self.pace + acceleration).min(maximum);
        }
        let next = stop + self.pace * (self.extreme - stop);
        self.stop = self.outside(next, high, low);
        stop
    }

    /// Never inside the last two bars.
    fn outside(&self, stop: f64, high: [f64; 2], low: [f64; 2]) -> f64 {
        if self.is_long { stop.min(low[0]).min(low[1]) } else { stop.max(high[0]).max(high[1]) }
    }
}
