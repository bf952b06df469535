use crate::runs::Comparison;
use crate::ui::widgets::{self, Align, Heading};

/// Titles of the columns, and what stands over them.
pub(super) struct Titles {
    of_settings: Vec<(String, String)>,
    of_figures: Vec<(String, String)>,
}

impl Titles {
    pub(super) fn of(of: &Comparison) -> Self {
        let setting =
            |path: &String| (widgets::field_title(path), format!("{path}, as the runs have it"));
        let figure = |name: &String, more_is_better: Option<bool>| {
            let better = match more_is_better {
                Some(true) => "; more is better",
                Some(false) => "; less is better",
                None => "",
            };
            (
                widgets::capital(name),
                format!("{name}, out of sample, the mean over the run's series{better}"),
            )
        };
        Self {
            of_settings: of.settings.iter().map(|one| setting(&one.path)).collect(),
            of_figures: of
                .figures
                .iter()
                .map(|one| figure(&one.name, one.more_is_better))
                .collect(),
        }
    }

    pub(super) fn headings(&self, has_means: bool) -> Vec<Heading<'_>> {
        let width = |title: &str, least: f32| least.max(7.5 * title.chars().count() as f32 + 18.0);
        let first = Heading {
            title: "Run",
            help: "The experiment and the run's own letters",
            width: 150.0,
            align: Align::Left,
        };
        let settings = self.of_settings.iter().map(texts).map(|(title, help)| Heading {
            title,
            help,
            width: width(title, 72.0),
            align: Align::Right,
        });
        let least = if has_means { 124.0 } else { 80.0 };
        let figures = self.of_figures.iter().map(texts).map(|(title, help)| Heading {
            title,
            help,
            width: width(title, least),
            align: Align::Right,
        });
        std::iter::once(first).chain(settings).chain(figures).collect()
    }
}

fn texts((title, help): &(String, String)) -> (&str, &str) {
    (title, help)
}
