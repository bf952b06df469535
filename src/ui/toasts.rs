use std::collections::VecDeque;
use std::time::Duration;

use egui::accesskit::Live;
use egui::{Align, Align2, Area, Id, Label, Layout, Order, RichText, Ui, vec2};

use super::commands::{Command, Commands};
use super::icons;
use super::state::Notice;
use super::theme::{ICON, Themed, space};
use super::widgets::{self, level_icon};
use crate::domain::UtcMillis;

/// In view at once: of more, the oldest go. The log has them all.
const MOST: usize = 3;
/// How long one stays that leads nowhere.
const LIFE_MS: i64 = 6_000;
/// How long it stays once the pointer has left it.
const AFTER_HOVER_MS: i64 = 2_000;
/// Of one, in points: no wider than the column of panels on the right.
const WIDTH: f32 = 264.0;

/// Good news, at the bottom right: what was saved, written, trained. What leads somewhere stays until it is dismissed or pushed out, the rest
/// goes by itself. Nothing moves and nothing is animated, so a toast costs a frame when it comes and one when it goes.
///
/// Not egui-notify's: those are painted without a word for screen readers, have no buttons, and ask for every frame there is while they are
/// in view.
#[derive(Debug, Default)]
pub(super) struct Toasts {
    /// The newest last.
    shown: VecDeque<Toast>,
}

#[derive(Debug)]
struct Toast {
    news: Notice,
    /// When it goes; `None` where it stays.
    ends: Option<UtcMillis>,
}

impl Toasts {
    /// Shows the news. What is said again is not there twice.
    pub(super) fn add(&mut self, news: Notice, now: UtcMillis) {
        self.shown.retain(|earlier| earlier.news.text != news.text);
        let ends = news.actions.is_empty().then_some(UtcMillis(now.0 + LIFE_MS));
        self.shown.push_back(Toast { news, ends });
        if self.shown.len() > MOST {
            self.shown.pop_front();
        }
    }

    /// Takes back those with such an offer: it has been taken elsewhere, or leads nowhere any more.
    pub(super) fn withdraw(&mut self, is_taken: impl Fn(&Command) -> bool) {
        self.shown.retain(|toast| !toast.news.actions.iter().any(|(_, offer)| is_taken(offer)));
    }

    /// Draws them over the panels and under whatever stands before those.
    pub(super) fn show(&mut self, ctx: &egui::Context, now: UtcMillis, commands: &mut Commands) {
        self.shown.retain(|toast| toast.ends.is_none_or(|ends| ends > now));
        if self.shown.is_empty() {
            return;
        }
        let area = Area::new(Id::unique("toasts")).order(Order::Middle).fade_in(false);
        area.anchor(Align2::RIGHT_BOTTOM, vec2(-space::M, -space::M)).show(ctx, |ui| {
            ui.spacing_mut().item_spacing.y = space::S;
            self.shown.retain_mut(|toast| {
                let Drawn { is_over, is_hovered } = draw(ui, &toast.news, commands);
                if is_hovered {
                    let longer = UtcMillis(now.0 + AFTER_HOVER_MS);
                    toast.ends = toast.ends.map(|ends| ends.max(longer));
                }
                !is_over
            });
        });
        let next = self.shown.iter().filter_map(|toast| toast.ends).min();
        if let Some(next) = next {
            let left = u64::try_from(next.0 - now.0).unwrap_or_default();
            ctx.request_repaint_after(Duration::from_millis(left));
        }
    }
}

struct Drawn {
    /// It was dismissed, or one of its ways was taken.
    is_over: bool,
    is_hovered: bool,
}

fn draw(ui: &mut Ui, news: &Notice, commands: &mut Commands) -> Drawn {
    let (icon, color) = level_icon(ui, news.level);
    let visuals = ui.visuals();
    let frame = egui::Frame::new()
        .fill(ui.palette().raised)
        .stroke(egui::Stroke::new(1.0, color))
        .corner_radius(visuals.menu_corner_radius)
        .shadow(visuals.popup_shadow)
        .inner_margin(space::S);
    let mut is_over = false;
    let drawn = frame.show(ui, |ui| {
        ui.set_width(WIDTH);
        ui.with_layout(Layout::right_to_left(Align::Min), |ui| {
            let dismiss = widgets::icon_button(ui, icons::X, &format!("Dismiss: {}", news.text));
            is_over |= dismiss.on_hover_text("Dismiss").clicked();
            ui.with_layout(Layout::left_to_right(Align::Min), |ui| {
                ui.label(RichText::new(icon).color(color).size(ICON));
                let text = ui.add(Label::new(news.text.as_str()).wrap());
                // Read out when it comes, without taking the focus.
                ui.ctx().accesskit_node_builder(text.id, |node| node.set_live(Live::Polite));
            });
        });
        if !news.actions.is_empty() {
            let size = vec2(ui.available_width(), ui.spacing().interact_size.y);
            let layout = Layout::right_to_left(Align::Center);
            ui.allocate_ui_with_layout(size, layout, |ui| {
                for (name, command) in news.actions.iter().rev() {
                    if ui.button(*name).clicked() {
                        commands.send(command.clone());
                        is_over = true;
                    }
                }
            });
        }
    });
    Drawn { is_over, is_hovered: drawn.response.contains_pointer() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::state::Level;

    fn news(text: &str, actions: &[(&'static str, Command)]) -> Notice {
        Notice { level: Level::Success, text: text.to_owned(), actions: actions.to_vec() }
    }

    /// What is in view at a moment.
    fn at(toasts: &mut Toasts, now: i64) -> Vec<&str> {
        let ctx = egui::Context::default();
        let mut commands = Commands::default();
        let mut drawn = ctx.run_ui(egui::RawInput::default(), |ui| {
            toasts.show(ui.ctx(), UtcMillis(now), &mut commands);
        });
        drawn.textures_delta.clear();
        toasts.shown.iter().map(|toast| toast.news.text.as_str()).collect()
    }

    #[test]
    fn news_goes_by_itself_unless_it_leads_somewhere() {
        let mut toasts = Toasts::default();
        toasts.add(news("saved", &[]), UtcMillis(0));
        toasts.add(news("finished", &[("Show the runs", Command::ShowInterrupted)]), UtcMillis(0));
        assert_eq!(at(&mut toasts, 1_000), ["saved", "finished"]);
        assert_eq!(at(&mut toasts, LIFE_MS), ["finished"]);
        assert_eq!(at(&mut toasts, i64::MAX), ["finished"]);
        toasts.withdraw(|offer| *offer == Command::ShowInterrupted);
        assert!(at(&mut toasts, 0).is_empty());
    }

    #[test]
    fn three_are_in_view_and_none_twice() {
        let mut toasts = Toasts::default();
        for text in ["a", "b", "a", "c", "d"] {
            toasts.add(news(text, &[]), UtcMillis(0));
        }
        assert_eq!(at(&mut toasts, 0), ["a", "c", "d"]);
    }
}
