//! Positions of the baselines that stand beside every result; the fitted baseline is [`Ridge`](super::Ridge).

/// The position a prediction asks for: its sign, 1 long, -1 short, 0 flat. A prediction of 0 and a missing one (NaN) are
/// flat.
///
/// `predictions` are in any unit whose zero means "no view": a return, or a probability minus one half.
#[must_use]
pub fn sign_positions(predictions: &[f64]) -> Vec<f64> {
    predictions.iter().map(|&prediction| sign(prediction)).collect()
}

/// Long at every row.
#[must_use]
pub fn always_long(rows: usize) -> Vec<f64> {
    vec![1.0; rows]
}

/// Follows the last closed bar: the sign of close(t) / close(t-1) - 1 for the decision at bar t's close.
///
/// A bar without a return (NaN, such as a symbol's first) and an unchanged one are flat.
#[must_use]
pub fn last_return(closed_bar_returns: &[f64]) -> Vec<f64> {
    sign_positions(closed_bar_returns)
}

/// Unlike `f64::signum`, 0 for 0 and for NaN.
fn sign(value: f64) -> f64 {
    if value > 0.0 {
        1.0
    } else if value < 0.0 {
        -1.0
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_signs_and_unknown_is_flat() {
        let values = [0.02, -1e-12, 0.0, -0.0, f64::NAN, f64::NEG_INFINITY];
        assert_eq!(sign_positions(&values), [1.0, -1.0, 0.0, 0.0, 0.0, -1.0]);
        assert_eq!(last_return(&values), sign_positions(&values));
        assert_eq!(always_long(2), [1.0, 1.0]);
    }
}
