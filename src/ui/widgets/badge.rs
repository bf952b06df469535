use egui::{RichText, Ui};

use crate::domain::Determinism;
use crate::ui::icons;
use crate::ui::theme::Themed;

/// What the badge promises.
const MEANING: &str = "Trained again on the same machine, with the same libtorch, specification and data, the weights are the same bit for bit.";

/// Whether a result can be had again bit for bit; nothing where nobody knows.
pub(in crate::ui) fn determinism(ui: &mut Ui, of: &Determinism) {
    let palette = ui.palette();
    let Some((word, meaning)) = determinism_text(of) else { return };
    let (icon, color) = match of {
        Determinism::BitForBit => (icons::SEAL_CHECK, palette.success),
        _ => (icons::SHUFFLE, palette.warning),
    };
    let label = ui.label(RichText::new(format!("{icon}  {word}")).small().color(color));
    super::name(&label, egui::Role::Label, &word);
    label.on_hover_text(meaning);
}

/// The badge's words, and what they mean.
fn determinism_text(of: &Determinism) -> Option<(String, String)> {
    match of {
        Determinism::Unknown => None,
        Determinism::BitForBit => Some(("deterministic".to_owned(), MEANING.to_owned())),
        Determinism::No { because } => {
            let meaning = "Trained again, the weights may differ in their last bits or more.";
            Some((format!("not repeatable: {because}"), format!("{meaning} Because: {because}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_badge_says_nothing_where_nobody_knows_and_why_where_it_is_not_so() {
        assert_eq!(determinism_text(&Determinism::Unknown), None);
        let (word, meaning) = determinism_text(&Determinism::BitForBit).unwrap();
        assert!(word == "deterministic" && meaning.contains("libtorch"), "{meaning}");
        let no = Determinism::No { because: "max_minutes ended it".to_owned() };
        let (word, _) = determinism_text(&no).unwrap();
        assert_eq!(word, "not repeatable: max_minutes ended it");
    }
}
