use std::fmt;
use std::ptr;

use tch::Kind;

use super::{TorchError, ffi};
use crate::domain::Device;

/// Until it is dropped, the calling thread computes on devices of this class in a shorter type where that is safe (`torch.autocast`):
/// products and recurrent layers take and give the shorter type, sums and losses f32, weights stay what they are.
///
/// Enter it for the forward pass and the loss and leave it before the backward pass, which takes each operation's type from its forward
/// pass. Drop the youngest first.
pub struct Autocast {
    /// Not [`Send`]: autocast is a state of the thread.
    raw: *mut ffi::CAutocast,
}

impl Autocast {
    /// Computes in `kind`, [`Kind::BFloat16`] or [`Kind::Half`]; `None` computes in the tensors' own types, also within another autocast.
    ///
    /// # Errors
    /// When autocast knows no such type.
    pub fn enter(device: Device, kind: Option<Kind>) -> Result<Self, TorchError> {
        let dtype = match kind {
            None => 0,
            Some(Kind::Half) => 1,
            Some(Kind::BFloat16) => 2,
            Some(other) => {
                return Err(TorchError::Other(format!(
                    "autocast to {other:?}: expected Half or BFloat16"
                )));
            }
        };
        let mut raw = ptr::null_mut();
        // SAFETY: `raw` is a valid place for the result.
        ffi::checked(unsafe {
            ffi::wf_autocast_enter(ffi::numbers(device).0, dtype, &raw mut raw)
        })?;
        Ok(Self { raw })
    }
}

impl Drop for Autocast {
    fn drop(&mut self) {
        // SAFETY: `self.raw` came from wf_autocast_enter on this thread (the type is not Send) and is freed only here.
        let left = ffi::checked(unsafe { ffi::wf_autocast_leave(self.raw) });
        debug_assert!(left.is_ok(), "{left:?}");
    }
}

impl fmt::Debug for Autocast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Autocast").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use tch::Tensor;

    use super::*;

    /// The type that a linear layer of f32 weights gives now.
    fn kind_of_a_linear_layer() -> Kind {
        let place = (Kind::Float, tch::Device::Cpu);
        let (input, weights) = (Tensor::ones([4, 8], place), Tensor::ones([2, 8], place));
        let weights = weights.set_requires_grad(true);
        input.linear(&weights, None::<Tensor>).kind()
    }

    #[test]
    fn a_linear_layer_computes_in_the_shorter_type_while_it_lasts() {
        assert_eq!(kind_of_a_linear_layer(), Kind::Float);
        let outer = Autocast::enter(Device::Cpu, Some(Kind::BFloat16)).unwrap();
        assert_eq!(kind_of_a_linear_layer(), Kind::BFloat16);
        let inner = Autocast::enter(Device::Cpu, None).unwrap();
        assert_eq!(kind_of_a_linear_layer(), Kind::Float, "off within on");
        let innermost = Autocast::enter(Device::Cpu, Some(Kind::Half)).unwrap();
        assert_eq!(kind_of_a_linear_layer(), Kind::Half);
        drop(innermost);
        drop(inner);
        assert_eq!(kind_of_a_linear_layer(), Kind::BFloat16);
        drop(outer);
        assert_eq!(kind_of_a_linear_layer(), Kind::Float);
        assert!(Autocast::enter(Device::Cpu, Some(Kind::Double)).is_err());
        assert_eq!(kind_of_a_linear_layer(), Kind::Float, "a refusal changes nothing");
    }

    #[test]
    fn a_panic_inside_restores_and_other_threads_do_not_notice() {
        let panicked = std::panic::catch_unwind(|| {
            let _autocast = Autocast::enter(Device::Cpu, Some(Kind::BFloat16)).unwrap();
            let thread = std::thread::Builder::new().name("walkforge-test-autocast".to_owned());
            let elsewhere = thread.spawn(kind_of_a_linear_layer).unwrap().join().unwrap();
            assert_eq!((kind_of_a_linear_layer(), elsewhere), (Kind::BFloat16, Kind::Float));
            panic!("on purpose");
        });
        assert_eq!(*panicked.unwrap_err().downcast::<&str>().unwrap(), "on purpose");
        assert_eq!(kind_of_a_linear_layer(), Kind::Float);
    }

    #[test]
    fn gradients_and_weights_stay_f32() {
        let place = (Kind::Float, tch::Device::Cpu);
        let weights = Tensor::ones([1, 8], place).set_requires_grad(true);
        let loss = {
            let _autocast = Autocast::enter(Device::Cpu, Some(Kind::BFloat16)).unwrap();
            let twice = Tensor::ones([4, 8], place).linear(&weights, None::<Tensor>)
                + Tensor::ones([4, 8], place).linear(&weights, None::<Tensor>);
            twice.to_kind(Kind::Float).mean(Kind::Float)
        };
        loss.backward();
        assert_eq!((weights.kind(), weights.grad().kind()), (Kind::Float, Kind::Float));
        assert_eq!(weights.grad().double_value(&[0, 0]), 2.0);
    }
}
