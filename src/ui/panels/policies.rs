use egui::Ui;

use super::data::send_if_changed;
use crate::domain::Problem;
use crate::spec::Policy;
use crate::ui::commands::Commands;
use crate::ui::state::Draft;
use crate::ui::widgets::Form;

/// What is done about each problem of the files.
pub(super) fn show(ui: &mut Ui, draft: &Draft, commands: &mut Commands) {
    ui.collapsing("Bad rows and odd bars", |ui| {
        let form = Form::new(draft);
        let mut spec = draft.spec().clone();
        for problem in Problem::ALL {
            let Some(policy) = spec.data.quality.policy_mut(problem) else { continue };
            let options: Vec<(Policy, String)> = Policy::choices(problem)
                .iter()
                .map(|policy| (*policy, in_words(problem, *policy).to_owned()))
                .collect();
            let (name, field) = (name(problem), format!("data.quality.{problem}"));
            form.choice(ui, name, &field, help(problem), &options, policy);
        }
        let help = "A file of which a larger share of rows is no bar, or in conflict, is refused";
        let most = &mut spec.data.quality.most_dropped;
        form.real(ui, "Most dropped", "data.quality.most_dropped", ("of the rows", help), most);
        send_if_changed(draft, spec, commands);
    });
}

const fn in_words(problem: Problem, policy: Policy) -> &'static str {
    match (policy, problem) {
        (Policy::Reject, _) => "refuse the file",
        (Policy::Drop, Problem::Duplicate) => "keep one",
        (Policy::Drop, Problem::Conflict) => "drop all of them",
        (Policy::Drop, _) => "drop",
        (Policy::Keep, Problem::Disorder) => "sort by time",
        (Policy::Keep, _) => "keep",
    }
}

const fn name(problem: Problem) -> &'static str {
    match problem {
        Problem::Unreadable => "Unreadable rows",
        Problem::NotFinite => "NaN, infinity",
        Problem::NotPositive => "Prices up to 0",
        Problem::NegativeVolume => "Volume below 0",
        Problem::HighBelowLow => "High below low",
        Problem::OutsideRange => "Outside range",
        Problem::Disorder => "Out of order",
        Problem::Duplicate => "Repeated rows",
        Problem::Conflict => "Conflicting rows",
        Problem::OffGrid => "Off the grid",
        Problem::ZeroVolume => "No volume",
        Problem::Stale => "Stale stretches",
        Problem::Split => "Unadjusted splits",
        Problem::Missing => "Missing bars",
        Problem::Closed => "Closed days",
    }
}

const fn help(problem: Problem) -> &'static str {
    match problem {
        Problem::Unreadable => "Rows without a date or a number where one belongs",
        Problem::NotFinite => "Rows with a NaN or an infinity",
        Problem::NotPositive => "Rows with a price of zero or below",
        Problem::NegativeVolume => "Rows with a volume below zero",
        Problem::HighBelowLow => "Rows with the high below the low",
        Problem::OutsideRange => "Rows with open or close outside of high and low",
        Problem::Disorder => "Rows older than the one before",
        Problem::Duplicate => "The same row again",
        Problem::Conflict => {
            "Rows of one open time with different values: nobody knows which is right"
        }
        Problem::OffGrid => "Bars that open at another time than nearly all others",
        Problem::ZeroVolume => "Bars in which nothing was traded",
        Problem::Stale => "Long stretches of one price without range",
        Problem::Split => {
            "Jumps between bars like those of a stock split the prices are not adjusted for"
        }
        Problem::Missing => "Bars missing within the symbol's own trading hours; windows end there",
        Problem::Closed => "Days without bars in a market that closes regularly",
    }
}
