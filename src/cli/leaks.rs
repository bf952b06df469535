use super::args::CheckLeaksArguments;
use super::{Exit, Printer, experiment};
use crate::domain::Cancel;
use crate::domain::text::number;
use crate::workbench::{Contrast, LeakCheck, LeakReport, Subject, check_leaks};

/// `walkforge data check-leaks`.
pub(super) fn check(arguments: &CheckLeaksArguments, printer: &Printer) -> anyhow::Result<Exit> {
    let spec = experiment::described(&arguments.experiment)?;
    let contrast = !arguments.skip_contrast;
    let mut tell = |stage: String| printer.note(&format!("… {stage}"));
    let report = check_leaks(&spec, contrast, &Cancel::new(), &mut tell)?;
    if printer.is_json() {
        printer.json_line(&report);
    } else {
        print(&report, printer);
    }
    Ok(if report.is_clean() { Exit::Done } else { Exit::TaskFailed })
}

fn print(report: &LeakReport, printer: &Printer) {
    printer.line(&format!("Leak check of {}", report.experiment));
    for subject in Subject::ALL {
        let checks: Vec<&LeakCheck> =
            report.checks.iter().filter(|check| check.subject == subject).collect();
        let Some(first) = checks.first() else { continue };
        let clean = checks.iter().filter(|check| check.culprit.is_none()).count();
        printer.line("");
        printer.line(&format!(
            "{}: {clean} of {} clean: {}",
            subject.title(),
            checks.len(),
            subject.question()
        ));
        printer.line(&format!("  {}: {}", first.name, first.evidence));
        for check in checks {
            if let Some(culprit) = &check.culprit {
                printer.line(&format!("  LEAK in {}: {culprit}", check.name));
            }
        }
    }
    if let Some(contrast) = &report.contrast {
        print_contrast(contrast, printer);
    }
    printer.line("");
    match report.leaks().count() {
        0 => printer.line("No leak was found."),
        1 => printer.line("1 leak was found: results of this experiment cannot be believed."),
        many => printer.line(&format!(
            "{many} leaks were found: results of this experiment cannot be believed."
        )),
    }
}

fn print_contrast(contrast: &Contrast, printer: &Printer) {
    printer.line("");
    printer.line(&format!(
        "Honest folds against shuffled {}-fold: {}",
        contrast.shuffled_folds, contrast.metric
    ));
    let header = ["timeframe", "predictor", "honest", "t", "shuffled", "ratio"];
    let row = |predictor: &crate::workbench::PredictorContrast| {
        vec![
            predictor.timeframe.to_string(),
            predictor.name.clone(),
            number(predictor.honest, 4),
            number(predictor.honest_t, 2),
            number(predictor.shuffled, 4),
            number(predictor.ratio(), 1),
        ]
    };
    let rows: Vec<Vec<String>> = contrast.predictors.iter().map(row).collect();
    printer.table(&header, 2, &rows);
    for predictor in &contrast.predictors {
        printer.line(&format!("{}: {}.", predictor.name, predictor.verdict()));
    }
}
