use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde::{Deserialize, Serialize};
use tch::Tensor;
use walkforge::features::Scaler;
use walkforge::spec::{ModelSpec, TrainingSpec};

use super::Task;

/// The one process that trains with PyTorch; asked case by case, because to load PyTorch takes seconds.
pub struct Python {
    process: Child,
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    folder: tempfile::TempDir,
}

/// What the script has to know; tensors lie in `folder`.
#[derive(Serialize)]
pub struct Request<'a> {
    folder: PathBuf,
    model: &'a ModelSpec,
    window: u32,
    features: usize,
    outputs: u32,
    /// `None` for a return.
    classes: Option<u32>,
    label_moments: (f64, f64),
    scaler: Scaler,
    pub training: TrainingSpec,
    /// Names and shapes of the weights, in the order in which they are stored.
    weights: Vec<(&'a str, Vec<i64>)>,
    train: &'a [i64],
    epochs: Vec<Vec<i64>>,
    validation: &'a [i64],
}

#[derive(Deserialize)]
pub struct Answer {
    pub steps: Vec<Step>,
    pub epochs: Vec<Epoch>,
}

#[derive(Deserialize)]
pub struct Step {
    pub loss: f64,
    pub norm: f64,
}

#[derive(Deserialize)]
pub struct Epoch {
    pub train_loss: f64,
    pub validation_loss: Option<f64>,
    pub learning_rate: f64,
}

impl<'a> Request<'a> {
    /// Writes the tensors of the task, with the weights that its network has now.
    pub fn new(
        task: &'a Task,
        epochs: Vec<Vec<i64>>,
        validation: &'a [i64],
        folder: PathBuf,
    ) -> Self {
        let parameters = task.network.parameters();
        let (matrix, labels, row_weights) = resident(task);
        write(&folder.join("matrix"), &[matrix]);
        write(&folder.join("labels"), &[labels]);
        match row_weights {
            Some(weights) => write(&folder.join("weights"), &[weights]),
            // One of an earlier case is none of ours.
            None => drop(std::fs::remove_file(folder.join("weights"))),
        }
        let initial: Vec<Tensor> = parameters.iter().map(|part| part.tensor.detach()).collect();
        write(&folder.join("initial"), &initial);
        let label = task.spec.label;
        Self {
            folder,
            model: &task.spec.model,
            window: task.spec.window,
            features: task.data.scaler().mean().len(),
            outputs: label.outputs(),
            classes: label.classes(),
            label_moments: task.data.label_moments(),
            scaler: task.data.network_scaler(),
            training: task.spec.training.clone(),
            weights: parameters
                .iter()
                .map(|part| (part.name.as_str(), part.tensor.size()))
                .collect(),
            train: task.data.train(),
            epochs,
            validation,
        }
    }
}

/// Features, labels and weights of every row of the series; those of rows nobody trains on are of no account.
fn resident(task: &Task) -> (Tensor, Tensor, Option<Tensor>) {
    let matrix = task.data.test()[0].series.matrix();
    let all: Vec<i64> = (0..matrix.rows() as i64).collect();
    let all = task.data.index(&all).unwrap();
    let (labels, weights) = (task.data.labels(&all).unwrap(), task.data.weights(&all).unwrap());
    (Tensor::from_slice(matrix.as_slice()), labels, weights)
}

fn write(path: &Path, tensors: &[Tensor]) {
    let mut bytes = Vec::new();
    for tensor in tensors {
        let values = Vec::<f32>::try_from(tensor.flatten(0, -1)).unwrap();
        bytes.extend(values.into_iter().flat_map(f32::to_le_bytes));
    }
    std::fs::write(path, bytes).unwrap();
}

impl Python {
    pub fn start(interpreter: &Path) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parity/train.py");
        let mut process = Command::new(interpreter)
            .arg("-B")
            .arg(script)
            .env("OMP_NUM_THREADS", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let requests = process.stdin.take();
        let answers = BufReader::new(process.stdout.take().unwrap());
        Self { process, requests, answers, folder: tempfile::tempdir().unwrap() }
    }

    /// Where tensors are exchanged; each request overwrites those of the one before.
    pub fn folder(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// Has a request done; also gives the weights that came of it, in the request's order.
    pub fn ask(&mut self, request: &Request<'_>) -> (Answer, Vec<Tensor>) {
        let requests = self.requests.as_mut().unwrap();
        writeln!(requests, "{}", serde_json::to_string(request).unwrap()).unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        assert!(
            !answer.is_empty(),
            "tests/parity/train.py ended without an answer; see its message above"
        );
        let bytes = std::fs::read(request.folder.join("trained")).unwrap();
        let mut values =
            bytes.chunks_exact(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap()));
        let tensors = request
            .weights
            .iter()
            .map(|(_, shape)| {
                let count = shape.iter().product::<i64>() as usize;
                let values: Vec<f32> = values.by_ref().take(count).collect();
                Tensor::from_slice(&values).reshape(shape)
            })
            .collect();
        (serde_json::from_str(&answer).unwrap(), tensors)
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        // Nothing more to read: the script ends by itself.
        drop(self.requests.take());
        let _status = self.process.wait();
    }
}
