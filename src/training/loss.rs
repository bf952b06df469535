use tch::{Reduction, Tensor};

use crate::spec::LabelSpec;
use crate::torch::TorchError;

/// What training minimises, averaged over samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Loss {
    /// Mean squared error on the label standardised by the train labels' mean and standard deviation.
    Mse {
        /// Mean of the train labels.
        mean: f64,
        /// Their standard deviation.
        std: f64,
    },
    /// Binary cross-entropy on the logit.
    BinaryCrossEntropy,
}

impl Loss {
    /// The loss that goes with a label; `moments` are mean and standard deviation of the train labels.
    #[must_use]
    pub const fn of(label: LabelSpec, moments: (f64, f64)) -> Self {
        match label {
            LabelSpec::ForwardReturn { .. } => Self::Mse { mean: moments.0, std: moments.1 },
            LabelSpec::Direction { .. } => Self::BinaryCrossEntropy,
        }
    }

    /// The mean loss of outputs `[batch]` against labels `[batch]` as the label defines them; a scalar.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub fn mean(self, outputs: &Tensor, labels: &Tensor) -> Result<Tensor, TorchError> {
        match self {
            Self::Mse { mean, std } => {
                let targets = labels.f_sub_scalar(mean)?.f_div_scalar(std)?;
                outputs.f_mse_loss(&targets, Reduction::Mean)
            }
            Self::BinaryCrossEntropy => outputs.f_binary_cross_entropy_with_logits::<Tensor>(
                labels,
                None,
                None,
                Reduction::Mean,
            ),
        }
    }
}
