use egui_tiles::{TileId, Tiles, UiResponse};

use super::commands::Commands;
use super::layout::PanelKind;
use super::panels::Panels;
use super::state::State;
use super::theme::{Themed, space};

/// Draws the panels into their tiles.
pub(super) struct Tiling<'a> {
    pub(super) state: &'a State,
    pub(super) panels: &'a mut Panels,
    pub(super) commands: &'a mut Commands,
}

impl egui_tiles::Behavior<PanelKind> for Tiling<'_> {
    fn pane_ui(&mut self, ui: &mut egui::Ui, _: TileId, kind: &mut PanelKind) -> UiResponse {
        let frame = egui::Frame::new()
            .fill(ui.palette().surface)
            .inner_margin(egui::Margin::same(space::M as i8));
        frame.show(ui, |ui| {
            ui.set_min_size(ui.available_size());
            self.panels.show(*kind, ui, self.state, self.commands);
        });
        UiResponse::None
    }

    fn tab_title_for_pane(&mut self, kind: &PanelKind) -> egui::WidgetText {
        format!("{}  {}", kind.icon(), kind.title()).into()
    }

    fn on_tab_button(
        &mut self,
        tiles: &mut Tiles<PanelKind>,
        tile: TileId,
        response: egui::Response,
    ) -> egui::Response {
        if let Some(kind) = tiles.get_pane(&tile) {
            let name = format!("{} panel", kind.title());
            response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Tab, true, &name));
        }
        response
    }

    fn tab_bar_height(&self, _style: &egui::Style) -> f32 {
        30.0
    }

    fn gap_width(&self, _style: &egui::Style) -> f32 {
        space::XS
    }

    fn min_size(&self) -> f32 {
        120.0
    }

    fn tab_bar_color(&self, visuals: &egui::Visuals) -> egui::Color32 {
        visuals.palette().background
    }

    fn tab_bg_color(
        &self,
        visuals: &egui::Visuals,
        _tiles: &Tiles<PanelKind>,
        _tile: TileId,
        state: &egui_tiles::TabState,
    ) -> egui::Color32 {
        let palette = visuals.palette();
        if state.active { palette.surface } else { palette.background }
    }

    fn tab_text_color(
        &self,
        visuals: &egui::Visuals,
        _tiles: &Tiles<PanelKind>,
        _tile: TileId,
        state: &egui_tiles::TabState,
    ) -> egui::Color32 {
        let palette = visuals.palette();
        if state.active { palette.text } else { palette.text_weak }
    }

    fn tab_outline_stroke(
        &self,
        _visuals: &egui::Visuals,
        _tiles: &Tiles<PanelKind>,
        _tile: TileId,
        _state: &egui_tiles::TabState,
    ) -> egui::Stroke {
        egui::Stroke::NONE
    }

    fn tab_bar_hline_stroke(&self, _visuals: &egui::Visuals) -> egui::Stroke {
        egui::Stroke::NONE
    }

    fn simplification_options(&self) -> egui_tiles::SimplificationOptions {
        egui_tiles::SimplificationOptions {
            // A panel without its tab would have no title.
            all_panes_must_have_tabs: true,
            ..Default::default()
        }
    }
}
