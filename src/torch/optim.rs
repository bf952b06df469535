use tch::Tensor;

use super::{TorchError, ffi};

/// The constants of a step of Adam (Kingma & Ba 2015) or `AdamW` (Loshchilov & Hutter 2019), named as in `torch.optim`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamSettings {
    /// Step size of this step.
    pub learning_rate: f64,
    /// Decay of the first and the second moment.
    pub betas: (f64, f64),
    /// Weight decay: decoupled with `AdamW`, added to the gradient with `Adam`.
    pub weight_decay: f64,
    /// Added to the denominator.
    pub eps: f64,
}

/// The same, by the name it had while there was only one.
pub type AdamWSettings = AdamSettings;

/// The constants of a step of stochastic gradient descent, named as in `torch.optim.SGD`; dampening is 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SgdSettings {
    /// Step size of this step.
    pub learning_rate: f64,
    /// 0 for none.
    pub momentum: f64,
    /// Added to the gradient.
    pub weight_decay: f64,
    /// Nesterov's momentum; only with a momentum.
    pub nesterov: bool,
}

/// What a scaled loss (`torch.amp.GradScaler`) means for a step. Tensors of one f32 on the parameters' device, so that nothing waits for
/// the device.
#[derive(Debug, Clone, Copy, Default)]
pub struct Scaling<'a> {
    /// The gradients are divided by it, in place. `None` where [`super::non_finite_check_and_unscale`] has already done so.
    pub grad_scale: Option<&'a Tensor>,
    /// Where it is 1, nothing is updated. `None`: every step counts.
    pub found_inf: Option<&'a Tensor>,
}

/// One fused step of `torch.optim.Adam`: updates parameters and both moments in place. `step` is the number of this step, from 1, as an f32
/// scalar on the parameters' device; a step that is skipped takes one off it again, so skipped steps do not count.
///
/// # Errors
/// When the four lists differ in length or shapes, or memory runs out.
pub fn fused_adam(
    parameters: &[Tensor],
    gradients: &[Tensor],
    first_moments: &[Tensor],
    second_moments: &[Tensor],
    step: &Tensor,
    settings: &AdamSettings,
    scaling: Scaling<'_>,
) -> Result<(), TorchError> {
    let lists = [parameters, gradients, first_moments, second_moments];
    adam("Adam", false, lists, step, settings, scaling)
}

/// One fused step of `torch.optim.AdamW`; otherwise as [`fused_adam`].
///
/// # Errors
/// As [`fused_adam`].
pub fn fused_adamw(
    parameters: &[Tensor],
    gradients: &[Tensor],
    first_moments: &[Tensor],
    second_moments: &[Tensor],
    step: &Tensor,
    settings: &AdamSettings,
    scaling: Scaling<'_>,
) -> Result<(), TorchError> {
    let lists = [parameters, gradients, first_moments, second_moments];
    adam("AdamW", true, lists, step, settings, scaling)
}

fn adam(
    name: &str,
    is_decoupled: bool,
    lists: [&[Tensor]; 4],
    step: &Tensor,
    settings: &AdamSettings,
    scaling: Scaling<'_>,
) -> Result<(), TorchError> {
    same_length(name, &lists)?;
    let n = ffi::length(lists[0])?;
    let lists = lists.map(ffi::pointers);
    // SAFETY: four lists of `n` live tensors, scalars that live through the call or are null, which the C++ side takes as absent; libtorch
    // checks shapes and types and throws, which the C++ side turns into a code.
    ffi::checked(unsafe {
        ffi::wf_fused_adam(
            i32::from(is_decoupled),
            lists[0].as_ptr(),
            lists[1].as_ptr(),
            lists[2].as_ptr(),
            lists[3].as_ptr(),
            n,
            step.as_ptr(),
            settings.learning_rate,
            settings.betas.0,
            settings.betas.1,
            settings.weight_decay,
            settings.eps,
            ffi::pointer(scaling.grad_scale),
            ffi::pointer(scaling.found_inf),
        )
    })
}

/// One fused step of `torch.optim.SGD`: updates parameters and momentum buffers in place.
///
/// The buffers begin as zeros. That makes the first step PyTorch's own (0 × momentum + gradient), also after steps that were skipped, so
/// there is no flag for it. Without a momentum they are not read and may be none.
///
/// # Errors
/// When the lists differ in length or shapes, or memory runs out.
pub fn fused_sgd(
    parameters: &[Tensor],
    gradients: &[Tensor],
    momentum_buffers: &[Tensor],
    settings: &SgdSettings,
    scaling: Scaling<'_>,
) -> Result<(), TorchError> {
    same_length("SGD", &[parameters, gradients])?;
    if settings.momentum != 0.0 {
        same_length("SGD with a momentum", &[parameters, momentum_buffers])?;
    }
    let n = ffi::length(parameters)?;
    let lists = [parameters, gradients, momentum_buffers].map(ffi::pointers);
    // SAFETY: as in `adam`; the third list is read only with a momentum, and has `n` tensors then.
    ffi::checked(unsafe {
        ffi::wf_fused_sgd(
            lists[0].as_ptr(),
            lists[1].as_ptr(),
            lists[2].as_ptr(),
            n,
            settings.learning_rate,
            settings.momentum,
            settings.weight_decay,
            i32::from(settings.nesterov),
            ffi::pointer(scaling.grad_scale),
            ffi::pointer(scaling.found_inf),
        )
    })
}

fn same_length(name: &str, lists: &[&[Tensor]]) -> Result<(), TorchError> {
    let lengths: Vec<usize> = lists.iter().map(|list| list.len()).collect();
    if lengths.iter().all(|length| *length == lengths[0]) {
        return Ok(());
    }
    Err(TorchError::Other(format!(
        "{name}: lists of parameters, gradients and state must be equally long, got {lengths:?}"
    )))
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
#[path = "optim_tests.rs"]
mod tests;
