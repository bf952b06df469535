use tch::Tensor;

use super::{TorchError, ffi};

/// Multiplies the gradients by `inverse_scale` in place, and sets `found_inf` to 1 where one of them is not finite; where all are, it is left
/// alone, so it must be 0 before. Both are tensors of one f32 on the gradients' device, so nothing waits for the device.
///
/// # Errors
/// When a tensor has another type, size or device.
pub fn non_finite_check_and_unscale(
    gradients: &[Tensor],
    found_inf: &Tensor,
    inverse_scale: &Tensor,
) -> Result<(), TorchError> {
    let list = ffi::pointers(gradients);
    let n = ffi::length(gradients)?;
    // SAFETY: a list of `n` live tensors and two more; libtorch checks them and throws, which the C++ side turns into a code.
    ffi::checked(unsafe {
        ffi::wf_unscale(list.as_ptr(), n, found_inf.as_ptr(), inverse_scale.as_ptr())
    })
}

/// How the scale of a loss grows and shrinks, as in `torch.amp.GradScaler`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScaleUpdate {
    /// Above 1: what the scale is multiplied with after `growth_interval` steps without overflow.
    pub growth_factor: f64,
    /// Below 1: what it is multiplied with after an overflow.
    pub backoff_factor: f64,
    /// Steps without overflow.
    pub growth_interval: i64,
}

impl Default for ScaleUpdate {
    /// `GradScaler`'s.
    fn default() -> Self {
        Self { growth_factor: 2.0, backoff_factor: 0.5, growth_interval: 2000 }
    }
}

/// Changes `scale` (one f32) and `growth_tracker` (one i32: steps without overflow since the last change) in place, after a step that did
/// (`found_inf` is 1) or did not overflow. A scale does not grow beyond the finite.
///
/// # Errors
/// When a tensor has another type, size or device.
pub fn update_scale(
    scale: &Tensor,
    growth_tracker: &Tensor,
    found_inf: &Tensor,
    update: ScaleUpdate,
) -> Result<(), TorchError> {
    // SAFETY: three live tensors; libtorch checks them and throws, which the C++ side turns into a code.
    ffi::checked(unsafe {
        ffi::wf_update_scale(
            scale.as_ptr(),
            growth_tracker.as_ptr(),
            found_inf.as_ptr(),
            update.growth_factor,
            update.backoff_factor,
            update.growth_interval,
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(value: f32) -> Tensor {
        Tensor::from_slice(&[value])
    }

    #[test]
    fn gradients_are_unscaled_and_overflow_is_found() {
        for (bad, expected) in [(2.0, 0.0), (f32::INFINITY, 1.0), (f32::NAN, 1.0)] {
            let gradients = [Tensor::from_slice(&[8.0_f32, -4.0]), Tensor::from_slice(&[bad; 40])];
            let found_inf = one(0.0);
            non_finite_check_and_unscale(&gradients, &found_inf, &one(0.25)).unwrap();
            assert_eq!(found_inf.double_value(&[0]), expected, "{bad}");
            assert_eq!(Vec::<f32>::try_from(&gradients[0]).unwrap(), [2.0, -1.0]);
            if expected == 0.0 {
                assert_eq!(Vec::<f32>::try_from(&gradients[1]).unwrap(), [0.5; 40]);
            }
        }
        assert!(
            non_finite_check_and_unscale(&[one(1.0)], &one(0.0), &Tensor::from(1_i64)).is_err()
        );
    }

    #[test]
    fn the_scale_halves_on_overflow_and_doubles_after_enough_steps_without() {
        let (scale, tracker) = (one(1024.0), Tensor::from_slice(&[0_i32]));
        let update = ScaleUpdate { growth_interval: 3, ..ScaleUpdate::default() };
        let mut seen = Vec::new();
        for overflow in [0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0] {
            update_scale(&scale, &tracker, &one(overflow), update).unwrap();
            seen.push((scale.double_value(&[0]), tracker.int64_value(&[0])));
        }
        let expected = [
            (1024.0, 1),
            (1024.0, 2),
            (512.0, 0),
            (512.0, 1),
            (512.0, 2),
            (1024.0, 0),
            (1024.0, 1),
        ];
        assert_eq!(seen, expected);
        let tracker = one(0.0);
        assert!(update_scale(&scale, &tracker, &one(0.0), update).is_err(), "counts are i32");
    }
}
