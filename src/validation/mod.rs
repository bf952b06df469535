//! How time is cut: folds on one UTC axis, and which of a symbol's rows belong to which section.
//!
//! The room uses `domain`, `spec`, `market`, `features` and `labels`. It must never know models, libtorch, files, threads or screens.
//!
//! Leakage is ruled out in three steps that the user cannot switch off or get wrong: sections are spans of *decision times* (bar close
//! times), the same for every pooled symbol, never row indices; a train or validation row whose label is known only at or after a later
//! section's first decision is purged (López de Prado 2018, §7.4.1); and a row that follows a validation or test section counts only once
//! that section's last label, of any symbol, has ended and so many bars have passed that its window reaches back no further (§7.4.2). The
//! embargo of the specification comes on top. [`overlaps`] finds what would break the rule, without the code that keeps it.

mod axis;
mod barred;
mod folds;
mod gaps;
mod hold_out;
mod k_fold;
mod overlaps;
mod sections;
mod usable;
mod walk_forward;

pub use axis::{decision_axis, decision_times};
pub use folds::{Reach, ValidationError, folds};
pub use overlaps::{Overlap, overlaps};
pub use sections::{RowTimes, Sections, cut, sections};
pub use usable::{UsableRows, usable_rows, whole_windows};

#[cfg(test)]
mod contract_tests;
#[cfg(test)]
mod folds_tests;
