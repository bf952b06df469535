use tch::Tensor;

use super::{TorchError, ffi};

/// The constants of an `AdamW` step (Loshchilov & Hutter 2019), named as in `torch.optim.AdamW`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamWSettings {
    /// Step size.
    pub learning_rate: f64,
    /// Decay of the first and the second moment.
    pub betas: (f64, f64),
    /// Decoupled weight decay.
    pub weight_decay: f64,
    /// Added to the denominator.
    pub eps: f64,
}

/// One fused step: updates parameters and both moments in place. `step` is the number of this step, from 1, as an f32 scalar on the
/// parameters' device.
///
/// # Errors
/// When the four lists differ in length or shapes, or memory runs out.
pub fn fused_adamw(
    parameters: &[Tensor],
    gradients: &[Tensor],
    first_moments: &[Tensor],
    second_moments: &[Tensor],
    step: &Tensor,
    settings: &AdamWSettings,
) -> Result<(), TorchError> {
    let n = parameters.len();
    if [gradients.len(), first_moments.len(), second_moments.len()] != [n; 3] {
        return Err(TorchError::Other(format!(
            "AdamW: {n} parameters, but not as many gradients and moments"
        )));
    }
    let lists = [parameters, gradients, first_moments, second_moments].map(ffi::pointers);
    // SAFETY: four lists of `n` live tensors; libtorch checks shapes and types and throws, which the C++ side turns into a code.
    ffi::checked(unsafe {
        ffi::wf_fused_adamw(
            lists[0].as_ptr(),
            lists[1].as_ptr(),
            lists[2].as_ptr(),
            lists[3].as_ptr(),
            ffi::length(parameters)?,
            step.as_ptr(),
            settings.learning_rate,
            settings.betas.0,
            settings.betas.1,
            settings.weight_decay,
            settings.eps,
        )
    })
}

/// The joint 2-norm of the gradients, a scalar on their device; with a limit, longer gradients are shortened to it in place
/// (`torch.nn.utils.clip_grad_norm_`).
///
/// # Errors
/// When there are no gradients or memory runs out.
pub fn clip_grad_norm(gradients: &[Tensor], limit: Option<f64>) -> Result<Tensor, TorchError> {
    let list = ffi::pointers(gradients);
    let n = ffi::length(gradients)?;
    // SAFETY: a list of `n` live tensors.
    ffi::new_tensor(|out| unsafe {
        ffi::wf_clip_grad_norm(list.as_ptr(), n, limit.unwrap_or(0.0), out)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clipping_measures_and_shortens() {
        let gradients = [Tensor::from_slice(&[3.0_f32, 0.0]), Tensor::from_slice(&[4.0_f32])];
        let norm = clip_grad_norm(&gradients, None).unwrap();
        assert!((norm.double_value(&[]) - 5.0).abs() < 1e-6);
        assert!((gradients[1].double_value(&[0]) - 4.0).abs() < 1e-6, "measured, not changed");
        let _norm_before = clip_grad_norm(&gradients, Some(1.0)).unwrap();
        let norm = clip_grad_norm(&gradients, None).unwrap();
        assert!((norm.double_value(&[]) - 1.0).abs() < 1e-5);
    }

    #[test]
    fn lists_of_different_length_are_an_error() {
        let one = [Tensor::from_slice(&[1.0_f32])];
        let settings =
            AdamWSettings { learning_rate: 0.1, betas: (0.9, 0.999), weight_decay: 0.0, eps: 1e-8 };
        let step = Tensor::from(1.0_f32);
        assert!(fused_adamw(&one, &[], &one, &one, &step, &settings).is_err());
    }
}
