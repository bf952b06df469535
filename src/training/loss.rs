use tch::{Kind, Reduction, Tensor};

use crate::spec::{LabelSpec, LossSpec};
use crate::torch::TorchError;

/// What training minimises.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Loss {
    /// Squared error on the label standardised by the train labels' mean and standard deviation.
    Mse(Moments),
    /// Squared up to `delta` standard deviations and linear beyond (Huber 1964, as `torch.nn.HuberLoss`).
    Huber(Moments, f64),
    /// Binary cross-entropy on the logit; each class' weight.
    BinaryCrossEntropy([f64; 2]),
    /// Cross-entropy on the logits of three classes; each class' weight.
    CrossEntropy([f64; 3]),
    /// Minus the mean correlation across the symbols of a moment.
    NegativeIc,
}

/// Mean and standard deviation of the train labels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moments {
    /// Mean.
    pub mean: f64,
    /// Population standard deviation, not 0.
    pub std: f64,
}

impl Loss {
    /// The loss of an experiment. `moments` and `labels` are those of the train rows; the latter are read only where classes are balanced.
    #[must_use]
    pub fn of(
        (label, spec): (LabelSpec, LossSpec),
        (mean, std): (f64, f64),
        labels: &[f32],
    ) -> Self {
        let balanced = spec == LossSpec::BalancedCrossEntropy;
        match (label.classes(), spec) {
            (None, LossSpec::Huber { delta }) => Self::Huber(Moments { mean, std }, delta),
            (None, LossSpec::NegativeIc) => Self::NegativeIc,
            (None, _) => Self::Mse(Moments { mean, std }),
            (Some(3..), _) => Self::CrossEntropy(if balanced { balance(labels) } else { [1.0; 3] }),
            (Some(_), _) => {
                Self::BinaryCrossEntropy(if balanced { balance(labels) } else { [1.0; 2] })
            }
        }
    }

    /// Whether the loss of a batch is the sum of its samples' losses, so that a batch may be computed in parts.
    #[must_use]
    pub const fn is_sum_over_samples(self) -> bool {
        !matches!(self, Self::NegativeIc)
    }

    /// The mean loss of outputs `[batch]`, or `[batch, 3]` for three classes, against labels `[batch]` as the label defines them; a scalar.
    /// With weights `[batch]`, the mean of weight × loss over the batch, not divided by the weights' sum: a batch of heavy rows pulls harder.
    /// The same for classes' weights. For [`Self::NegativeIc`] the rows of a moment have the same number in `moments` `[batch]` and stand together.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub fn mean(self, outputs: &Tensor, batch: &Batch<'_>) -> Result<Tensor, TorchError> {
        self.reduced(outputs, batch, Reduction::Mean)
    }

    /// The same, summed over the batch's samples instead of averaged. Not for losses that are no such sum.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub fn sum(self, outputs: &Tensor, batch: &Batch<'_>) -> Result<Tensor, TorchError> {
        self.reduced(outputs, batch, Reduction::Sum)
    }

    fn reduced(
        self,
        outputs: &Tensor,
        batch: &Batch<'_>,
        reduction: Reduction,
    ) -> Result<Tensor, TorchError> {
        // Where samples weigh differently they have to be kept apart first.
        let each = if batch.weights.is_some() { Reduction::None } else { reduction };
        let losses = match self {
            Self::Mse(moments) => outputs.f_mse_loss(&moments.standardise(batch.labels)?, each)?,
            Self::Huber(moments, delta) => {
                outputs.f_huber_loss(&moments.standardise(batch.labels)?, each, delta)?
            }
            Self::BinaryCrossEntropy(classes) => {
                let weights = class_weights(&classes, batch.labels)?;
                let weights = weights.as_ref();
                outputs.f_binary_cross_entropy_with_logits(batch.labels, weights, None, each)?
            }
            Self::CrossEntropy(classes) => {
                let target = batch.labels.f_to_kind(Kind::Int64)?;
                match class_weights(&classes, batch.labels)? {
                    None => {
                        outputs.f_cross_entropy_loss(&target, None::<&Tensor>, each, -100, 0.0)?
                    }
                    // libtorch's own class weights would divide by their sum over the batch.
                    Some(weights) => {
                        let losses = outputs.f_cross_entropy_loss(
                            &target,
                            None::<&Tensor>,
                            Reduction::None,
                            -100,
                            0.0,
                        )?;
                        reduce(&losses.f_mul(&weights)?, each)?
                    }
                }
            }
            Self::NegativeIc => return negative_ic(outputs, batch),
        };
        match batch.weights {
            None => Ok(losses),
            Some(weights) => reduce(&losses.f_mul(weights)?, reduction),
        }
    }
}

/// What outputs are compared with.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a> {
    /// `[batch]`.
    pub labels: &'a Tensor,
    /// `[batch]`; none where every row counts alike.
    pub weights: Option<&'a Tensor>,
    /// `[batch]`, i64: equal where rows are of one moment. Only [`Loss::NegativeIc`] looks at them.
    pub moments: Option<&'a Tensor>,
}

impl<'a> Batch<'a> {
    /// Labels of rows that all count alike.
    #[must_use]
    pub const fn of(labels: &'a Tensor) -> Self {
        Self { labels, weights: None, moments: None }
    }
}

impl Moments {
    fn standardise(self, labels: &Tensor) -> Result<Tensor, TorchError> {
        Ok(labels.f_sub_scalar(self.mean)?.f_div_scalar(self.std)?)
    }
}

fn reduce(losses: &Tensor, reduction: Reduction) -> Result<Tensor, TorchError> {
    Ok(match reduction {
        Reduction::Mean => losses.f_mean(Kind::Float)?,
        Reduction::Sum => losses.f_sum(Kind::Float)?,
        _ => losses.shallow_clone(),
    })
}

/// Each row's weight by its class; `None` where all are 1.
fn class_weights(classes: &[f64], labels: &Tensor) -> Result<Option<Tensor>, TorchError> {
    if classes.iter().all(|weight| *weight == 1.0) {
        return Ok(None);
    }
    let weights: Vec<f32> = classes.iter().map(|weight| *weight as f32).collect();
    let weights = Tensor::f_from_slice(&weights)?.f_to(labels.device())?;
    Ok(Some(weights.f_index_select(0, &labels.f_to_kind(Kind::Int64)?)?))
}

/// rows / (classes × rows of the class): scikit-learn's `class_weight="balanced"`. A class without rows weighs nothing.
fn balance<const N: usize>(labels: &[f32]) -> [f64; N] {
    let mut counts = [0_u64; N];
    for label in labels {
        counts[(*label as usize).min(N - 1)] += 1;
    }
    counts.map(
        |count| {
            if count == 0 { 0.0 } else { labels.len() as f64 / (N as f64 * count as f64) }
        },
    )
}

/// Minus the mean over moments of Pearson's correlation of outputs and labels across the moment's rows.
fn negative_ic(outputs: &Tensor, batch: &Batch<'_>) -> Result<Tensor, TorchError> {
    /// Keeps the square root's slope finite where all outputs of a moment are alike.
    const TINY: f64 = 1e-12;
    let moments = batch.moments.ok_or_else(|| {
        TorchError::Other("the loss compares the rows of a moment, and was told none".to_owned())
    })?;
    let (_, group, counts) = moments.f_unique_consecutive(true, true, None)?;
    let groups = counts.size1()?;
    let counts = counts.f_to_kind(Kind::Float)?;
    let sum = |values: &Tensor| -> Result<Tensor, TorchError> {
        let zeros = Tensor::f_zeros([groups], (Kind::Float, values.device()))?;
        Ok(zeros.f_index_add(0, &group, values)?)
    };
    let centred = |values: &Tensor| -> Result<Tensor, TorchError> {
        let means = sum(values)?.f_div(&counts)?;
        Ok(values.f_sub(&means.f_index_select(0, &group)?)?)
    };
    let (outputs, labels) = (centred(outputs)?, centred(batch.labels)?);
    let covariance = sum(&outputs.f_mul(&labels)?)?;
    let spread = sum(&outputs.f_square()?)?.f_mul(&sum(&labels.f_square()?)?)?;
    let correlation = covariance.f_div(&spread.f_add_scalar(TINY)?.f_sqrt()?)?;
    Ok(correlation.f_mean(Kind::Float)?.f_neg()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation::pearson;

    #[test]
    fn balanced_classes_weigh_alike() {
        assert_eq!(balance::<3>(&[0.0, 0.0, 0.0, 1.0, 2.0, 2.0]), [6.0 / 9.0, 2.0, 1.0]);
        assert_eq!(balance::<2>(&[1.0, 1.0]), [0.0, 0.5], "a class that is not there");
    }

    #[test]
    fn parts_of_a_batch_add_up_to_the_whole() {
        let outputs = Tensor::from_slice(&[0.3_f32, -1.0, 2.0, 0.1]);
        let logits =
            Tensor::from_slice(&[0.1_f32, 0.2, -0.3, 1.0, 0.0, 0.5, -1.0, 0.4, 0.9, 0.0, 0.0, 1.0])
                .reshape([4, 3]);
        let returns = Tensor::from_slice(&[0.01_f32, -0.5, 0.2, 3.0]);
        let classes = Tensor::from_slice(&[0.0_f32, 2.0, 1.0, 2.0]);
        let binary = Tensor::from_slice(&[0.0_f32, 1.0, 1.0, 0.0]);
        let weights = Tensor::from_slice(&[0.5_f32, 2.0, 1.0, 0.7]);
        let moments = Moments { mean: 0.1, std: 2.0 };
        for (loss, outputs, labels) in [
            (Loss::Mse(moments), &outputs, &returns),
            (Loss::Huber(moments, 0.5), &outputs, &returns),
            (Loss::BinaryCrossEntropy([0.5, 2.0]), &outputs, &binary),
            (Loss::CrossEntropy([1.0; 3]), &logits, &classes),
            (Loss::CrossEntropy([0.5, 2.0, 1.5]), &logits, &classes),
        ] {
            for weights in [None, Some(&weights)] {
                let whole = Batch { labels, weights, moments: None };
                let mean = loss.mean(outputs, &whole).unwrap().double_value(&[]);
                let parts: f64 = [(0, 3), (3, 1)]
                    .into_iter()
                    .map(|(from, count)| {
                        let part = |tensor: &Tensor| tensor.narrow(0, from, count);
                        let weights = weights.map(part);
                        let (outputs, labels) = (part(outputs), part(labels));
                        let batch =
                            Batch { labels: &labels, weights: weights.as_ref(), moments: None };
                        loss.sum(&outputs, &batch).unwrap().double_value(&[])
                    })
                    .sum();
                assert!((mean - parts / 4.0).abs() < 1e-6, "{loss:?}: {mean} and {parts}");
            }
        }
    }

    #[test]
    fn the_correlation_loss_is_the_mean_of_each_moments_pearson() {
        let outputs = [0.3, -1.0, 2.0, 0.1, 0.7, 0.2, -0.4];
        let labels = [1.0, 0.5, 0.25, -3.0, 0.1, 0.0, 2.0];
        let narrow = |values: &[f64]| values.iter().map(|value| *value as f32).collect::<Vec<_>>();
        let [o, l] = [&outputs, &labels].map(|values| Tensor::from_slice(&narrow(values)));
        let moments = Tensor::from_slice(&[5_i64, 5, 5, 5, 9, 9, 9]);
        let batch = Batch { labels: &l, weights: None, moments: Some(&moments) };
        let o = o.set_requires_grad(true);
        let loss = Loss::NegativeIc.mean(&o, &batch).unwrap();
        let expected = -(correlation(&outputs[..4], &labels[..4])
            + correlation(&outputs[4..], &labels[4..]))
            / 2.0;
        assert!((loss.double_value(&[]) - expected).abs() < 1e-5, "{loss:?} and {expected}");
        loss.backward();
        assert!(o.grad().isfinite().all().int64_value(&[]) == 1);
        // Outputs all alike have no correlation, and a slope all the same.
        let flat = Tensor::zeros([7], tch::kind::FLOAT_CPU).set_requires_grad(true);
        Loss::NegativeIc.mean(&flat, &batch).unwrap().backward();
        assert!(flat.grad().isfinite().all().int64_value(&[]) == 1);
    }

    /// Pearson without the least number of pairs that evaluation asks for.
    fn correlation(a: &[f64], b: &[f64]) -> f64 {
        let many = |values: &[f64]| values.repeat(10);
        pearson(&many(a), &many(b)).unwrap()
    }
}
