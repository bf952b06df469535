use super::app::App;
use super::commands::Command;
use super::layout::{self, PanelKind};
use super::state::{Level, Listing, Notice, Source, Trouble};
use crate::spec::DataSource;
use crate::workbench::{LeakReport, Update};

impl App {
    /// Takes one thing the engine has to say.
    pub fn apply(&mut self, update: Update) {
        match update {
            Update::StartFailed { experiment, message, cancelled } => {
                self.state.launches.answered();
                self.state.launches.nobody_to_follow();
                if cancelled {
                    self.note(Level::Info, format!("{experiment}: stopped before it began"));
                } else {
                    self.tell(Level::Error, format!("{experiment} could not start: {message}"));
                }
            }
            Update::Exported { run, folders } => {
                self.state.exporting = false;
                let place = folders.first().and_then(|folder| folder.parent());
                let place = place.map(|place| place.display().to_string());
                let to = place.as_ref().map_or_else(String::new, |place| format!(" to {place}"));
                let models = if folders.len() == 1 { "model" } else { "models" };
                let text = format!("Exported {} {models} of {run}{to}", folders.len());
                let copy = place.map(|place| ("Copy the path", Command::Copy(place)));
                self.offer(Level::Success, text, copy.into_iter().collect());
            }
            Update::ExportFailed { message, cancelled } => {
                self.state.exporting = false;
                if cancelled {
                    self.note(Level::Info, "the export was stopped".to_owned());
                } else {
                    self.tell(Level::Error, format!("The export failed: {message}"));
                }
            }
            Update::Previewed { ticket, plan } => {
                let is_sweep = !self.state.draft.spec().sweep.is_empty();
                self.state.preview.answer(ticket, plan, is_sweep);
            }
            Update::VariantsPlanned { ticket, variants } => {
                self.state.preview.answer_variants(ticket, variants);
            }
            Update::CheckingLeaks { ticket, stage } => self.state.checks.at_stage(ticket, stage),
            Update::LeaksChecked { ticket, report, cancelled } => {
                let outcome = report.map_err(|message| {
                    if cancelled { Trouble::Stopped } else { Trouble::Failed(message) }
                });
                self.leaks_checked(ticket, outcome);
            }
            Update::Looked { ticket, look } => self.state.looks.answer(ticket, look),
            Update::Surveyed { ticket, symbol, timeframe, survey } => {
                self.state.surveys.answer(ticket, symbol, timeframe, survey);
            }
            Update::Examined { ticket, examination } => {
                self.state.examined.answer(ticket, examination);
            }
            Update::ImportTried { ticket, trial } => {
                self.state.examined.trial.answer(ticket, trial);
            }
            Update::OverridesSaved { folder, saved } => self.overrides_saved(&folder, saved),
            Update::FoldersLookedFor { missing } => self.state.recents.found_missing(missing),
            Update::PathLookedAt { path, kind } => self.use_dropped(path, kind),
            Update::Scanned { folder, catalog } => {
                // Another folder may have been chosen since, in this very frame perhaps.
                if self.state.draft.spec().data.source != DataSource::Folder(folder.clone()) {
                    return;
                }
                match catalog {
                    Ok(catalog) => self.take_listing(Listing::of_catalog(&catalog)),
                    Err(message) => {
                        self.note(Level::Error, message.clone());
                        self.state.source = Source::Failed { folder, message };
                    }
                }
            }
            Update::ExperimentOpened { path, spec } => match spec {
                Ok(spec) => {
                    self.put_on_bench(*spec);
                    self.state.remember_experiment(path.clone());
                    self.tell(Level::Success, format!("Opened {}", path.display()));
                }
                Err(message) => self.tell(Level::Error, message),
            },
            Update::ExperimentSaved { path, saved } => match saved {
                Ok(()) => {
                    self.tell(Level::Success, format!("Saved {}", path.display()));
                    self.state.remember_experiment(path);
                }
                Err(message) => self.tell(Level::Error, message),
            },
            Update::FileSaved { path, saved } => match saved {
                Ok(()) => self.tell(Level::Success, format!("Saved {}", path.display())),
                Err(message) => self.tell(Level::Error, message),
            },
            of_runs => self.apply_to_runs(of_runs),
        }
    }

    fn leaks_checked(&mut self, ticket: u64, outcome: Result<Box<LeakReport>, Trouble>) {
        let told = match &outcome {
            Ok(report) => summary(report),
            Err(Trouble::Stopped) => (Level::Info, "the leak check was stopped".to_owned()),
            Err(Trouble::Failed(message)) => {
                (Level::Error, format!("The leak check failed: {message}"))
            }
        };
        let (current, now) = (self.state.draft.spec(), self.state.now);
        if !self.state.checks.end(ticket, outcome, current, now) {
            return;
        }
        let (level, text) = told;
        let is_in_view = layout::is_in_front(&self.layout, PanelKind::Checks)
            && self.panels.checks.is_on_leaks();
        if level == Level::Info || is_in_view {
            self.note(level, text);
        } else {
            self.offer(level, text, vec![("Show the report", Command::ShowChecks)]);
        }
    }

    /// Takes back what was offered: it has been taken elsewhere, or leads nowhere any more.
    pub(super) fn withdraw(&mut self, is_taken: impl Fn(&Command) -> bool) {
        self.state.notices.withdraw(&is_taken);
        self.toasts.withdraw(&is_taken);
    }

    /// In the log only.
    pub(super) fn note(&mut self, level: Level, text: String) {
        self.state.journal.add(self.state.now, level, text);
    }

    /// In the log and where the user sees it.
    pub(super) fn tell(&mut self, level: Level, text: String) {
        self.offer(level, text, Vec::new());
    }

    /// The same with ways on. What is wrong stays under the top bar until it is dismissed; news is a toast.
    pub(super) fn offer(
        &mut self,
        level: Level,
        text: String,
        actions: Vec<(&'static str, Command)>,
    ) {
        self.note(level, text.clone());
        let notice = Notice { level, text, actions };
        if level >= Level::Warning {
            self.state.notices.add(notice);
        } else {
            self.toasts.add(notice, self.state.now);
        }
    }
}

/// What a report comes to, in a sentence.
fn summary(report: &LeakReport) -> (Level, String) {
    let name = &report.experiment;
    let leaks: Vec<&str> = report.leaks().map(|check| check.name.as_str()).collect();
    match (report.checks.len(), leaks.as_slice()) {
        (0, _) => (Level::Warning, format!("{name}: the leak check found nothing to check")),
        (all, []) => (Level::Success, format!("{name}: {all} checks, and nothing leaks")),
        (_, [only]) => (Level::Error, format!("{name} leaks: {only}")),
        (_, [first, rest @ ..]) => {
            (Level::Error, format!("{name} leaks: {first} and {} more", rest.len()))
        }
    }
}
