//! Plain data that every room speaks: symbols, time, identifiers, tasks, plans, events, results, cancellation.
//!
//! This room may use nothing of the project and does no I/O. It must never know about libtorch, files, threads or screens.

mod bytes;
mod cancel;
mod device;
mod equity;
mod event;
mod footprint;
mod ids;
mod length;
mod pause;
mod plan;
mod priority;
mod problem;
mod ranks;
mod report;
mod sweep;
mod symbol;
pub mod text;
mod time;

pub use bytes::Bytes;
pub use cancel::Cancel;
pub use device::Device;
pub use equity::{EquityCurve, PredictorEquity};
pub use event::{EpochRecord, Event, EventKind, Progress, RunOutcome, Stage, StepTimes};
pub use footprint::Footprint;
pub use ids::{ContentHash, FoldIndex, RunId, SweepId, TaskId};
pub use length::{CalendarTime, CalendarUnit, InvalidLength, Length};
pub use pause::Pause;
pub use plan::{Embargo, FoldPlan, Plan, SeriesPlan, StoredTask, Task, TaskRole, TimeSpan};
pub use priority::Priority;
pub use problem::{Problem, ProblemCount};
pub use ranks::mean_ranks;
pub use report::{
    BaselineScore, CrossSectionScore, Determinism, RunSummary, Score, SeriesSummary, TaskReport,
    TaskRows,
};
pub use sweep::{Setting, SweepMember};
pub use symbol::{InvalidSymbol, Symbol};
pub use time::{InvalidTimeframe, InvalidTimestamp, Timeframe, UtcMillis};
