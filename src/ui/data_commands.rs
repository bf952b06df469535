//! What is done about market data: what panels ask for, and what is dropped on the window.

use std::path::{Path, PathBuf};

use super::app::App;
use super::commands::DataCommand;
use super::layout::{self, PanelKind};
use super::state::{Choice, Level, Listing, Source};
use crate::market::Format;
use crate::workbench::{self, MarketSeries, PathKind};

impl App {
    /// Does what a panel asked for about market data.
    pub(super) fn carry_out_for_data(&mut self, command: DataCommand) {
        match command {
            DataCommand::Survey(series) => {
                let ticket = self.state.surveys.ask(&series);
                let policies = self.state.draft.spec().data.quality;
                self.engine.send(workbench::Command::Survey { ticket, series, policies });
            }
            DataCommand::Show(series) => {
                self.examine(series);
                self.panels.checks.show_series();
                layout::show(&mut self.layout, PanelKind::Checks);
            }
            DataCommand::Examine(series) => self.examine(series),
            DataCommand::TryImport { file, text } => {
                let ticket = self.state.examined.trial.ask(&text);
                self.engine.send(workbench::Command::TryImport { ticket, file, text });
            }
            DataCommand::SaveOverrides { folder, before, text } => {
                self.engine.send(workbench::Command::SaveOverrides { folder, before, text });
            }
            DataCommand::LookForFolders => {
                let folders = self.state.recents.folders().to_vec();
                self.engine.send(workbench::Command::LookForFolders(folders));
            }
            DataCommand::ForgetFolder(folder) => self.state.recents.forget(&folder),
        }
    }

    fn examine(&mut self, series: MarketSeries) {
        let policies = self.state.draft.spec().data.quality;
        let ticket = self.state.examined.ask(series.clone(), policies);
        let series = Box::new(series);
        self.engine.send(workbench::Command::Examine { ticket, series, policies });
    }

    /// A folder's `walkforge.ron` was written, or not: what was read without it is read again.
    pub(super) fn overrides_saved(&mut self, folder: &Path, saved: Result<(), String>) {
        match saved {
            Ok(()) => {
                let text =
                    format!("Wrote {}", folder.join(crate::market::OVERRIDES_FILE).display());
                self.tell(Level::Success, text);
                self.state.surveys.forget();
                self.followed = None;
                if let Some((series, _)) = self.state.examined.wanted.clone() {
                    self.examine(series);
                }
            }
            Err(message) => self.tell(Level::Error, message),
        }
    }

    /// Takes what was dropped on the window in this frame.
    pub(super) fn take_dropped(&mut self, ctx: &egui::Context) {
        let dropped: Vec<PathBuf> = ctx.input(|input| {
            let files = &input.raw.dropped_files;
            files.iter().map(|file| file.path().to_owned()).collect()
        });
        if dropped.is_empty() || self.quitting.is_some() {
            return;
        }
        if let Some(path) = only_one(&dropped) {
            self.engine.send(workbench::Command::LookAtPath(path.to_owned()));
            return;
        }
        let text = format!(
            "{} things were dropped: drop one folder, market files of one folder, or one experiment (.ron).",
            dropped.len()
        );
        self.tell(Level::Warning, text);
    }

    /// What was dropped is known.
    pub(super) fn use_dropped(&mut self, path: PathBuf, kind: Result<PathKind, String>) {
        match kind {
            Ok(PathKind::Folder) => self.use_folder(path),
            Ok(PathKind::MarketFile) => {
                let folder = path.parent().map(Path::to_owned).unwrap_or_default();
                self.use_folder(folder);
            }
            Ok(PathKind::Experiment) => {
                self.engine.send(workbench::Command::OpenExperiment(path));
            }
            Ok(PathKind::Other) => {
                let text = format!(
                    "{} is neither a folder nor a market file nor an experiment (.ron): nothing was done with it.",
                    path.display()
                );
                self.tell(Level::Warning, text);
            }
            Err(message) => self.tell(Level::Error, message),
        }
    }

    /// The folder's files are known: what is ticked must be among them.
    pub(super) fn take_listing(&mut self, listing: Listing) {
        let draft = &self.state.draft;
        let (symbols, timeframes) = (listing.all_symbols(), listing.all_timeframes());
        let symbols = draft.symbols().among(&symbols);
        let timeframes = match draft.timeframes().among(&timeframes) {
            // A preset's timeframe may not be in the folder; the most common one is a start.
            Choice::None => listing
                .timeframes
                .iter()
                .max_by_key(|(_, symbols)| *symbols)
                .map_or(Choice::None, |(timeframe, _)| Choice::Some(vec![*timeframe])),
            other => other,
        };
        self.state.draft = draft.with_symbols(symbols).with_timeframes(timeframes);
        if let Some(folder) = &listing.folder {
            self.state.recents.used(folder);
        }
        self.state.source = Source::Ready(listing);
        self.followed = Some(self.state.draft.clone());
        self.ask_for_preview();
    }
}

/// The one thing that was dropped; of market files in one folder any of them stands for all.
fn only_one(dropped: &[PathBuf]) -> Option<&PathBuf> {
    match dropped {
        [only] => Some(only),
        [first, rest @ ..] => {
            let is_beside =
                |path: &PathBuf| path.parent() == first.parent() && Format::of(path).is_some();
            (Format::of(first).is_some() && rest.iter().all(is_beside)).then_some(first)
        }
        [] => None,
    }
}

/// What dropping this would do, as far as the names tell.
pub(super) fn announcement(hovered: &[Option<&Path>]) -> String {
    let paths: Option<Vec<PathBuf>> = hovered.iter().map(|path| path.map(Path::to_owned)).collect();
    let Some(paths) = paths else {
        return "Drop a data folder, a market file or an experiment (.ron)".to_owned();
    };
    let Some(path) = only_one(&paths) else {
        return "Drop one thing at a time: a data folder, a market file or an experiment (.ron)"
            .to_owned();
    };
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("ron")) {
        return format!("Drop to open the experiment {}", name(path));
    }
    if Format::of(path).is_some() {
        let folder = path.parent().map(name).unwrap_or_default();
        return format!("Drop to use the folder {folder}, in which {} lies", name(path));
    }
    format!("Drop to use the folder {} as the data source", name(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hint_says_what_a_drop_would_do_by_the_names_alone() {
        for (hovered, expected) in [
            (&["/d/mine.RON"][..], "open the experiment mine.RON"),
            (&["/d/fx/EURUSDh1.csv"], "the folder fx, in which EURUSDh1.csv"),
            (&["/d/fx/A-1h.csv", "/d/fx/B-1h.csv"], "the folder fx"),
            (&["/d/fx"], "the folder fx as the data source"),
            (&["/d/fx/A-1h.csv", "/d/gold/B-1h.csv"], "one thing at a time"),
            (&["/d/a.ron", "/d/b.ron"], "one thing at a time"),
        ] {
            let hovered: Vec<Option<&Path>> =
                hovered.iter().map(|path| Some(Path::new(*path))).collect();
            let said = announcement(&hovered);
            assert!(said.contains(expected), "{said}");
        }
        assert!(announcement(&[None]).contains("a market file or an experiment"));
    }
}
