//! Bars that are missing, and days on which the market was likely closed.

use super::super::session::Gap;
use super::super::{Bars, SessionPattern};
use super::report::{Ledger, MOST_EXAMPLES, Sight};
use crate::domain::{Problem, text};

/// A gap of at least this part of an ordinary trading day may be a holiday, also one that lies within a session of several days.
const PART_OF_A_DAY: f64 = 0.75;
/// No holidays are longer than this, in ordinary trading days: Golden Week and the like.
const LONGEST_HOLIDAYS: u64 = 6;

/// Reports bars missing against the symbol's own session pattern.
///
/// In a market that closes regularly, a day without bars, and a session that begins late or ends early, are told apart from bars missing
/// within a session: they are mostly holidays. Windows end at both.
pub(super) fn find(bars: &Bars, ledger: &mut Ledger) {
    let pattern = SessionPattern::of(bars);
    let (mut missing, mut closed) = (0, 0);
    let (mut holes, mut closures) = (Vec::new(), Vec::new());
    for gap in pattern.gaps(bars) {
        let (before, after) = (bars.open_time()[gap.row - 1], bars.open_time()[gap.row]);
        let hours = after.0.saturating_sub(before.0) as f64 / 3_600_000.0;
        let sight = |what| Sight { row: None, at: after, what };
        if is_closure(gap, &pattern, bars) {
            closed += 1;
            if closures.len() < MOST_EXAMPLES {
                let what = format!(
                    "no bar after {} for {hours} hours, {} fewer than usual",
                    text::minute(before),
                    gap.missing
                );
                closures.push(sight(what));
            }
        } else {
            missing += gap.missing;
            if holes.len() < MOST_EXAMPLES {
                let bars = if gap.missing == 1 { "bar is" } else { "bars are" };
                holes.push(sight(format!(
                    "{} {bars} missing after {}",
                    gap.missing,
                    text::minute(before)
                )));
            }
        }
    }
    ledger.add(Problem::Missing, missing, 0, holes);
    ledger.add(Problem::Closed, closed, 0, closures);
}

fn is_closure(gap: Gap, pattern: &SessionPattern, bars: &Bars) -> bool {
    let Some(per_day) = gap.per_day else { return false };
    if gap.missing > LONGEST_HOLIDAYS * per_day {
        return false;
    }
    gap.missing as f64 >= PART_OF_A_DAY * per_day as f64 || pattern.spans_closed_hours(bars, gap)
}
