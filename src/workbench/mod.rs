//! Commands in, updates out: plans experiments, runs their tasks on named worker threads, exports models, and does what else a front end
//! must not wait for. The only way a front end starts and stops work.
//!
//! Uses every room above. It must never know who is watching: it wakes a front end through a plain `Fn()` and keeps what it has to say in a
//! mailbox that never makes a worker wait.

mod checker;
mod conclude;
mod contain;
mod curve_file;
mod desk;
mod doctor;
mod engine;
mod feature_rows;
mod feature_table;
mod keeper;
mod kept;
mod latest;
mod leaks;
mod load;
mod loaded;
mod look;
mod mailbox;
mod memory;
mod messages;
mod origins;
mod past;
mod picture;
mod planner;
mod predict;
mod preview;
mod probe;
mod recorder;
mod refit;
mod resolve;
mod retry;
mod run;
mod runner;
mod save;
mod scheduler;
mod scoring;
mod starts;
mod summary;
mod table_file;
mod task;
mod task_queue;
mod tasks;
mod twins;
mod viewer;

pub use desk::search_text;
pub use doctor::{Finding, Health, examine};
pub use engine::Workbench;
pub use feature_table::{FeatureTable, FeatureTableError, write_features};
pub use leaks::{
    Contrast, LeakCheck, LeakCheckError, LeakReport, PredictorContrast, Subject, check_leaks,
};
pub use look::{ClassShare, Curve, Distribution, Look, LookAt, SectionDistribution, Trace};
pub use messages::{Command, ModelChange, Update, Waiting};
pub use past::Planning;
pub use picture::Picture;
pub use planner::{PlanError, Prepared, plan};
pub use predict::{PredictError, PredictOptions, Predictions, predict};
pub use preview::{MOST_PLANNED, PlanTotals, PlannedVariant};
pub use table_file::UnknownTableFormat;
pub use task::{TaskError, TaskObserver, TaskOutput, run_task};
