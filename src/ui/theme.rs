//! How the window looks: spacing, type, and colours by meaning, dark and light. The only file that names a colour or a font.

use std::sync::Arc;

use egui::epaint::Shadow;
use egui::style::{ScrollStyle, WidgetVisuals, Widgets};
use egui::{
    Color32, CornerRadius, FontData, FontDefinitions, FontFamily, FontId, Margin, Stroke, Style,
    TextStyle, Theme, Vec2, Visuals,
};

/// Distances, in points: use these and no others.
pub(super) mod space {
    /// Between an icon and its text.
    pub(crate) const XS: f32 = 4.0;
    /// Between things that belong together.
    pub(crate) const S: f32 = 8.0;
    /// Around the content of a panel.
    pub(crate) const M: f32 = 12.0;
    /// Between sections.
    pub(crate) const L: f32 = 16.0;
}

/// Height of a row in tables and lists, in points.
pub(super) const ROW_HEIGHT: f32 = 24.0;

/// Height of an icon that stands beside a paragraph, in points.
pub(super) const ICON: f32 = 16.0;

const SMALL: f32 = 11.5;
const BODY: f32 = 13.0;
const HEADING: f32 = 15.0;

/// Colours by what they mean. Colour is never the only sign: an icon, a word or a line style says the same.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Palette {
    /// Behind the panels.
    pub(super) background: Color32,
    /// A panel.
    pub(super) surface: Color32,
    /// What stands out from a panel: cards, table heads.
    pub(super) raised: Color32,
    /// Fields one can write in.
    pub(super) field: Color32,
    /// Behind plots, sparklines and progress.
    pub(super) well: Color32,
    /// Borders and grids.
    pub(super) line: Color32,
    /// Text.
    pub(super) text: Color32,
    /// Text of less weight; still 4.5 : 1 on every surface.
    pub(super) text_weak: Color32,
    /// The one thing to press, the selection, the focus.
    pub(super) accent: Color32,
    /// Text on the accent.
    pub(super) on_accent: Color32,
    /// Selected rows and text.
    pub(super) selected: Color32,
    /// Train sections and losses.
    pub(super) train: Color32,
    /// Validation sections and losses.
    pub(super) validation: Color32,
    /// Test sections.
    pub(super) test: Color32,
    /// Rows left out because their labels reach into another section.
    pub(super) purge: Color32,
    /// Rows left out between sections.
    pub(super) embargo: Color32,
    /// Text of a program or a file.
    pub(super) code: Code,
    /// The model beside its baselines.
    pub(super) model: Color32,
    /// Done.
    pub(super) success: Color32,
    /// Worth a look.
    pub(super) warning: Color32,
    /// Failed, or cannot be run.
    pub(super) error: Color32,
    /// Series that have no meaning of their own (Okabe & Ito 2008, made lighter or darker for the background).
    pub(super) series: [Color32; 8],
    /// The worse end of a scale of two colours; text stays legible on it.
    pub(super) worse: Color32,
    /// The better end, told from the other by every kind of colour sight.
    pub(super) better: Color32,
}

impl Palette {
    /// The ground of a value on a scale from -1, the worst, over 0, where nothing is said, to 1, the best.
    pub(super) fn diverging(&self, value: f32) -> Color32 {
        let end = if value < 0.0 { self.worse } else { self.better };
        self.raised.lerp_to_gamma(end, value.abs().min(1.0))
    }
}

/// Parts of a text that a program reads.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Code {
    /// Names of fields.
    pub(super) field: Color32,
    /// Names of values.
    pub(super) name: Color32,
    /// Numbers.
    pub(super) number: Color32,
    /// What is in quotation marks.
    pub(super) text: Color32,
}

const fn rgb(hex: u32) -> Color32 {
    #[expect(clippy::disallowed_methods, reason = "the theme is where colours are named")]
    Color32::from_rgb((hex >> 16) as u8, (hex >> 8) as u8, hex as u8)
}

static DARK: Palette = Palette {
    background: rgb(0x0e_11_15),
    surface: rgb(0x16_1a_20),
    raised: rgb(0x20_26_2e),
    field: rgb(0x0f_13_18),
    well: rgb(0x0f_13_18),
    line: rgb(0x30_38_42),
    text: rgb(0xe4_e8_ed),
    text_weak: rgb(0x9c_a7_b3),
    accent: rgb(0x4f_b4_f5),
    on_accent: rgb(0x06_18_26),
    selected: rgb(0x1f_3f_5c),
    train: rgb(0x56_b4_e9),
    validation: rgb(0xe6_9f_00),
    test: rgb(0x2e_c4_96),
    purge: rgb(0xdb_8f_bd),
    embargo: rgb(0x9c_a7_b3),
    code: Code {
        field: rgb(0x7c_c4_f0),
        name: rgb(0xe0_a0_c8),
        number: rgb(0xf0_b4_5a),
        text: rgb(0x6f_d6_a8),
    },
    model: rgb(0x4f_b4_f5),
    success: rgb(0x3c_cf_8e),
    warning: rgb(0xf0_b4_29),
    error: rgb(0xff_74_68),
    series: [
        rgb(0x56_b4_e9),
        rgb(0xe6_9f_00),
        rgb(0x2e_c4_96),
        rgb(0xdb_8f_bd),
        rgb(0xf0_e4_42),
        rgb(0xf0_7a_3a),
        rgb(0x6f_8f_ff),
        rgb(0xb8_c2_cc),
    ],
    worse: rgb(0x9c_4a_0c),
    better: rgb(0x1a_5f_9e),
};

static LIGHT: Palette = Palette {
    background: rgb(0xe6_ea_ee),
    surface: rgb(0xfd_fd_fe),
    raised: rgb(0xef_f2_f5),
    field: rgb(0xff_ff_ff),
    well: rgb(0xf1_f4_f7),
    line: rgb(0xcb_d3_db),
    text: rgb(0x1a_20_26),
    text_weak: rgb(0x55_60_6b),
    accent: rgb(0x0b_66_b8),
    on_accent: rgb(0xff_ff_ff),
    selected: rgb(0xcf_e4_f7),
    train: rgb(0x0b_6f_b0),
    validation: rgb(0xa8_62_00),
    test: rgb(0x00_7d_5b),
    purge: rgb(0xa2_4d_80),
    embargo: rgb(0x6b_76_80),
    code: Code {
        field: rgb(0x0b_62_9c),
        name: rgb(0x8c_3e_6d),
        number: rgb(0x8a_50_00),
        text: rgb(0x00_6e_50),
    },
    model: rgb(0x0b_66_b8),
    success: rgb(0x0b_79_4a),
    warning: rgb(0x8a_5a_00),
    error: rgb(0xb8_2a_20),
    series: [
        rgb(0x0b_6f_b0),
        rgb(0xa8_62_00),
        rgb(0x00_7d_5b),
        rgb(0xa2_4d_80),
        rgb(0x7a_70_00),
        rgb(0xb8_45_0c),
        rgb(0x3d_55_c9),
        rgb(0x5b_66_70),
    ],
    worse: rgb(0xf2_a8_66),
    better: rgb(0x86_bd_ec),
};

/// The palette in force.
pub(super) trait Themed {
    /// Colours of the theme that is shown.
    fn palette(&self) -> &'static Palette;
}

impl Themed for Visuals {
    fn palette(&self) -> &'static Palette {
        if self.dark_mode { &DARK } else { &LIGHT }
    }
}

impl Themed for egui::Ui {
    fn palette(&self) -> &'static Palette {
        self.visuals().palette()
    }
}

/// The family of bold text.
pub(super) fn strong_family() -> FontFamily {
    FontFamily::Name("strong".into())
}

/// Sets fonts and both themes' styles; once, before the first frame.
pub(super) fn install(ctx: &egui::Context) {
    ctx.set_fonts(fonts());
    for (theme, palette) in [(Theme::Dark, &DARK), (Theme::Light, &LIGHT)] {
        ctx.set_style_of(theme, style(theme, palette));
    }
}

fn fonts() -> FontDefinitions {
    let mut fonts = FontDefinitions::default();
    let files: [(&str, &'static [u8]); 4] = [
        ("plex-sans", include_bytes!("../../assets/fonts/IBMPlexSans-Regular.ttf")),
        ("plex-sans-strong", include_bytes!("../../assets/fonts/IBMPlexSans-SemiBold.ttf")),
        ("plex-mono", include_bytes!("../../assets/fonts/IBMPlexMono-Regular.ttf")),
        ("phosphor", include_bytes!("../../assets/fonts/Phosphor.ttf")),
    ];
    for (name, bytes) in files {
        fonts.font_data.insert(name.to_owned(), Arc::new(FontData::from_static(bytes)));
    }
    // egui's own fonts stay behind ours: they know characters that file names may hold.
    let fallbacks = fonts.families.get(&FontFamily::Proportional).cloned().unwrap_or_default();
    for (family, first) in [
        (FontFamily::Proportional, "plex-sans"),
        (strong_family(), "plex-sans-strong"),
        (FontFamily::Monospace, "plex-mono"),
    ] {
        let names = [first, "phosphor"].into_iter().map(str::to_owned);
        let sans = ["plex-sans".to_owned()].into_iter().filter(|name| name != first);
        fonts.families.insert(family, names.chain(sans).chain(fallbacks.clone()).collect());
    }
    fonts
}

fn style(theme: Theme, palette: &Palette) -> Style {
    let mut style = Style { visuals: visuals(theme, palette), ..Style::default() };
    style.text_styles = [
        (TextStyle::Small, FontId::proportional(SMALL)),
        (TextStyle::Body, FontId::proportional(BODY)),
        (TextStyle::Button, FontId::proportional(BODY)),
        (TextStyle::Heading, FontId::new(HEADING, strong_family())),
        (TextStyle::Monospace, FontId::monospace(SMALL)),
    ]
    .into();
    let spacing = &mut style.spacing;
    spacing.item_spacing = Vec2::new(space::S, 6.0);
    spacing.button_padding = Vec2::new(10.0, 4.0);
    spacing.interact_size = Vec2::new(36.0, ROW_HEIGHT);
    spacing.menu_margin = Margin::same(6);
    spacing.window_margin = Margin::same(16);
    spacing.indent = space::L;
    spacing.icon_width = 16.0;
    spacing.icon_width_inner = 9.0;
    spacing.icon_spacing = 6.0;
    spacing.combo_width = 120.0;
    spacing.tooltip_width = 360.0;
    spacing.scroll = ScrollStyle { bar_width: 8.0, ..ScrollStyle::thin() };
    style.interaction.selectable_labels = false;
    style.interaction.tooltip_delay = 0.4;
    style
}

fn visuals(theme: Theme, palette: &Palette) -> Visuals {
    let base = if theme == Theme::Dark { Visuals::dark() } else { Visuals::light() };
    let radius = CornerRadius::same(4);
    let widget = |fill: Color32, line: Color32, text: Color32| WidgetVisuals {
        bg_fill: fill,
        weak_bg_fill: fill,
        bg_stroke: Stroke::new(1.0, line),
        corner_radius: radius,
        fg_stroke: Stroke::new(1.0, text),
        expansion: 0.0,
    };
    let hovered = palette.raised.lerp_to_gamma(palette.text_weak, 0.18);
    Visuals {
        override_text_color: None,
        weak_text_color: Some(palette.text_weak),
        widgets: Widgets {
            noninteractive: widget(palette.surface, palette.line, palette.text),
            inactive: widget(palette.raised, palette.line, palette.text),
            hovered: widget(hovered, palette.text_weak, palette.text),
            active: widget(hovered, palette.accent, palette.text),
            open: widget(palette.raised, palette.accent, palette.text),
        },
        selection: egui::style::Selection {
            bg_fill: palette.selected,
            stroke: Stroke::new(1.0, palette.text),
        },
        hyperlink_color: palette.accent,
        faint_bg_color: palette.surface.lerp_to_gamma(palette.raised, 0.5),
        extreme_bg_color: palette.well,
        text_edit_bg_color: Some(palette.field),
        code_bg_color: palette.raised,
        warn_fg_color: palette.warning,
        error_fg_color: palette.error,
        window_fill: palette.surface,
        window_stroke: Stroke::new(1.0, palette.line),
        window_corner_radius: CornerRadius::same(8),
        window_shadow: Shadow {
            offset: [0, 8],
            blur: 24,
            spread: 0,
            color: rgb(0).gamma_multiply(if theme == Theme::Dark { 0.55 } else { 0.25 }),
        },
        menu_corner_radius: CornerRadius::same(6),
        panel_fill: palette.background,
        striped: false,
        slider_trailing_fill: true,
        ..base
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn luminance(color: Color32) -> f64 {
        let channel = |value: u8| {
            let value = f64::from(value) / 255.0;
            if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * channel(color.r()) + 0.7152 * channel(color.g()) + 0.0722 * channel(color.b())
    }

    /// WCAG 2.1, §1.4.3.
    fn contrast(a: Color32, b: Color32) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn text_is_legible_on_every_surface() {
        for (name, palette) in [("dark", &DARK), ("light", &LIGHT)] {
            let Palette { background, surface, raised, field, well, ref code, .. } = *palette;
            for color in [code.field, code.name, code.number, code.text] {
                assert!(contrast(color, well) >= 4.5, "{name}: {color:?}");
            }
            for surface in [background, surface, raised, field, well] {
                for text in [palette.text, palette.text_weak, palette.error, palette.warning] {
                    let found = contrast(text, surface);
                    assert!(found >= 4.5, "{name}: {text:?} on {surface:?} is {found:.2} : 1");
                }
            }
            assert!(contrast(palette.on_accent, palette.accent) >= 4.5, "{name}");
            assert!(contrast(palette.text, palette.selected) >= 4.5, "{name}");
        }
    }

    #[test]
    fn text_is_legible_on_every_colour_of_a_scale_and_its_ends_differ() {
        for (name, palette) in [("dark", &DARK), ("light", &LIGHT)] {
            for step in -10_i16..=10 {
                let ground = palette.diverging(f32::from(step) / 10.0);
                let found = contrast(palette.text, ground);
                assert!(found >= 4.5, "{name}: text at {step} is {found:.2} : 1");
            }
            assert_eq!(palette.diverging(0.0), palette.raised);
            assert_eq!(palette.diverging(-3.0), palette.worse);
        }
    }

    #[test]
    fn lines_stand_out_from_the_panel_they_are_drawn_on() {
        for (name, palette) in [("dark", &DARK), ("light", &LIGHT)] {
            let Palette { train, validation, test, purge, embargo, model, .. } = *palette;
            let meanings = [train, validation, test, purge, embargo, model];
            for color in palette.series.iter().chain(&meanings) {
                let found = contrast(*color, palette.well);
                assert!(found >= 3.0, "{name}: {color:?} is {found:.2} : 1");
            }
        }
    }
}
