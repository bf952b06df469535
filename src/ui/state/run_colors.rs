use std::collections::BTreeMap;

use egui::Color32;
use serde::{Deserialize, Serialize};

use crate::domain::RunId;
use crate::runs::RunEntry;
use crate::ui::theme::Palette;

/// The colours that runs have wherever several of them are drawn together. A run has one from its name, unless another was chosen for it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct RunColors(BTreeMap<RunId, u8>);

/// How many colours there are.
const COLORS: u8 = 8;

/// Choices that are remembered, of whatever folder.
const MOST: usize = 2000;

impl RunColors {
    /// The run's colour.
    pub(crate) fn of(&self, run: &RunId, palette: &Palette) -> Color32 {
        palette.series[usize::from(self.place(run))]
    }

    /// Its place among the series' colours.
    pub(crate) fn place(&self, run: &RunId) -> u8 {
        self.0.get(run).map_or_else(|| natural(run), |chosen| chosen % COLORS)
    }

    /// Gives the run the next colour.
    pub(crate) fn turn(&mut self, run: RunId) {
        let next = (self.place(&run) + 1) % COLORS;
        self.0.insert(run, next);
    }

    /// Gives runs that are drawn together different colours while there are any; the ones named first keep theirs.
    pub(crate) fn tell_apart(&mut self, runs: &[RunId]) {
        let mut taken = [false; COLORS as usize];
        for run in runs {
            let own = self.place(run);
            let free = (0..COLORS).map(|more| (own + more) % COLORS);
            let Some(free) = free.into_iter().find(|&color| !taken[usize::from(color)]) else {
                return;
            };
            taken[usize::from(free)] = true;
            if free != own {
                self.0.insert(run.clone(), free);
            }
        }
    }

    /// Forgets what was chosen for runs that are not in this folder, once there are very many: they may be in another one.
    pub(crate) fn bound(&mut self, stored: &[RunEntry]) {
        if self.0.len() > MOST {
            let there: std::collections::BTreeSet<&RunId> =
                stored.iter().map(|entry| &entry.id).collect();
            self.0.retain(|run, _| there.contains(run));
        }
    }
}

/// The same for the same name on every machine (FNV-1a, folded).
fn natural(run: &RunId) -> u8 {
    let hash = run.as_str().bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    ((hash ^ (hash >> 32)) % u64::from(COLORS)) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runs::RunStatus;
    use crate::ui::testing::entry;

    fn runs(count: usize) -> Vec<RunId> {
        (0..count).map(|place| RunId::new(format!("run-{place}"))).collect()
    }

    #[test]
    fn a_run_keeps_its_colour_and_those_beside_it_take_others_while_there_are_any() {
        let runs = runs(10);
        let mut colors = RunColors::default();
        let before = colors.place(&runs[0]);
        colors.tell_apart(&runs);
        assert_eq!(colors.place(&runs[0]), before);
        let mut places: Vec<u8> = runs[..8].iter().map(|run| colors.place(run)).collect();
        places.sort_unstable();
        assert_eq!(places, [0, 1, 2, 3, 4, 5, 6, 7]);
        let kept = colors.clone();
        colors.tell_apart(&runs);
        assert_eq!(colors, kept, "once told apart they stay as they are");
    }

    #[test]
    fn a_chosen_colour_survives_and_very_many_are_forgotten_with_their_runs() {
        let runs = runs(2);
        let mut colors = RunColors::default();
        let before = colors.place(&runs[0]);
        colors.turn(runs[0].clone());
        assert_eq!(colors.place(&runs[0]), (before + 1) % COLORS);
        let text = ron::to_string(&colors).unwrap();
        assert_eq!(ron::from_str::<RunColors>(&text).unwrap(), colors);
        colors.bound(&[]);
        assert_eq!(colors.place(&runs[0]), (before + 1) % COLORS, "it may be in another folder");
        for place in 0..MOST {
            colors.turn(RunId::new(format!("other-{place}")));
        }
        colors.bound(&[entry("run-0", RunStatus::Finished)]);
        assert_eq!((colors.0.len(), colors.place(&runs[0])), (1, (before + 1) % COLORS));
    }
}
