use super::moments::Moments;

/// Sample standard deviation of the last `window` one-bar log returns of the close, per bar (not annualised); NaN before there are that
/// many. Entry t uses closes up to t.
///
/// O(n) whatever the window: the returns are cut into blocks of the window's length, and a window is the end of one block and the beginning of
/// the next. Nothing is subtracted, so nothing drifts.
#[must_use]
pub fn causal_volatility(close: &[f64], window: usize) -> Vec<f64> {
    let mut volatility = vec![f64::NAN; close.len()];
    if window < 2 || close.len() <= window {
        return volatility;
    }
    let returns: Vec<f64> = close.windows(2).map(|pair| (pair[1] / pair[0]).ln()).collect();
    // tails[i]: the returns of i's block from i on.
    let mut tails = vec![Moments::default(); returns.len()];
    for (block, tails) in returns.chunks(window).zip(tails.chunks_mut(window)) {
        let mut tail = Moments::default();
        for (value, place) in block.iter().zip(tails).rev() {
            tail = Moments::of(*value).and(tail);
            *place = tail;
        }
    }
    let mut head = Moments::default();
    for (last, value) in returns.iter().enumerate() {
        if last % window == 0 {
            head = Moments::default();
        }
        head = head.and(Moments::of(*value));
        let Some(first) = (last + 1).checked_sub(window) else { continue };
        let whole = if first % window == 0 { head } else { tails[first].and(head) };
        // The return number i is that of bar i + 1.
        volatility[last + 1] = whole.sample_deviation();
    }
    volatility
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Two passes over each window.
    fn plain(close: &[f64], window: usize) -> Vec<f64> {
        let volatility = (0..close.len()).map(|t| {
            let Some(first) = t.checked_sub(window) else { return f64::NAN };
            let returns: Vec<f64> = (first..t).map(|i| (close[i + 1] / close[i]).ln()).collect();
            let count = returns.len() as f64;
            let mean = returns.iter().sum::<f64>() / count;
            let squares: f64 = returns.iter().map(|value| (value - mean).powi(2)).sum();
            (squares / (count - 1.0)).sqrt()
        });
        volatility.collect()
    }

    proptest! {
        #[test]
        fn it_is_the_deviation_of_each_window(
            steps in prop::collection::vec(-0.2..0.2_f64, 0..200), window in 2..40_usize,
        ) {
            let close: Vec<f64> = steps.iter().scan(100.0, |price, step| {
                *price *= 1.0 + step;
                Some(*price)
            }).collect();
            for (t, (ours, plain)) in causal_volatility(&close, window).into_iter().zip(plain(&close, window)).enumerate() {
                let same = (ours - plain).abs() <= 1e-12 * plain.abs().max(1e-3);
                prop_assert!(same || ours.is_nan() && plain.is_nan(), "{}: {} and {}", t, ours, plain);
            }
        }

        #[test]
        fn later_closes_change_nothing(
            close in prop::collection::vec(1.0..2.0_f64, 1..100), window in 2..20_usize, cut in 0..100_usize,
        ) {
            let cut = cut.min(close.len());
            let (whole, part) = (causal_volatility(&close, window), causal_volatility(&close[..cut], window));
            let bits = |values: &[f64]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
            prop_assert_eq!(bits(&whole[..cut]), bits(&part));
        }
    }

    #[test]
    fn a_price_that_stands_still_has_none() {
        let volatility = causal_volatility(&[5.0; 10], 3);
        assert!(volatility[..3].iter().all(|value| value.is_nan()));
        assert_eq!(volatility[3..], [0.0; 7]);
    }
}
