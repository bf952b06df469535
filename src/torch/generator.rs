use std::fmt;

use tch::Tensor;

use super::{TorchError, ffi};
use crate::domain::Device;

/// A libtorch random generator of a task's own, so that what other threads draw changes nothing.
pub struct Generator {
    raw: *mut ffi::CGenerator,
}

// SAFETY: an at::Generator is a reference-counted handle without thread affinity; this handle is the only one to its generator, and every
// call that uses it takes `&mut self` or the generator's own lock.
unsafe impl Send for Generator {}

impl Generator {
    /// A generator on the device, in the state that follows from the seed.
    ///
    /// # Errors
    /// When the device does not exist.
    pub fn new(device: Device, seed: u64) -> Result<Self, TorchError> {
        let (device_type, index) = ffi::numbers(device);
        let mut raw = std::ptr::null_mut();
        // SAFETY: `raw` is a valid place for the result.
        ffi::checked(unsafe { ffi::wf_generator_new(device_type, index, seed, &raw mut raw) })?;
        Ok(Self { raw })
    }

    /// The whole state, a byte tensor on the CPU: what a checkpoint stores.
    ///
    /// # Errors
    /// When libtorch cannot read it.
    pub fn state(&mut self) -> Result<Tensor, TorchError> {
        // SAFETY: `self.raw` is alive until drop.
        ffi::new_tensor(|out| unsafe { ffi::wf_generator_get_state(self.raw, out) })
    }

    /// Goes back to a state that [`Self::state`] gave.
    ///
    /// # Errors
    /// When the tensor is no state of such a generator.
    pub fn set_state(&mut self, state: &Tensor) -> Result<(), TorchError> {
        // SAFETY: both are alive during the call.
        ffi::checked(unsafe { ffi::wf_generator_set_state(self.raw, state.as_ptr()) })
    }

    /// A dropout mask in the shape, type and place of `like`: `1/keep` with probability `keep`, else 0.
    ///
    /// # Errors
    /// When `keep` is no probability or memory runs out.
    pub fn dropout_mask(&mut self, like: &Tensor, keep: f64) -> Result<Tensor, TorchError> {
        // SAFETY: both are alive during the call, and `&mut self` keeps other threads away from the generator.
        ffi::new_tensor(|out| unsafe { ffi::wf_dropout_mask(like.as_ptr(), keep, self.raw, out) })
    }
}

impl Drop for Generator {
    fn drop(&mut self) {
        // SAFETY: `self.raw` came from wf_generator_new and is freed only here.
        unsafe { ffi::wf_generator_free(self.raw) };
    }
}

impl fmt::Debug for Generator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Generator").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(generator: &mut Generator) -> Vec<f32> {
        let like = Tensor::zeros([1000], (tch::Kind::Float, tch::Device::Cpu));
        generator.dropout_mask(&like, 0.75).unwrap().try_into().unwrap()
    }

    #[test]
    #[expect(
        clippy::disallowed_methods,
        reason = "shows that the shared generator changes nothing"
    )]
    fn masks_follow_from_the_seed_whatever_the_global_generator_does() {
        tch::manual_seed(1);
        let first = mask(&mut Generator::new(Device::Cpu, 5).unwrap());
        tch::manual_seed(2);
        drop(Tensor::rand([17], (tch::Kind::Float, tch::Device::Cpu)));
        assert_eq!(first, mask(&mut Generator::new(Device::Cpu, 5).unwrap()));
        assert_ne!(first, mask(&mut Generator::new(Device::Cpu, 6).unwrap()));
        let kept = first.iter().filter(|value| **value > 0.0).count();
        assert!((700..800).contains(&kept), "{kept} of 1000 kept at 0.75");
        assert!(first.iter().all(|value| *value == 0.0 || (*value - 4.0 / 3.0).abs() < 1e-6));
    }

    #[test]
    fn masks_keep_their_share_and_their_mean_and_no_value_follows_its_neighbour() {
        let like = Tensor::zeros([400_003], (tch::Kind::Float, tch::Device::Cpu));
        for keep in [0.9, 0.5, 0.1] {
            let mut generator = Generator::new(Device::Cpu, 5).unwrap();
            let mask: Vec<f32> = generator.dropout_mask(&like, keep).unwrap().try_into().unwrap();
            let count = mask.len() as f64;
            // Five deviations of a share of so many.
            let far = 5.0 * (keep * (1.0 - keep) / count).sqrt();
            let share = |hits: usize| hits as f64 / count;
            let kept = share(mask.iter().filter(|value| **value > 0.0).count());
            assert!((kept - keep).abs() < far, "{keep}: {kept} kept");
            let mean = mask.iter().map(|value| f64::from(*value)).sum::<f64>() / count;
            assert!((mean - 1.0).abs() < far / keep + 1e-4, "{keep}: mean {mean}");
            // Four values come from one draw.
            for apart in 1..=4 {
                let pairs = mask.iter().zip(&mask[apart..]);
                let both = share(pairs.filter(|(a, b)| **a > 0.0 && **b > 0.0).count());
                assert!((both - keep * keep).abs() < 2.0 * far, "{keep}, {apart} apart: {both}");
            }
        }
    }

    #[test]
    fn a_stored_state_brings_the_same_masks_again() {
        let mut generator = Generator::new(Device::Cpu, 5).unwrap();
        drop(mask(&mut generator));
        let state = generator.state().unwrap();
        let expected = mask(&mut generator);
        generator.set_state(&state).unwrap();
        assert_eq!(mask(&mut generator), expected);
        let nonsense = Tensor::zeros([3], (tch::Kind::Uint8, tch::Device::Cpu));
        assert!(generator.set_state(&nonsense).is_err());
    }

    #[test]
    fn an_impossible_probability_is_an_error_not_a_crash() {
        let like = Tensor::zeros([4], (tch::Kind::Float, tch::Device::Cpu));
        let error = Generator::new(Device::Cpu, 1).unwrap().dropout_mask(&like, 1.5).unwrap_err();
        assert!(error.to_string().contains("1.5"), "{error}");
    }
}
