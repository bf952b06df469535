use crate::domain::text::{count, day};
use crate::domain::{FoldGap, GapKind, Task, TaskRole, TimeSpan};

/// What a stretch of a fold's time is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    Train,
    Validation,
    Test,
    Purge,
    Embargo,
}

impl Section {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Train => "Train",
            Self::Validation => "Validation",
            Self::Test => "Test",
            Self::Purge => "Purge",
            Self::Embargo => "Embargo",
        }
    }

    /// Whether what lies in it is left out.
    pub(super) const fn is_gap(self) -> bool {
        matches!(self, Self::Purge | Self::Embargo)
    }
}

/// A stretch of a fold's time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part<'t> {
    pub(super) section: Section,
    pub(super) span: TimeSpan,
    /// What is known of what is left out there.
    pub(super) gap: Option<&'t FoldGap>,
}

/// What is drawn: the sections in the order of time, and then, over them, what is left out. A refit has no validation and test section.
pub(super) fn parts(task: &Task) -> Vec<Part<'_>> {
    let fold = &task.fold;
    let train = fold.train.iter().map(|span| (Section::Train, *span));
    let others = [(Section::Validation, fold.validation), (Section::Test, fold.test)];
    let mut parts: Vec<Part<'_>> = train
        .chain(others)
        .filter(|(_, span)| !span.is_empty())
        .map(|(section, span)| Part { section, span, gap: None })
        .collect();
    parts.sort_by_key(|part| part.span.start);
    parts.extend(task.gaps.iter().map(|gap| {
        let section = match gap.kind {
            GapKind::Purge => Section::Purge,
            GapKind::Embargo => Section::Embargo,
        };
        Part { section, span: gap.span, gap: Some(gap) }
    }));
    parts
}

/// A row in words.
pub(super) fn row_name(task: &Task) -> String {
    let span = |span: TimeSpan| format!("{} to {}", day(span.start), day(span.end));
    let fold = &task.fold;
    let train: Vec<String> = fold.train.iter().map(|part| span(*part)).collect();
    if task.role == TaskRole::Refit {
        return format!("Refit: train {}, nothing left to test", train.join(" and "));
    }
    let gaps = [("purged", GapKind::Purge), ("embargo", GapKind::Embargo)];
    let gaps: String =
        gaps.into_iter().map(|(name, kind)| left_out(&task.gaps, name, kind)).collect();
    format!(
        "Fold {}: train {}, validation {}, test {}{gaps}",
        fold.index,
        train.join(" and "),
        span(fold.validation),
        span(fold.test)
    )
}

/// `, purged 4 bars before validation and 4 before test`; nothing where there is nothing.
fn left_out(gaps: &[FoldGap], name: &str, kind: GapKind) -> String {
    let of_kind = gaps.iter().filter(|gap| gap.kind == kind).enumerate();
    let words = of_kind.map(|(index, gap)| {
        let bars = match (index, gap.bars) {
            (0, 1) => " bar",
            (0, _) => " bars",
            _ => "",
        };
        format!("{}{bars} {}", count(gap.bars), gap.place.name())
    });
    let words: Vec<String> = words.collect();
    if words.is_empty() { String::new() } else { format!(", {name} {}", words.join(" and ")) }
}
