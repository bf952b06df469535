/// Makes [`FeatureSpec`](super::FeatureSpec) and everything that is known of each kind from one table.
///
/// An entry is a doc comment (the formula, shown in the window and in `docs/FEATURES.md` as well), the variant with its parameters (help,
/// type, default, limits), and what the picker shows. `lookback` is an expression of the parameters in bars: each stands for its
/// [`ParameterType::in_bars`](super::parameter::ParameterType::in_bars), `base` for the timeframe of the bars.
macro_rules! feature_table {
    ($base:ident; $(
        $(#[doc = $formula:literal])+
        $kind:ident $({ $(
            $(#[doc = $help:literal])+
            $field:ident: $type:ty = $default:expr, $limits:expr;
        )+ })?
        => $group:ident, $title:literal,
        unit: $unit:literal,
        source: $source:literal,
        lookback: $lookback:expr,
        columns: $columns:expr
        $(, needs: $rule:expr)?;
    )+) => {
        /// One feature of a bar, from bars that closed at or before that bar's close. The `features` room computes it; [`FEATURES`] knows what
        /// there is to say about each kind.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub enum FeatureSpec {
            $(
                $(#[doc = $formula])+
                $kind $({ $(
                    $(#[doc = $help])+
                    $field: $type,
                )+ })?,
            )+
        }

        /// Every kind of feature, by group.
        pub static FEATURES: &[FeatureKind] = &[$(
            FeatureKind {
                name: stringify!($kind),
                title: $title,
                group: FeatureGroup::$group,
                formula: concat!($($formula),+).trim_ascii(),
                unit: $unit,
                source: $source,
                lookback: stringify!($lookback),
                needs: concat!($(stringify!($rule))?),
                default: || FeatureSpec::$kind $({ $($field: $default),+ })?,
            },
        )+];

        /// Places in [`FEATURES`].
        enum Place { $($kind),+ }

        impl FeatureSpec {
            /// What is known about features of this kind.
            #[must_use]
            pub fn kind(&self) -> &'static FeatureKind {
                let place = match self { $( Self::$kind { .. } => Place::$kind ),+ };
                &FEATURES[place as usize]
            }

            /// The parameters in the order in which they are written.
            #[must_use]
            pub fn parameters(&self) -> Vec<Parameter<'_>> {
                match self { $(
                    Self::$kind $({ $($field),+ })? => vec![$($(Parameter {
                        name: stringify!($field),
                        help: concat!($($help),+).trim_ascii(),
                        value: $field.value($limits),
                    }),+)?],
                )+ }
            }

            /// The parameters to be changed in place.
            #[must_use]
            pub fn parameters_mut(&mut self) -> Vec<ParameterMut<'_>> {
                match self { $(
                    Self::$kind $({ $($field),+ })? => vec![$($(ParameterMut {
                        name: stringify!($field),
                        help: concat!($($help),+).trim_ascii(),
                        value: $field.value_mut($limits),
                    }),+)?],
                )+ }
            }

            /// Bars before bar t that row t needs at most, on bars of that length; rows before that are warm-up.
            ///
            /// Exponential averages (those of Wilder too) never forget altogether: a bar `k` bars older than the lookback still weighs
            /// `(1 - alpha)^k`.
            #[must_use]
            pub fn lookback(&self, $base: Timeframe) -> usize {
                match self { $(
                    Self::$kind $({ $($field),+ })? => {
                        $(
                            $( let $field = $field.in_bars($base); )+
                            let _not_all_are_used = ($($field,)+);
                        )?
                        $lookback
                    }
                )+ }
            }

            /// The names of the columns: the feature's own name with its parameters, as in `log_return_4`.
            #[must_use]
            pub fn columns(&self) -> Vec<String> {
                match self { $(
                    Self::$kind $({ $($field),+ })? => {
                        $( let _not_all_are_named = ($($field,)+); )?
                        $columns
                    }
                )+ }
            }

            /// Whether the parameters fit each other.
            pub(super) fn is_consistent(&self) -> bool {
                match self { $(
                    Self::$kind $({ $($field),+ })? => {
                        $( let _not_all_are_compared = ($($field,)+); )?
                        true $(&& $rule)?
                    }
                )+ }
            }
        }
    };
}

pub(super) use feature_table;
