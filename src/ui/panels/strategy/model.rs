use egui::{Align, DragValue, Layout, Ui};

use crate::spec::{Activation, ModelSpec, Tokens};
use crate::ui::icons;
use crate::ui::widgets::{self, Form};

/// The network.
pub(super) fn show(ui: &mut Ui, form: Form<'_>, model: &mut ModelSpec, window: u32) {
    widgets::section(ui, "Model");
    let known = model.name();
    let mut kind = known;
    let names = ["linear", "MLP", "LSTM", "GRU", "TCN", "Transformer"];
    form.of("model").choice(ui, &names.map(|name| (name, name.to_owned())), &mut kind);
    if kind != known {
        *model = begin(kind, window);
    }
    match model {
        ModelSpec::Linear => {}
        ModelSpec::Mlp { hidden, activation, .. } => {
            layers(ui, form, ("Layer", "model.hidden"), hidden);
            form.of("model.activation").choice(
                ui,
                &[
                    (Activation::Relu, "ReLU".to_owned()),
                    (Activation::Gelu, "GELU".to_owned()),
                    (Activation::Tanh, "tanh".to_owned()),
                ],
                activation,
            );
        }
        ModelSpec::Lstm { hidden, layers, .. } | ModelSpec::Gru { hidden, layers, .. } => {
            form.of("model.hidden").integer(ui, hidden);
            form.of("model.layers").integer(ui, layers);
        }
        ModelSpec::Tcn { channels, kernel_size, .. } => {
            layers(ui, form, ("Block", "model.channels"), channels);
            form.of("model.kernel_size").integer(ui, kernel_size);
        }
        ModelSpec::Transformer { d_model, heads, layers, feedforward, tokens, .. } => {
            form.of("model.d_model").integer(ui, d_model);
            form.of("model.heads").integer(ui, heads);
            let help = "Stacked encoder layers: an attention and a feed-forward network each";
            form.of("model.layers").help(help).integer(ui, layers);
            form.of("model.feedforward").integer(ui, feedforward);
            self::tokens(ui, form, tokens, window);
        }
    }
    if let ModelSpec::Mlp { dropout, .. }
    | ModelSpec::Lstm { dropout, .. }
    | ModelSpec::Gru { dropout, .. }
    | ModelSpec::Tcn { dropout, .. }
    | ModelSpec::Transformer { dropout, .. } = model
    {
        form.of("model.dropout").real(ui, dropout);
    }
}

/// The model to begin with when this family is chosen, for a window of so many bars.
fn begin(name: &str, window: u32) -> ModelSpec {
    let dropout = 0.1;
    match name {
        "MLP" => ModelSpec::Mlp { hidden: vec![64, 32], activation: Activation::Relu, dropout },
        "LSTM" => ModelSpec::Lstm { hidden: 32, layers: 1, dropout },
        "GRU" => ModelSpec::Gru { hidden: 32, layers: 1, dropout },
        "TCN" => {
            // As many blocks as it takes for the last step to see the whole window.
            let seen = |blocks: u32| 1 + 4 * ((1_u64 << blocks) - 1);
            let blocks = (1..32).find(|blocks| seen(*blocks) >= u64::from(window)).unwrap_or(1);
            let kernel_size = window.clamp(2, 3);
            ModelSpec::Tcn { channels: vec![16; blocks as usize], kernel_size, dropout }
        }
        "Transformer" => ModelSpec::Transformer {
            d_model: 32,
            heads: 4,
            layers: 2,
            feedforward: 64,
            dropout,
            tokens: Tokens::Causal,
        },
        _ => ModelSpec::Linear,
    }
}

fn tokens(ui: &mut Ui, form: Form<'_>, tokens: &mut Tokens, window: u32) {
    let known = std::mem::discriminant(tokens);
    let mut kind = known;
    let length = window.clamp(1, 4);
    let initial = [Tokens::Causal, Tokens::Patch { length, stride: length }];
    let options: Vec<_> = initial
        .iter()
        .zip(["bars", "patches of bars"])
        .map(|(tokens, name)| (std::mem::discriminant(tokens), name.to_owned()))
        .collect();
    form.of("model.tokens").choice(ui, &options, &mut kind);
    if kind != known {
        let begun = initial.into_iter().find(|tokens| std::mem::discriminant(tokens) == kind);
        *tokens = begun.unwrap_or_default();
    }
    if let Tokens::Patch { length, stride } = tokens {
        form.of("model.tokens.length").integer(ui, length);
        form.of("model.tokens.stride").integer(ui, stride);
    }
}

/// Widths in a row, each with a button that takes it away, and one that adds another.
fn layers(ui: &mut Ui, form: Form<'_>, (name, field): (&str, &str), widths: &mut Vec<u32>) {
    let mut removed = None;
    for (index, units) in widths.iter_mut().enumerate() {
        let path = format!("{field}[{index}]");
        let row = form.of(&path).called(format!("{name} {}", index + 1));
        row.labelled(ui, |ui, label| {
            let units = DragValue::new(units).speed(0.5).suffix(" units");
            widgets::number(ui, units).labelled_by(label);
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let remove = format!("Remove {} {}", name.to_lowercase(), index + 1);
                if widgets::icon_button(ui, icons::TRASH, &remove).on_hover_text("Remove").clicked()
                {
                    removed = Some(index);
                }
            });
        });
    }
    if let Some(index) = removed {
        widths.remove(index);
    }
    form.note(ui, field);
    let add = format!("Add a {}", name.to_lowercase());
    if widgets::button(ui, icons::PLUS, &add, true).clicked() {
        widths.push(widths.last().copied().unwrap_or(32));
    }
}
