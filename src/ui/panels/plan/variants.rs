use egui::Ui;

use super::digest::{Sweep, plural};
use crate::domain::Bytes;
use crate::domain::text::{UNKNOWN, count, duration};
use crate::ui::widgets::{self, Align, Cell, Fitted, Heading, field_title};
use crate::workbench::{MOST_PLANNED, PlanTotals};

/// Rows shown at a time; the others are scrolled to.
const ROWS: usize = 8;

/// Title, what it means, and its width.
const FIGURES: [(&str, &str, f32); 5] = [
    ("Tasks", "Tasks of this run", 48.0),
    ("To train", "Without those whose results are taken over from earlier runs", 56.0),
    ("Memory", "Tensors of the tasks that train at a time, at their peak, estimated", 84.0),
    (
        "Time",
        "At most, learnt from what such tasks took before; unknown until one has run here",
        84.0,
    ),
    ("Disk", "Files of the tasks that are trained, roughly", 84.0),
];

/// The runs of a sweep, before any of them begins.
pub(super) fn show(ui: &mut Ui, sweep: &Sweep) {
    let variants = &sweep.variants;
    widgets::section(ui, "Variants");
    if variants.len() > MOST_PLANNED {
        let text = format!(
            "The first {MOST_PLANNED} of {} are planned beforehand; the others when they begin.",
            count(variants.len() as u64)
        );
        widgets::hint(ui, &text);
    }
    let Some(first) = variants.first() else { return };
    let titles: Vec<(String, String)> = first
        .settings
        .iter()
        .map(|setting| (field_title(&setting.path), setting.path.clone()))
        .collect();
    let number = Heading {
        title: "Variant",
        help: "Each is a run of its own",
        width: 56.0,
        align: Align::Left,
    };
    let settings = titles.iter().map(|(title, help)| Heading {
        title,
        help,
        width: (7.5 * title.chars().count() as f32 + 8.0).max(72.0),
        align: Align::Right,
    });
    let figures = FIGURES.iter().map(|&(title, help, width)| Heading {
        title,
        help,
        width,
        align: Align::Right,
    });
    let columns: Vec<Heading<'_>> =
        std::iter::once(number).chain(settings).chain(figures).collect();
    let table =
        Fitted { id: "plan_variants", columns: &columns, rows: variants.len() + 1, most: ROWS };
    table.show(ui, |_, row| {
        if let Some(variant) = variants.get(row) {
            let settings = variant
                .settings
                .iter()
                .map(|setting| Cell::new(setting.value.as_str()).hover(Some(setting.to_string())));
            let number = Cell::new(count(row as u64 + 1));
            let figures = cells(variant.totals.as_ref());
            std::iter::once(number).chain(settings).chain(figures).collect()
        } else {
            let nothing = titles.iter().map(|_| Cell::new(""));
            let name = Cell::new("Total").hover(Some(plural(variants.len(), "run", "runs")));
            let all = std::iter::once(name).chain(nothing).chain(cells(sweep.totals.as_ref()));
            all.map(Cell::strong).collect()
        }
    });
}

fn cells(totals: Option<&PlanTotals>) -> [Cell; 5] {
    let Some(totals) = totals else { return [(); 5].map(|()| Cell::new(UNKNOWN)) };
    let trained = totals.trained();
    let time = duration(totals.millis as f64 / 1000.0);
    let time = match totals.known {
        _ if trained == 0 => duration(0.0),
        0 => UNKNOWN.to_owned(),
        known if known < trained => format!("over {time}"),
        _ => format!("≤ {time}"),
    };
    let disk = if totals.disk == Bytes(0) && trained > 0 {
        UNKNOWN.to_owned()
    } else {
        totals.disk.to_string()
    };
    [
        Cell::new(count(totals.tasks as u64)),
        Cell::new(count(trained as u64)),
        Cell::new(totals.memory.total.to_string()),
        Cell::new(time),
        Cell::new(disk),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(totals: Option<&PlanTotals>) -> Vec<String> {
        cells(totals).into_iter().map(|cell| cell.text).collect()
    }

    #[test]
    fn what_is_not_planned_is_unknown_and_what_is_reused_takes_no_time() {
        assert_eq!(texts(None), [UNKNOWN; 5]);
        let run = crate::domain::RunId::new("r");
        let mut totals =
            PlanTotals { tasks: 4, reused: [(run, 4)].into(), ..PlanTotals::default() };
        assert_eq!(texts(Some(&totals))[1..], ["0", "0 B", "0.0 s", "0 B"]);
        totals.reused.clear();
        assert_eq!(texts(Some(&totals))[3..], [UNKNOWN; 2]);
        (totals.known, totals.millis, totals.disk) = (2, 2_000, Bytes(1024));
        assert_eq!(texts(Some(&totals))[3..], ["over 2.0 s", "1.0 KiB"]);
        totals.known = 4;
        assert_eq!(texts(Some(&totals))[3], "≤ 2.0 s");
    }
}
