use std::collections::BTreeMap;

use tch::Tensor;

use super::Run;
use crate::training::learner::below;
use crate::training::optimizer::overwrite;
use crate::training::{Checkpoint, Checkpoints, Observer, TrainError};

/// Standing still and going on.
impl Run<'_> {
    /// Keeps a checkpoint where one is due or everybody is to stand still.
    pub(super) fn keep_checkpoint(
        &mut self,
        checkpoints: &mut dyn Checkpoints,
        observer: &mut dyn Observer,
    ) -> Result<(), TrainError> {
        let is_paused = self.signals.pause.is_paused();
        self.pause_refused &= is_paused;
        let pausing = is_paused && !self.pause_refused;
        if !pausing && !checkpoints.is_due() {
            return Ok(());
        }
        match checkpoints.keep(&self.checkpoint()?) {
            Ok(()) => {
                self.kept = Some((self.at.epoch, self.at.step));
                if pausing { Err(TrainError::Paused { steps: self.at.steps }) } else { Ok(()) }
            }
            // What was learnt is still here, so training goes on rather than being lost.
            Err(message) => {
                self.pause_refused = is_paused;
                observer
                    .warning(format!("no checkpoint could be kept: {message}; training goes on"));
                Ok(())
            }
        }
    }

    fn checkpoint(&mut self) -> Result<Checkpoint, TrainError> {
        let mut position = self.at.clone();
        position.seconds += self.began.elapsed().as_secs_f64();
        position.epoch_seconds += self.epoch_began.elapsed().as_secs_f64();
        let mut tensors = self.learner.state()?;
        if let Some(best) = &self.best_weights {
            for (parameter, tensor) in self.trainer.network.parameters().iter().zip(best) {
                tensors.insert(format!("best.{}", parameter.name), tensor.shallow_clone());
            }
        }
        tensors.insert("sums".to_owned(), self.sums.state()?);
        let on_host = |(name, tensor): (String, Tensor)| Ok((name, tensor.f_to(tch::Device::Cpu)?));
        let tensors = tensors.into_iter().map(on_host).collect::<Result<_, TrainError>>()?;
        Ok(Checkpoint { position, tensors })
    }

    pub(in crate::training) fn go_on_from(
        &mut self,
        checkpoint: &Checkpoint,
    ) -> Result<(), TrainError> {
        self.learner.load_state(&checkpoint.tensors)?;
        let best: BTreeMap<String, Tensor> = below(&checkpoint.tensors, "best.");
        if !best.is_empty() {
            let mut weights = self.learner.weights()?;
            for (parameter, tensor) in self.trainer.network.parameters().iter().zip(&mut weights) {
                overwrite(tensor, &parameter.name, &best)?;
            }
            self.best_weights = Some(weights);
        }
        self.sums.load_state(&checkpoint.tensors)?;
        self.at = checkpoint.position.clone();
        self.learner.set_micro_batch(self.at.micro_batch);
        self.kept = Some((self.at.epoch, self.at.step));
        Ok(())
    }
}
