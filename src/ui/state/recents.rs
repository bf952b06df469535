use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// So many folders are remembered.
const MOST: usize = 8;

/// The data folders that were used last; survives a restart.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Recents {
    /// Newest first, each once.
    folders: Vec<PathBuf>,
    /// Those that were not there when they were last looked for.
    #[serde(skip)]
    missing: BTreeSet<PathBuf>,
}

impl Recents {
    /// Newest first.
    pub(crate) fn folders(&self) -> &[PathBuf] {
        &self.folders
    }

    pub(crate) fn is_missing(&self, folder: &Path) -> bool {
        self.missing.contains(folder)
    }

    /// A folder was used: it is there. One whose name is no Unicode cannot be written down and is not remembered.
    pub(crate) fn used(&mut self, folder: &Path) {
        if folder.to_str().is_none() {
            return;
        }
        self.forget(folder);
        self.folders.insert(0, folder.to_owned());
        self.folders.truncate(MOST);
    }

    /// It is no longer to be offered.
    pub(crate) fn forget(&mut self, folder: &Path) {
        self.folders.retain(|known| known != folder);
        self.missing.remove(folder);
    }

    /// These of them are not there.
    pub(crate) fn found_missing(&mut self, missing: Vec<PathBuf>) {
        self.missing = missing.into_iter().collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_eight_stand_newest_first_and_each_once() {
        let mut recents = Recents::default();
        for number in 0..10 {
            recents.used(Path::new(&format!("/data/{number}")));
        }
        recents.used(Path::new("/data/4"));
        let shown: Vec<String> =
            recents.folders().iter().map(|folder| folder.display().to_string()).collect();
        let expected = [4, 9, 8, 7, 6, 5, 3, 2].map(|number| format!("/data/{number}"));
        assert_eq!(shown, expected);
        recents.found_missing(vec!["/data/9".into()]);
        assert!(recents.is_missing(Path::new("/data/9")));
        recents.used(Path::new("/data/9"));
        assert!(!recents.is_missing(Path::new("/data/9")), "it was just used");
        let text = ron::to_string(&recents).unwrap();
        assert_eq!(ron::from_str::<Recents>(&text).unwrap().folders(), recents.folders());
    }
}
