use super::args::TrainArguments;
use super::drive::{Drive, Driven};
use super::{Exit, Printer, comparison, experiment};
use crate::workbench::Command;

/// `walkforge train`.
pub(super) fn train(arguments: &TrainArguments, printer: &Printer) -> anyhow::Result<Exit> {
    let spec = experiment::spec(arguments)?;
    // Also what is wrong with one variant of many is told before the first is trained.
    let expected = spec.variants()?.len();
    let drive = Drive {
        runs: &arguments.runs,
        quiet: arguments.quiet,
        tensorboard: arguments.tensorboard.clone(),
        expected,
        printer,
    };
    let driven = drive.drive(Command::Start(Box::new(spec)))?;
    if expected > 1 && !printer.is_json() && !driven.runs.is_empty() {
        compare(&drive, &driven)?;
    }
    Ok(driven.exit)
}

/// The variants side by side.
fn compare(drive: &Drive<'_>, driven: &Driven) -> anyhow::Result<()> {
    let compared = crate::runs::compare(drive.runs, &driven.runs)?;
    comparison::print(&compared, drive.printer);
    if let Some(member) = &driven.sweep {
        let (sweep, place) = (&member.sweep, drive.place());
        drive.printer.note(&format!("Next: walkforge runs compare --sweep {sweep}{place}"));
    }
    Ok(())
}
