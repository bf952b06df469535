/// Ranks from 1, ties sharing the mean of their ranks (`scipy.stats.rankdata(method="average")`). Values are finite.
#[must_use]
pub fn mean_ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut start = 0;
    // `<=` on sorted values means "equal", and holds for -0.0 and 0.0, which `total_cmp` tells apart.
    for tied in order.chunk_by(|&a, &b| values[b] <= values[a]) {
        let rank = (2 * start + 1 + tied.len()) as f64 / 2.0;
        for &index in tied {
            ranks[index] = rank;
        }
        start += tied.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_share_their_mean_rank() {
        assert_eq!(mean_ranks(&[3.0, 1.0, 3.0, 2.0, 3.0]), [4.0, 1.0, 4.0, 2.0, 4.0]);
        assert_eq!(mean_ranks(&[0.0, -0.0, 1.0]), [1.5, 1.5, 3.0]);
        assert!(mean_ranks(&[]).is_empty());
    }
}
