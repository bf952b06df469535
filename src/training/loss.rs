use tch::{Kind, Reduction, Tensor};

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
    /// Cross-entropy on the logits `[batch, 3]` of three classes.
    CrossEntropy,
}

impl Loss {
    /// The loss that goes with a label; `moments` are mean and standard deviation of the train labels.
    #[must_use]
    pub const fn of(label: LabelSpec, moments: (f64, f64)) -> Self {
        match label.classes() {
            None => Self::Mse { mean: moments.0, std: moments.1 },
            Some(3) => Self::CrossEntropy,
            Some(_) => Self::BinaryCrossEntropy,
        }
    }

    /// The mean loss of outputs `[batch]` against labels `[batch]` as the label defines them; a scalar. With weights `[batch]`, the mean of
    /// weight × loss over the batch, not divided by the weights' sum, as PyTorch's `weight=`: a batch of heavy rows pulls harder.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub fn mean(
        self,
        outputs: &Tensor,
        labels: &Tensor,
        weights: Option<&Tensor>,
    ) -> Result<Tensor, TorchError> {
        Ok(match self {
            Self::Mse { mean, std } => {
                let targets = labels.f_sub_scalar(mean)?.f_div_scalar(std)?;
                match weights {
                    None => outputs.f_mse_loss(&targets, Reduction::Mean)?,
                    Some(weights) => outputs
                        .f_mse_loss(&targets, Reduction::None)?
                        .f_mul(weights)?
                        .f_mean(Kind::Float)?,
                }
            }
            Self::BinaryCrossEntropy => outputs.f_binary_cross_entropy_with_logits(
                labels,
                weights,
                None,
                Reduction::Mean,
            )?,
            Self::CrossEntropy => {
                let classes = labels.f_to_kind(Kind::Int64)?;
                let each = outputs.f_cross_entropy_loss(
                    &classes,
                    None::<Tensor>,
                    Reduction::None,
                    -100,
                    0.0,
                )?;
                let each = weights.map(|weights| each.f_mul(weights)).transpose()?.unwrap_or(each);
                each.f_mean(Kind::Float)?
            }
        })
    }
}
