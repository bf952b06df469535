use egui::{Align, DragValue, Layout, Ui};

use crate::spec::{Activation, ModelSpec, Tokens};
use crate::ui::icons;
use crate::ui::widgets::{self, Form};

const DROPOUT: &str = "Share of activations dropped while learning, 0 to below 1";

/// The network.
pub(super) fn show(ui: &mut Ui, form: Form<'_>, model: &mut ModelSpec, window: u32) {
    widgets::section(ui, "Model");
    let known = model.name();
    let mut kind = known;
    let names = ["linear", "MLP", "LSTM", "GRU", "TCN", "Transformer"];
    form.choice(
        ui,
        "Model",
        "model",
        "Linear: one affine map of the window. MLP: hidden layers on the flattened window. LSTM and GRU: read the window bar by bar. TCN: \
         convolutions that see further back from block to block. Transformer: attention among bars, or among patches of them",
        &names.map(|name| (name, name.to_owned())),
        &mut kind,
    );
    if kind != known {
        *model = begin(kind, window);
    }
    match model {
        ModelSpec::Linear => {}
        ModelSpec::Mlp { hidden, activation, .. } => {
            layers(ui, form, ("Layer", "model.hidden", "Units of the hidden layer"), hidden);
            form.choice(
                ui,
                "Activation",
                "model.activation",
                "The non-linearity between layers",
                &[
                    (Activation::Relu, "ReLU".to_owned()),
                    (Activation::Gelu, "GELU".to_owned()),
                    (Activation::Tanh, "tanh".to_owned()),
                ],
                activation,
            );
        }
        ModelSpec::Lstm { hidden, layers, .. } | ModelSpec::Gru { hidden, layers, .. } => {
            form.integer(ui, "Units", "model.hidden", ("", "Width of the hidden state"), hidden);
            let help =
                "Stacked one on another: each reads what the one below it makes of every bar";
            form.integer(ui, "Layers", "model.layers", ("", help), layers);
        }
        ModelSpec::Tcn { channels, kernel_size, .. } => {
            let help =
                "Units of the block; each block reads steps twice as far apart as the one before";
            layers(ui, form, ("Block", "model.channels", help), channels);
            let help = "Steps that a convolution reads at once, the last of them its own";
            form.integer(ui, "Kernel", "model.kernel_size", ("steps", help), kernel_size);
        }
        ModelSpec::Transformer { d_model, heads, layers, feedforward, tokens, .. } => {
            let help = "Width of a token; the heads share it";
            form.integer(ui, "Width", "model.d_model", ("units", help), d_model);
            let help = "Attentions side by side; their number divides the width";
            form.integer(ui, "Heads", "model.heads", ("", help), heads);
            let help = "Stacked encoder layers: an attention and a feed-forward network each";
            form.integer(ui, "Layers", "model.layers", ("", help), layers);
            let help = "Hidden units of the network after each attention";
            form.integer(ui, "Feed-forward", "model.feedforward", ("units", help), feedforward);
            self::tokens(ui, form, tokens, window);
        }
    }
    if let ModelSpec::Mlp { dropout, .. }
    | ModelSpec::Lstm { dropout, .. }
    | ModelSpec::Gru { dropout, .. }
    | ModelSpec::Tcn { dropout, .. }
    | ModelSpec::Transformer { dropout, .. } = model
    {
        form.real(ui, "Dropout", "model.dropout", ("", DROPOUT), dropout);
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
    let help = "What attends to what: every bar to those before it, or patches of bars to each other. Patches are counted from the end of the \
                window";
    form.choice(ui, "Tokens", "model.tokens", help, &options, &mut kind);
    if kind != known {
        let begun = initial.into_iter().find(|tokens| std::mem::discriminant(tokens) == kind);
        *tokens = begun.unwrap_or_default();
    }
    if let Tokens::Patch { length, stride } = tokens {
        let help = "Bars of a patch";
        form.integer(ui, "Patch", "model.tokens.length", ("bars", help), length);
        let help = "Bars from one patch to the next; fewer than a patch has, and they overlap";
        form.integer(ui, "Stride", "model.tokens.stride", ("bars", help), stride);
    }
}

/// Widths in a row, each with a button that takes it away, and one that adds another.
fn layers(
    ui: &mut Ui,
    form: Form<'_>,
    (name, field, help): (&str, &str, &str),
    widths: &mut Vec<u32>,
) {
    let mut removed = None;
    for (index, units) in widths.iter_mut().enumerate() {
        let row = format!("{name} {}", index + 1);
        form.labelled_row(ui, &row, &format!("{field}[{index}]"), help, |ui, label| {
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
