//! How time is cut: walk-forward folds on one UTC axis, and which of a symbol's rows belong to which section.
//!
//! The room uses `domain`, `spec`, `market`, `features` and `labels`. It must never know models, libtorch, files, threads or screens.
//!
//! Leakage is ruled out in two steps that the user cannot switch off or get wrong: sections are spans of *decision times* (bar close
//! times), the same for every pooled symbol, never row indices; and a train or validation row whose label is known only at or after a later
//! section's first decision is purged (López de Prado 2018, §7.4.1). The embargo of the specification comes on top.

mod axis;
mod sections;
mod usable;
mod walk_forward;

pub use axis::{decision_axis, decision_times};
pub use sections::{Sections, sections};
pub use usable::usable_rows;
pub use walk_forward::{ValidationError, walk_forward};
