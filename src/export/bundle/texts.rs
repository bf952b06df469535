//! What a bundle says about itself in words.

use std::fmt::Write;

use super::manifest::{ExportManifest, FILES};
use crate::dataset::SeriesScaler;
use crate::domain::{TaskRole, TimeSpan};
use crate::runs::TaskMetadata;
use crate::spec::{InsideDeadZone, LabelSpec, Timeout};

/// The model in a sentence.
pub(super) fn about(metadata: &TaskMetadata, scaled: Option<&SeriesScaler>) -> String {
    let task = &metadata.task;
    let list = |texts: Vec<String>| texts.join(", ");
    let (symbols, timeframes) = match scaled {
        Some(own) => (own.symbol.to_string(), own.timeframe.to_string()),
        None => (
            list(task.symbols.iter().map(ToString::to_string).collect()),
            list(task.timeframes.iter().map(ToString::to_string).collect()),
        ),
    };
    let trained = match task.role {
        TaskRole::Fold => format!("trained on fold {}", task.fold.index),
        TaskRole::Refit => "trained again on all rows after the folds".to_owned(),
    };
    let article = match metadata.design.model.name() {
        name @ ("MLP" | "LSTM") => format!("An {name}"),
        "linear" => "A linear model".to_owned(),
        name => format!("A {name}"),
    };
    format!(
        "{article} that predicts the {} of {symbols} at {timeframes}, {} bars ahead, {trained}",
        metadata.label.name(),
        metadata.label.horizon()
    )
}

/// What a prediction is.
pub(super) fn output(label: LabelSpec) -> String {
    const HELD: &str = "open[t+1] to open[t+1+horizon]";
    match label {
        LabelSpec::ForwardReturn { .. } => {
            format!("predicted simple return {HELD}, a fraction")
        }
        LabelSpec::ScaledReturn { .. } => format!(
            "predicted simple return {HELD}, in units of the volatility at t over the horizon (standard deviation of one-bar log returns × sqrt(horizon))"
        ),
        LabelSpec::DemeanedReturn { .. } => format!(
            "predicted simple return {HELD} less the mean of all symbols decided at the same time, a fraction"
        ),
        LabelSpec::RankedReturn { .. } => format!(
            "predicted rank of the simple return {HELD} among all symbols decided at the same time, from -sqrt(3) for the lowest to sqrt(3) for the highest"
        ),
        LabelSpec::Direction { inside: InsideDeadZone::Flat, .. } => {
            "probability that open[t+1+horizon] is above open[t+1] by more than the dead zone, less the probability that it is below by more than that, from -1 to 1".to_owned()
        }
        LabelSpec::TripleBarrier { timeout: Timeout::Class, .. } => {
            "expected outcome of the barriers in volatilities of one bar: profit_take × probability of profit first - stop_loss × probability of stop first".to_owned()
        }
        LabelSpec::Direction { .. } => {
            "probability that open[t+1+horizon] is above open[t+1]".to_owned()
        }
        LabelSpec::TripleBarrier { .. } => {
            "probability that the price reaches the profit barrier before the stop barrier"
                .to_owned()
        }
    }
}

/// `README.md` of a bundle.
pub(super) fn readme(manifest: &ExportManifest) -> String {
    let ExportManifest { about, window, features, lineage, output, .. } = manifest;
    let columns = features.len();
    let mut text = format!(
        "# {}\n\n{about}. Made by {} from task `{}` of run `{}`.\n\n\
         Given the raw features of the last {window} bars, oldest first, it says: {}. {} means neither up nor down.\n",
        lineage.task.id,
        manifest.producer,
        lineage.task.id,
        lineage.run,
        output.text,
        manifest.neutral,
    );
    let _always = write!(text, "\n## Score\n\n{}", HOW_TO_SCORE.trim_start());
    let _always = write!(
        text,
        "\nIn a program of your own, with nothing but PyTorch or nothing but ONNX Runtime and NumPy, for `windows` of float32 `[batch, {window}, {columns}]`:\n\n\
         ```python\nimport torch\nmodel = torch.jit.load(\"{pt}\").eval()\nwith torch.no_grad():\n    predictions = model(windows)\n```\n\n\
         ```python\nimport onnxruntime\nsession = onnxruntime.InferenceSession(\"{onnx}\")\n(predictions,) = session.run([\"prediction\"], {{\"features\": windows}})\n```\n\n\
         The scaler is inside the model: features go in as they are. `{example}` holds an input and what the model says to it; another loader is right when it differs from that by no more than `tolerance`, of predictions beyond 1 by no more than that share.\n",
        pt = FILES.torchscript,
        onnx = FILES.onnx,
        example = FILES.example,
    );
    text.push_str("\n## Features\n\nIn the order of the input's last dimension.\n\n| column | feature | formula | unit |\n| --- | --- | --- | --- |\n");
    for feature in features {
        // A bar within a cell would end it.
        let cells = [&feature.name, &feature.feature, &feature.formula, &feature.unit]
            .map(|cell| cell.replace('|', "\\|"));
        let [name, written, formula, unit] = cells;
        let _always = writeln!(text, "| `{name}` | `{written}` | {formula} | {unit} |");
    }
    text.push_str("\n## Where it comes from\n\n");
    text.push_str(&provenance(manifest));
    text
}

const HOW_TO_SCORE: &str = "
`score.py` needs Python 3.10 or newer and either PyTorch (`pip install torch`) or ONNX Runtime with NumPy (`pip install onnxruntime`); it takes whichever is there, or the
one that `--engine torch` or `--engine onnxruntime` names.

```sh
python score.py --check                                   # the files are whole and the model says what it said
walkforge features --preset experiment.ron --data FOLDER_OF_BARS --out features.csv
python score.py features.csv --out predictions.csv        # also reads Parquet, where pyarrow is installed
```

The table must keep its rows in order and complete: a window is a row and those before it.

From raw bars, without Python:

```sh
walkforge predict THIS_FOLDER --data FOLDER_OF_BARS --out predictions.csv
```
";

fn provenance(manifest: &ExportManifest) -> String {
    let mut text = String::new();
    let lineage = &manifest.lineage;
    let line = |text: &mut String, name: &str, value: String| {
        let _always = writeln!(text, "- {name}: {value}");
    };
    let span = |span: &TimeSpan| format!("{} to {}", span.start, span.end);
    let train: Vec<String> = manifest.periods.train.iter().map(span).collect();
    line(&mut text, "trained on decisions from", train.join(" and "));
    let optional = |part: &Option<TimeSpan>| part.as_ref().map_or_else(|| "—".to_owned(), span);
    line(&mut text, "stopped by", optional(&manifest.periods.validation));
    line(&mut text, "tested on", optional(&manifest.periods.test));
    let number =
        |value: Option<f64>| value.map_or_else(|| "—".to_owned(), |value| format!("{value:.4}"));
    let score = &manifest.metrics.model;
    line(
        &mut text,
        "on the test section",
        format!(
            "IC {}, rank IC {}, hit rate {}, Sharpe ratio {}",
            number(score.ic_ts),
            number(score.rank_ic_ts),
            number(score.hit_rate),
            number(score.sharpe)
        ),
    );
    line(&mut text, "specification", format!("`{}`", lineage.spec));
    line(&mut text, "task key", format!("`{}`", lineage.task.key));
    line(&mut text, "libtorch", manifest.libtorch.clone());
    text.push_str("\n`manifest.json` has all of it, with the whole experiment, the hash of the bars and the hashes of these files.\n");
    text
}
