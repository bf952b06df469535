use super::report::{LeakCheck, Subject};
use super::{LeakCheckError, cuts, not_cancelled};
use crate::domain::Cancel;
use crate::domain::text::count;
use crate::labels::check_end_times;
use crate::market::Bars;
use crate::spec::ExperimentSpec;

/// The label, at each timeframe, computed again from what was known at its end time.
pub(super) fn check(
    spec: &ExperimentSpec,
    panels: &[Vec<&Bars>],
    cancel: &Cancel,
    stage: &mut dyn FnMut(String),
) -> Result<Vec<LeakCheck>, LeakCheckError> {
    let mut checks = Vec::new();
    for panel in panels {
        let Some(timeframe) = panel.first().map(|bars| bars.timeframe()) else { continue };
        stage(format!("computing the labels at {timeframe} again"));
        not_cancelled(cancel)?;
        let moments = cuts(panel);
        let compared = check_end_times(spec.label, panel, &moments);
        let labels = compared.as_ref().map_or(0, |labels| *labels);
        checks.push(LeakCheck {
            subject: Subject::Label,
            name: format!("{} at {timeframe}", spec.label.name()),
            evidence: format!("{} labels at {} moments", count(labels), moments.len()),
            culprit: compared.err().map(|leak| leak.to_string()),
        });
    }
    Ok(checks)
}
