use egui::{ComboBox, PopupCloseBehavior, RichText, ScrollArea, Ui};

use super::offer::{Offer, Offered};
use crate::domain::text::day;
use crate::domain::{FoldIndex, Plan};
use crate::ui::icons;
use crate::ui::theme::{ROW_HEIGHT, Themed};
use crate::ui::widgets;
use crate::workbench::LookAt;

/// Rows of a list shown at once.
const MOST_ROWS: usize = 12;
const LIST_HEIGHT: f32 = MOST_ROWS as f32 * ROW_HEIGHT;
/// With more columns than this there is a search.
const LONG_LIST: usize = 8;

/// What the user has chosen to look at, by name: it stays chosen when the plan changes and still has it.
#[derive(Debug, Default)]
pub(super) struct Choices {
    column: Option<String>,
    series: Option<String>,
    /// `None`: the latest.
    fold: Option<FoldIndex>,
    /// The series alone, where its model has several.
    alone: bool,
    search: String,
    /// The list of columns was open in the last frame.
    was_open: bool,
}

impl Choices {
    /// What is chosen, as the plan has it; `None` where it has nothing.
    pub(super) fn at(&self, offer: &Offer) -> Option<LookAt> {
        let series = self.series(offer)?;
        let fold = self.fold(&offer.plan, series)?;
        Some(LookAt {
            symbol: series.symbol.clone(),
            timeframe: series.timeframe,
            pooled: series.pooled > 1 && !self.alone,
            column: self.column(&offer.plan)?.to_owned(),
            fold: Some(fold),
        })
    }

    fn column<'a>(&self, plan: &'a Plan) -> Option<&'a str> {
        let wanted = plan.features.iter().find(|name| Some(*name) == self.column.as_ref());
        wanted.or(plan.features.first()).map(String::as_str)
    }

    fn series<'a>(&self, offer: &'a Offer) -> Option<&'a Offered> {
        let wanted = offer.series.iter().find(|series| Some(&series.name) == self.series.as_ref());
        wanted.or(offer.series.first())
    }

    /// The fold chosen, else the latest.
    fn fold(&self, plan: &Plan, series: &Offered) -> Option<FoldIndex> {
        let tasks = plan.tasks.get(series.tasks.clone())?;
        let folds = || tasks.iter().map(|task| task.fold.index);
        folds().find(|fold| Some(*fold) == self.fold).or(folds().next_back())
    }

    /// Draws what can be chosen; `pooling` says whether that of the series' companions is part of it.
    pub(super) fn show(&mut self, ui: &mut Ui, offer: &Offer, pooling: bool) {
        ui.horizontal_wrapped(|ui| {
            self.columns(ui, &offer.plan);
            self.all_series(ui, offer);
            self.folds(ui, offer);
            if let Some(series) = self.series(offer).filter(|series| pooling && series.pooled > 1) {
                let mut pooled = !self.alone;
                let text = format!("with all {} of its model", series.pooled);
                let help = "Rows of every symbol that shares the model, cut on one time axis; else of this symbol alone";
                if ui.checkbox(&mut pooled, text).on_hover_text(help).changed() {
                    self.alone = !pooled;
                }
            }
        });
    }

    fn columns(&mut self, ui: &mut Ui, plan: &Plan) {
        let chosen = self.column(plan).unwrap_or_default().to_owned();
        let names = &plan.features;
        let label = ui.label(RichText::new("Column").color(ui.palette().text_weak));
        // A list that has grown would keep the height it had when it was first opened.
        let combo = ComboBox::from_id_salt(("column", names.len()))
            .selected_text(chosen.as_str())
            .width(200.0)
            .height(LIST_HEIGHT + 2.0 * ROW_HEIGHT)
            .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
            .truncate();
        let combo = combo.show_ui(ui, |ui| self.column_list(ui, names, &chosen));
        self.was_open = combo.inner.is_some();
        combo.response.labelled_by(label.id);
        let place = names.iter().position(|name| *name == chosen).unwrap_or(0);
        ui.spacing_mut().item_spacing.x = 2.0;
        for (icon, name, next) in [
            (icons::CARET_LEFT, "Previous column", place.checked_sub(1)),
            (icons::CARET_RIGHT, "Next column", Some(place + 1)),
        ] {
            let next = next.and_then(|next| names.get(next));
            let button = ui.add_enabled_ui(next.is_some(), |ui| {
                widgets::icon_button(ui, icon, name).on_hover_text(name)
            });
            if button.inner.clicked() {
                self.column = next.cloned();
            }
        }
        ui.spacing_mut().item_spacing.x = crate::ui::theme::space::S;
    }

    fn column_list(&mut self, ui: &mut Ui, names: &[String], chosen: &str) {
        if names.len() > LONG_LIST {
            let field = egui::TextEdit::singleline(&mut self.search)
                .hint_text("search columns")
                .prefix(icons::MAGNIFYING_GLASS)
                .desired_width(f32::INFINITY);
            let field = ui.add(field);
            widgets::name(&field, egui::Role::SearchInput, "Search columns");
            if !self.was_open {
                field.request_focus();
            }
        } else {
            self.search.clear();
        }
        let found = search(names, &self.search);
        if found.is_empty() {
            ui.weak(format!("No column contains “{}”.", self.search.trim()));
        }
        let list = ScrollArea::vertical().id_salt("columns").max_height(LIST_HEIGHT);
        list.show_rows(ui, ROW_HEIGHT, found.len(), |ui, rows| {
            for name in found.get(rows).unwrap_or_default() {
                if ui.selectable_label(*name == chosen, *name).clicked() {
                    self.column = Some((*name).to_owned());
                    self.search.clear();
                    ui.close();
                }
            }
        });
    }

    fn all_series(&mut self, ui: &mut Ui, offer: &Offer) {
        let Some(chosen) = self.series(offer).map(|series| series.name.clone()) else { return };
        let label = ui.label(RichText::new("Series").color(ui.palette().text_weak));
        let combo = ComboBox::from_id_salt(("checks series", offer.series.len()))
            .selected_text(chosen.as_str())
            .width(140.0)
            .truncate();
        let combo = combo.show_ui(ui, |ui| {
            for series in &offer.series {
                if ui.selectable_label(series.name == chosen, series.name.as_str()).clicked() {
                    self.series = Some(series.name.clone());
                }
            }
        });
        combo.response.labelled_by(label.id);
    }

    fn folds(&mut self, ui: &mut Ui, offer: &Offer) {
        let Some(series) = self.series(offer) else { return };
        let Some(chosen) = self.fold(&offer.plan, series) else { return };
        let label = ui.label(RichText::new("Fold").color(ui.palette().text_weak));
        let combo = ComboBox::from_id_salt(("checks fold", series.tasks.len()))
            .selected_text(chosen.to_string())
            .width(64.0);
        let tasks = offer.plan.tasks.get(series.tasks.clone()).unwrap_or_default();
        let mut wanted = self.fold;
        let combo = combo.show_ui(ui, |ui| {
            for task in tasks {
                let fold = &task.fold;
                let text = format!("{} · test from {}", fold.index, day(fold.test.start));
                if ui.selectable_label(fold.index == chosen, text).clicked() {
                    wanted = Some(fold.index);
                }
            }
        });
        combo.response.labelled_by(label.id);
        self.fold = wanted;
    }
}

/// The names that hold every word of what was typed, whatever its case.
fn search<'a>(names: &'a [String], typed: &str) -> Vec<&'a str> {
    let typed = typed.to_lowercase();
    let words: Vec<&str> = typed.split_whitespace().collect();
    let holds = |name: &&str| {
        let name = name.to_lowercase();
        words.iter().all(|word| name.contains(word))
    };
    names.iter().map(String::as_str).filter(holds).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::{
        Bytes, ContentHash, Device, Embargo, FoldPlan, SeriesPlan, Symbol, Task, TaskId, TimeSpan,
        UtcMillis,
    };

    const SPAN: TimeSpan = TimeSpan { start: UtcMillis(0), end: UtcMillis(1) };

    fn task(symbols: &str, timeframes: &str, fold: u32) -> Task {
        let symbols: Vec<Symbol> = symbols.split(' ').map(|name| name.parse().unwrap()).collect();
        Task {
            resident: crate::domain::Bytes::default(),
            role: crate::domain::TaskRole::Fold,
            after: Vec::new(),
            train_rows: 0,
            shape: None,
            disk: Bytes::default(),
            expected_ms: None,
            reuse: None,
            id: TaskId::new(format!("{}-{fold}", symbols[0])),
            key: ContentHash::of(b""),
            symbols,
            timeframes: timeframes.split(' ').map(|name| name.parse().unwrap()).collect(),
            fold: FoldPlan {
                index: FoldIndex(fold),
                train: vec![SPAN],
                validation: SPAN,
                test: SPAN,
                embargo: Embargo::default(),
            },
            gaps: Vec::new(),
            seed: 0,
            device: Device::Cpu,
            parameters: 1,
            memory: Bytes(1),
        }
    }

    fn offer(tasks: Vec<Task>, series: &[(&str, &str)], features: &[&str]) -> Offer {
        let series = series.iter().map(|(symbol, timeframe)| SeriesPlan {
            symbol: symbol.parse().unwrap(),
            timeframe: timeframe.parse().unwrap(),
            bars: 1,
            first_open: UtcMillis(0),
            last_open: UtcMillis(0),
            data: ContentHash::of(b""),
            quality: Vec::new(),
            made_from: None,
        });
        Offer::new(&Arc::new(Plan {
            devices: Vec::new(),
            decisions: Vec::new(),
            recommendations: Vec::new(),
            experiment: "x".to_owned(),
            spec: ContentHash::of(b""),
            device: Device::Cpu,
            device_reason: String::new(),
            workers: 1,
            threads_per_task: 1,
            features: features.iter().map(ToString::to_string).collect(),
            series: series.collect(),
            tasks,
            warnings: Vec::new(),
        }))
    }

    fn names(offer: &Offer) -> Vec<&str> {
        offer.series.iter().map(|series| series.name.as_str()).collect()
    }

    #[test]
    fn pooled_timeframes_offer_the_series_there_are() {
        let series = [("A", "1h"), ("B", "1h"), ("A", "4h")];
        let offered = offer(vec![task("A B", "1h 4h", 0)], &series, &["x"]);
        assert_eq!(names(&offered), ["A · 1h", "B · 1h", "A · 4h"]);
        assert!(offered.series.iter().all(|series| series.pooled == 3));
    }

    #[test]
    fn what_was_chosen_stays_where_the_plan_still_has_it() {
        let tasks = vec![task("A", "1h", 0), task("A", "1h", 1), task("B C", "1h", 0)];
        let series = [("A", "1h"), ("B", "1h"), ("C", "1h"), ("left-out", "1h")];
        let offered = offer(tasks, &series, &["x", "y"]);
        assert_eq!(names(&offered), ["A · 1h", "B · 1h", "C · 1h"]);
        let mut choices = Choices::default();
        let at = choices.at(&offered).unwrap();
        assert_eq!((at.symbol.as_str(), at.column.as_str(), at.pooled), ("A", "x", false));
        assert_eq!(at.fold, Some(FoldIndex(1)), "the latest");
        choices.series = Some("C · 1h".to_owned());
        choices.column = Some("y".to_owned());
        choices.fold = Some(FoldIndex(0));
        let at = choices.at(&offered).unwrap();
        assert_eq!((at.symbol.as_str(), at.column.as_str(), at.pooled), ("C", "y", true));
        choices.alone = true;
        assert!(!choices.at(&offered).unwrap().pooled);
        let other = offer(vec![task("D", "1h", 3)], &[("D", "1h")], &["x"]);
        let at = choices.at(&other).unwrap();
        assert_eq!((at.symbol.as_str(), at.column.as_str()), ("D", "x"));
        assert_eq!(at.fold, Some(FoldIndex(3)));
        assert_eq!(choices.at(&offer(Vec::new(), &[], &["x"])), None);
        assert_eq!(choices.at(&offer(vec![task("A", "1h", 0)], &[("A", "1h")], &[])), None);
    }

    #[test]
    fn a_search_finds_every_word_in_any_case() {
        let names = ["RSI_14", "log_return_1", "log_return_5"].map(str::to_owned);
        assert_eq!(search(&names, " rsi "), ["RSI_14"]);
        assert_eq!(search(&names, "5 LOG"), ["log_return_5"]);
        assert_eq!(search(&names, ""), ["RSI_14", "log_return_1", "log_return_5"]);
        assert!(search(&names, "atr").is_empty());
    }
}
