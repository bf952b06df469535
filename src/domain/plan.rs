use serde::{Deserialize, Serialize};

use super::{
    Bytes, CalendarTime, ContentHash, Device, FoldGap, FoldIndex, ProblemCount, RunId, Symbol,
    TaskId, Timeframe, UtcMillis,
};

/// A half-open span of decision times: a bar belongs to it when it closes at or after `start` and before `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeSpan {
    /// The first moment inside.
    pub start: UtcMillis,
    /// The first moment after.
    pub end: UtcMillis,
}

impl TimeSpan {
    /// Whether no moment lies inside.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.end <= self.start
    }

    /// Whether the moment lies inside.
    #[must_use]
    pub fn contains(self, at: UtcMillis) -> bool {
        self.start <= at && at < self.end
    }
}

/// One fold: where its sections lie on the UTC time axis. The gaps between them are the embargo; the purge comes on top, row by row, from the
/// label end times; [`Task::gaps`] says where both lie.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoldPlan {
    /// Position in the plan, from 0.
    pub index: FoldIndex,
    /// What the model learns from: one span, or in K-fold up to two, before and after what is tested. In time order, at least one.
    #[serde(with = "one_or_several")]
    pub train: Vec<TimeSpan>,
    /// What early stopping and model choice see.
    pub validation: TimeSpan,
    /// What is seen once, at the end.
    pub test: TimeSpan,
    /// How long rows that follow a validation or test section wait after its last label has ended.
    #[serde(default, skip_serializing_if = "Embargo::is_none")]
    pub embargo: Embargo,
}

impl FoldPlan {
    /// The first moment of any section.
    #[must_use]
    pub fn start(&self) -> UtcMillis {
        let others = self.validation.start.min(self.test.start);
        self.train.first().map_or(others, |train| others.min(train.start))
    }

    /// The first moment after every section.
    #[must_use]
    pub fn end(&self) -> UtcMillis {
        let others = self.validation.end.max(self.test.end);
        self.train.last().map_or(others, |train| others.max(train.end))
    }
}

/// How long rows wait after the last label of a section before them has ended. Both must have passed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Embargo {
    /// Bars of the row's own series: never less than window and longest lookback, so that no window reaches back into the section.
    pub bars: u32,
    /// Calendar time.
    #[serde(default)]
    pub time: Option<CalendarTime>,
}

impl Embargo {
    /// Whether nothing waits.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        self.bars == 0 && self.time.is_none()
    }
}

/// One value is written as itself and several as a list, so that what was written when there could be only one still reads.
mod one_or_several {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrSeveral<T> {
        One(T),
        Several(Vec<T>),
    }

    pub(super) fn serialize<T: Serialize, S: Serializer>(
        values: &[T],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match values {
            [only] => only.serialize(serializer),
            several => several.serialize(serializer),
        }
    }

    pub(super) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<T>, D::Error> {
        Ok(match OneOrSeveral::deserialize(deserializer)? {
            OneOrSeveral::One(only) => vec![only],
            OneOrSeveral::Several(several) => several,
        })
    }
}

/// One unit of training: a model for these symbols at these timeframes on this fold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// Name within the run.
    pub id: TaskId,
    /// What decides the result: equal keys give equal weights on the same machine.
    pub key: ContentHash,
    /// The symbols the model is trained on: one, or all of them where pooled.
    pub symbols: Vec<Symbol>,
    /// The bar lengths: one, or all of them where timeframes are pooled. The shortest first.
    #[serde(rename = "timeframe", with = "one_or_several")]
    pub timeframes: Vec<Timeframe>,
    /// The sections.
    pub fold: FoldPlan,
    /// What is left out beside them. Follows from the bars and the sections, so it decides nothing; empty in plans of older versions and where
    /// nothing is tested.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<FoldGap>,
    /// Seeds initial weights, batch order and dropout: a hash of the experiment's seed and the task's identity, never of its position.
    pub seed: u64,
    /// Where it computes, resolved.
    pub device: Device,
    /// Parameters to be learnt.
    pub parameters: u64,
    /// Estimated peak of tensors at work: weights, gradients, optimizer state, activations, and the resident matrix, which is there once for all
    /// tasks of the same series on a device.
    pub memory: Bytes,
    /// How much of it is the resident matrix.
    #[serde(default)]
    pub resident: Bytes,
    /// Whether it is one of the folds.
    #[serde(default)]
    pub role: TaskRole,
    /// Tasks that have to finish first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<TaskId>,
    /// Rows it learns from.
    #[serde(default)]
    pub train_rows: u64,
    /// Equal for tasks that cost the same time for each row: model, window, features, label's outputs, batch size, precision, threads. `None` in
    /// plans of older versions.
    #[serde(default)]
    pub shape: Option<ContentHash>,
    /// What its files will take on disk, roughly.
    #[serde(default)]
    pub disk: Bytes,
    /// How long it will take at most, in milliseconds, as earlier runs on this kind of device let expect; `None` where there were none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_ms: Option<u64>,
    /// The finished task with the same key whose result is taken over instead of training again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reuse: Option<StoredTask>,
}

/// A task of a stored run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StoredTask {
    /// The run.
    pub run: RunId,
    /// The task in it.
    pub task: TaskId,
}

impl std::fmt::Display for StoredTask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.run, self.task)
    }
}

/// What a task is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskRole {
    /// It trains, validates and tests on a fold.
    #[default]
    Fold,
    /// After the folds it trains on all rows for the model to export. Its validation and test sections are empty.
    Refit,
}

impl Task {
    /// The bar lengths in one word: `1h`, `1h+4h`.
    #[must_use]
    pub fn timeframe_text(&self) -> String {
        let timeframes: Vec<String> = self.timeframes.iter().map(ToString::to_string).collect();
        timeframes.join("+")
    }
}

/// What was found of one symbol's bars at one timeframe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeriesPlan {
    /// The instrument.
    pub symbol: Symbol,
    /// The bar length.
    pub timeframe: Timeframe,
    /// Bars read.
    pub bars: u64,
    /// Open time of the first bar.
    pub first_open: UtcMillis,
    /// Open time of the last bar.
    pub last_open: UtcMillis,
    /// Hash of the bars.
    pub data: ContentHash,
    /// What was wrong with the file's rows, and how many were dropped.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub quality: Vec<ProblemCount>,
    /// The bar length of the file, where the bars were put together from shorter ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_from: Option<Timeframe>,
}

/// Everything that will be done, with every choice resolved. Nothing in it is guessed later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The experiment's name.
    pub experiment: String,
    /// Hash of the resolved specification.
    pub spec: ContentHash,
    /// Where the tasks compute.
    pub device: Device,
    /// Why there.
    pub device_reason: String,
    /// Tasks that train at the same time.
    pub workers: u32,
    /// Threads libtorch uses within one task.
    pub threads_per_task: u32,
    /// Columns of the feature matrix, in order.
    pub features: Vec<String>,
    /// The series read.
    pub series: Vec<SeriesPlan>,
    /// The tasks, in the order they are queued.
    pub tasks: Vec<Task>,
    /// What the user should know before starting.
    pub warnings: Vec<String>,
    /// Every device the tasks may compute on; empty means `device` alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<Device>,
    /// What was found out by trying while planning, in words, as a batch size.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decisions: Vec<String>,
    /// What could be had for free, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recommendations: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fold_with_one_train_span_reads_and_writes_as_it_always_did() {
        let span = r#"{"start":"2024-01-01T00:00:00Z","end":"2024-01-02T00:00:00Z"}"#;
        let old = format!(r#"{{"index":0,"train":{span},"validation":{span},"test":{span}}}"#);
        let fold: FoldPlan = serde_json::from_str(&old).unwrap();
        assert_eq!((fold.train.len(), fold.embargo), (1, Embargo::default()));
        assert_eq!(serde_json::to_string(&fold).unwrap(), old);
        let several = FoldPlan {
            train: vec![fold.test; 2],
            embargo: Embargo { bars: 3, time: "2d".parse().ok() },
            ..fold
        };
        let text = serde_json::to_string(&several).unwrap();
        assert_eq!(serde_json::from_str::<FoldPlan>(&text).unwrap(), several, "{text}");
    }
}
