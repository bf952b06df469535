use egui::{Key, KeyboardShortcut, Modifiers};
use egui_tiles::{Container, Linear, LinearDir, TileId, Tiles, Tree};
use serde::{Deserialize, Serialize};

use super::icons;

/// The panels of the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum PanelKind {
    Data,
    Strategy,
    Plan,
    Checks,
    Training,
    Results,
    Runs,
    Compare,
    Models,
    Queue,
    Devices,
    Log,
}

impl PanelKind {
    pub(super) const ALL: [Self; 12] = [
        Self::Data,
        Self::Strategy,
        Self::Plan,
        Self::Checks,
        Self::Training,
        Self::Results,
        Self::Runs,
        Self::Compare,
        Self::Models,
        Self::Queue,
        Self::Devices,
        Self::Log,
    ];

    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Data => "Data",
            Self::Strategy => "Strategy",
            Self::Plan => "Plan",
            Self::Checks => "Checks",
            Self::Training => "Training",
            Self::Results => "Results",
            Self::Runs => "Runs",
            Self::Compare => "Compare",
            Self::Models => "Models",
            Self::Queue => "Queue",
            Self::Devices => "Devices",
            Self::Log => "Log",
        }
    }

    /// Ctrl and a digit, in the order of the panels, while there are digits.
    pub(super) fn shortcut(self) -> Option<KeyboardShortcut> {
        const DIGITS: [Key; 9] = [
            Key::Num1,
            Key::Num2,
            Key::Num3,
            Key::Num4,
            Key::Num5,
            Key::Num6,
            Key::Num7,
            Key::Num8,
            Key::Num9,
        ];
        let place = Self::ALL.into_iter().position(|kind| kind == self)?;
        let key = *DIGITS.get(place)?;
        Some(KeyboardShortcut::new(Modifiers::COMMAND, key))
    }

    pub(super) const fn icon(self) -> &'static str {
        match self {
            Self::Data => icons::DATABASE,
            Self::Strategy => icons::SLIDERS_HORIZONTAL,
            Self::Plan => icons::CALENDAR_BLANK,
            Self::Checks => icons::SHIELD_CHECK,
            Self::Training => icons::CHART_LINE,
            Self::Results => icons::CHART_BAR,
            Self::Runs => icons::STACK,
            Self::Compare => icons::SCALES,
            Self::Models => icons::CUBE,
            Self::Queue => icons::QUEUE,
            Self::Devices => icons::CPU,
            Self::Log => icons::TERMINAL_WINDOW,
        }
    }
}

/// The layout of the first start: what is trained on the left, what happens in the middle, the machine on the right.
pub(super) fn default_layout() -> Tree<PanelKind> {
    let mut tiles = Tiles::default();
    let left = column(&mut tiles, &[(&[PanelKind::Data], 0.5), (&[PanelKind::Strategy], 0.5)]);
    let middle = column(
        &mut tiles,
        &[
            (
                &[
                    PanelKind::Plan,
                    PanelKind::Checks,
                    PanelKind::Training,
                    PanelKind::Results,
                    PanelKind::Runs,
                    PanelKind::Compare,
                    PanelKind::Models,
                ],
                0.7,
            ),
            (&[PanelKind::Queue], 0.3),
        ],
    );
    let right = column(&mut tiles, &[(&[PanelKind::Devices], 0.55), (&[PanelKind::Log], 0.45)]);
    let root =
        linear(&mut tiles, LinearDir::Horizontal, &[(left, 0.235), (middle, 0.545), (right, 0.22)]);
    Tree::new(egui::Id::unique("workbench"), root, tiles)
}

fn column(tiles: &mut Tiles<PanelKind>, parts: &[(&[PanelKind], f32)]) -> TileId {
    let parts: Vec<(TileId, f32)> = parts
        .iter()
        .map(|(panels, share)| {
            let panes = panels.iter().map(|panel| tiles.insert_pane(*panel)).collect();
            (tiles.insert_tab_tile(panes), *share)
        })
        .collect();
    linear(tiles, LinearDir::Vertical, &parts)
}

fn linear(tiles: &mut Tiles<PanelKind>, dir: LinearDir, parts: &[(TileId, f32)]) -> TileId {
    let mut linear = Linear::new(dir, parts.iter().map(|(tile, _)| *tile).collect());
    for (tile, share) in parts {
        linear.shares.set_share(*tile, *share);
    }
    tiles.insert_container(Container::Linear(linear))
}

/// The stored layout, with the panels that came after it was stored; the default one where it is no layout of ours.
pub(super) fn restore(stored: Option<Tree<PanelKind>>) -> Tree<PanelKind> {
    let extended = stored.and_then(|mut tree| extend(&mut tree).map(|()| tree));
    extended.filter(is_complete).unwrap_or_else(default_layout)
}

/// Adds panels that are missing to the tabs in which Plan stands.
fn extend(tree: &mut Tree<PanelKind>) -> Option<()> {
    let missing: Vec<PanelKind> =
        PanelKind::ALL.into_iter().filter(|kind| tree.tiles.find_pane(kind).is_none()).collect();
    if missing.is_empty() {
        return Some(());
    }
    let tabs = tree.tiles.parent_of(tree.tiles.find_pane(&PanelKind::Plan)?)?;
    let panes: Vec<TileId> = missing.into_iter().map(|kind| tree.tiles.insert_pane(kind)).collect();
    match tree.tiles.get_mut(tabs)? {
        egui_tiles::Tile::Container(container) => {
            for pane in panes {
                container.add_child(pane);
            }
            Some(())
        }
        egui_tiles::Tile::Pane(_) => None,
    }
}

fn is_complete(tree: &Tree<PanelKind>) -> bool {
    let shown = |kind: PanelKind| {
        tree.tiles
            .tiles()
            .filter(|tile| matches!(tile, egui_tiles::Tile::Pane(pane) if *pane == kind))
            .count()
    };
    tree.root().is_some() && PanelKind::ALL.into_iter().all(|kind| shown(kind) == 1)
}

/// Whether a panel is in view, in front of its tabs.
pub(super) fn is_in_front(tree: &Tree<PanelKind>, kind: PanelKind) -> bool {
    let is_it = |tile: &TileId| tree.tiles.get_pane(tile) == Some(&kind);
    tree.active_tiles().iter().any(is_it)
}

/// Brings a panel to the front of its tabs.
pub(super) fn show(tree: &mut Tree<PanelKind>, kind: PanelKind) {
    tree.make_active(|_, tile| matches!(tile, egui_tiles::Tile::Pane(pane) if *pane == kind));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layout_that_lacks_a_panel_keeps_its_own_and_gets_that_one() {
        let whole = default_layout();
        assert!(is_complete(&whole));
        let text = ron::to_string(&whole).unwrap();
        let mut stored: Tree<PanelKind> = ron::from_str(&text).unwrap();
        assert!(is_complete(&stored));
        let log = stored.tiles.find_pane(&PanelKind::Log).unwrap();
        stored.remove_recursively(log);
        assert!(!is_complete(&stored));
        let models = stored.tiles.find_pane(&PanelKind::Models).unwrap();
        stored.set_visible(models, false);
        let extended = restore(Some(stored.clone()));
        assert!(is_complete(&extended) && !extended.is_visible(models), "it is no other layout");
        let plan = stored.tiles.find_pane(&PanelKind::Plan).unwrap();
        stored.remove_recursively(plan);
        let reset = restore(Some(stored));
        assert!(is_complete(&reset), "without Plan nobody knows where to");
        assert!(is_complete(&restore(None)));
    }

    #[test]
    fn a_panel_that_is_brought_to_the_front_is_in_front_of_its_tabs() {
        let mut tree = default_layout();
        for (shown, hidden) in
            [(PanelKind::Checks, PanelKind::Plan), (PanelKind::Plan, PanelKind::Checks)]
        {
            show(&mut tree, shown);
            assert!(is_in_front(&tree, shown) && !is_in_front(&tree, hidden));
            assert!(is_in_front(&tree, PanelKind::Log), "it has tabs of its own");
        }
    }
}
