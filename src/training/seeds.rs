use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::domain::{ContentHash, Device};
use crate::torch::{Generator, TorchError};

/// One task's random streams, each independent of the others and of every other task: drawing more from one changes no other.
#[derive(Debug, Clone, Copy)]
pub struct TaskSeeds {
    seed: u64,
}

impl TaskSeeds {
    /// The streams that follow from a task's seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// For initial weights.
    #[must_use]
    pub fn weights(self) -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(self.stream("weights"))
    }

    /// For the order of the training samples in an epoch, counted from 1: each epoch's is a stream of its own, so that training can go on from
    /// any of them.
    #[must_use]
    pub fn order(self, epoch: u32) -> ChaCha8Rng {
        let mut random = ChaCha8Rng::seed_from_u64(self.stream("order"));
        random.set_stream(u64::from(epoch));
        random
    }

    /// For dropout masks.
    ///
    /// # Errors
    /// When the device does not exist.
    pub fn dropout(self, device: Device) -> Result<Generator, TorchError> {
        Generator::new(device, self.stream("dropout"))
    }

    fn stream(self, name: &str) -> u64 {
        ContentHash::of_parts([self.seed.to_le_bytes().as_slice(), name.as_bytes()]).to_u64()
    }
}
