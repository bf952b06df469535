//! Hand-made cases of the ridge baseline: exact fits, dependent columns, refusals.

use approx::assert_relative_eq;

use super::*;

/// Features, columns, targets and alpha, and why they are refused.
type Refusal<'a> = (&'a [f64], usize, &'a [f64], f64, RidgeError);

#[test]
fn a_plane_is_found_exactly_without_a_penalty_from_f32_and_f64() {
    let x = [1.0_f32, 0.0, 0.0, 1.0, 2.0, 1.0, -1.0, 3.0];
    let y: Vec<f64> =
        x.chunks(2).map(|row| 3.0 * f64::from(row[0]) - 2.0 * f64::from(row[1]) + 5.0).collect();
    let wide: Vec<f64> = x.iter().map(|&value| f64::from(value)).collect();
    let ridge = Ridge::fit(&x, 2, &y, 0.0).unwrap();
    assert_eq!(ridge, Ridge::fit(&wide, 2, &y, 0.0).unwrap());
    assert_relative_eq!(ridge.coefficients[0], 3.0, epsilon = 1e-12);
    assert_relative_eq!(ridge.coefficients[1], -2.0, epsilon = 1e-12);
    assert_relative_eq!(ridge.intercept, 5.0, epsilon = 1e-12);
    for (found, expected) in ridge.predict(&x).unwrap().iter().zip(&y) {
        assert_relative_eq!(found, expected, epsilon = 1e-12);
    }
}

#[test]
fn dependent_columns_need_a_penalty() {
    let x: Vec<f64> =
        (0..40).flat_map(|row| [0.1, 0.3].map(|scale| scale * f64::from(row))).collect();
    let y: Vec<f64> = (0..40).map(f64::from).collect();
    assert_eq!(Ridge::fit(&x, 2, &y, 0.0), Err(RidgeError::Singular { alpha: 0.0 }));
    assert!(Ridge::fit(&x, 2, &y, 1.0).is_ok());
}

#[test]
fn a_constant_column_gets_no_weight() {
    let x = [1.0, 7.0, 2.0, 7.0, 4.0, 7.0];
    let ridge = Ridge::fit(&x, 2, &[1.0, 2.0, 4.0], 0.5).unwrap();
    assert_relative_eq!(ridge.coefficients[1], 0.0);
}

#[test]
fn blocks_do_not_change_the_sum() {
    // More rows than a block, and not a multiple of it.
    let rows = 2 * BLOCK_ROWS + 17;
    let x: Vec<f64> = (0..rows).map(|row| (count_as_f64(row) * 0.37).sin()).collect();
    let y: Vec<f64> = x.iter().map(|value| 2.0 * value - 1.0).collect();
    let ridge = Ridge::fit(&x, 1, &y, 0.0).unwrap();
    assert_relative_eq!(ridge.coefficients[0], 2.0, epsilon = 1e-12);
    assert_relative_eq!(ridge.intercept, -1.0, epsilon = 1e-12);
}

#[test]
fn bad_input_is_refused_with_its_place() {
    let x = [1.0, 2.0, 3.0, 5.0];
    let y = [1.0, 2.0];
    let table: [Refusal<'_>; 7] = [
        (&[], 2, &[], 1.0, RidgeError::Empty { rows: 0, cols: 2 }),
        (&[], 0, &y, 1.0, RidgeError::Empty { rows: 2, cols: 0 }),
        (&x, 3, &y, 1.0, RidgeError::Shape { rows: 2, cols: 3, expected: 6, found: 4 }),
        (&[1.0, 2.0, 3.0, f64::NAN], 2, &y, 1.0, RidgeError::FeatureNotFinite { row: 1, col: 1 }),
        (&x, 2, &[1.0, f64::INFINITY], 1.0, RidgeError::TargetNotFinite { row: 1 }),
        (&x, 2, &y, -1.0, RidgeError::Alpha { alpha: -1.0 }),
        (&[3.0], 1, &[1.0], 0.0, RidgeError::Singular { alpha: 0.0 }),
    ];
    for (x, cols, y, alpha, expected) in table {
        assert_eq!(Ridge::fit(x, cols, y, alpha), Err(expected));
    }
    let rows = RidgeRows { x: &x, cols: 2, y: &y };
    assert_eq!(Ridge::fit_best(rows, rows, &[]), Err(RidgeError::NoAlphas));
    let ridge = Ridge::fit(&x, 2, &y, 1.0).unwrap();
    assert!(matches!(ridge.predict(&x[..3]), Err(RidgeError::Shape { found: 3, .. })));
    assert!(ridge.predict(&[f64::NAN, 1.0]).unwrap()[0].is_nan());
}
