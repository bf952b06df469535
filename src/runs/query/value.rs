use super::scan::Operator;
use crate::domain::UtcMillis;

/// A number as somebody wrote it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Number {
    value: f64,
    /// Half of its last digit's unit: what is equal to it rounds to it.
    half: f64,
}

impl Number {
    /// `0.02`, `1e-3`, or `5%` for 0.05.
    pub(super) fn read(text: &str) -> Option<Self> {
        let (digits, unit) =
            text.strip_suffix('%').map_or((text, 1.0), |digits| (digits.trim_end(), 0.01));
        let value: f64 = digits.parse().ok().filter(|value: &f64| value.is_finite())?;
        let (mantissa, power) = digits.split_once(['e', 'E']).unwrap_or((digits, "0"));
        let decimals = mantissa.split_once('.').map_or(0, |(_, decimals)| decimals.len() as i32);
        let power: i32 = power.parse().ok()?;
        // A little more: 0.145 may be stored as a bit less than it is.
        let half = 0.5 * 10_f64.powi(power.saturating_sub(decimals)) * (1.0 + 1e-9);
        Some(Self { value: value * unit, half: half * unit })
    }

    pub(super) fn compare(self, operator: Operator, found: Option<f64>) -> bool {
        let Some(found) = found.filter(|found| !found.is_nan()) else {
            return operator == Operator::IsNot;
        };
        let is_equal = (found - self.value).abs() <= self.half;
        match operator {
            Operator::Has | Operator::Is => is_equal,
            Operator::IsNot => !is_equal,
            Operator::Below => found < self.value,
            Operator::AtMost => found <= self.value,
            Operator::Above => found > self.value,
            Operator::AtLeast => found >= self.value,
        }
    }
}

/// A day, or a minute: from its beginning to the beginning of the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    from: UtcMillis,
    until: UtcMillis,
}

impl Span {
    /// `2026-01-31`, or `"2026-01-31 17:00"`, UTC.
    pub(super) fn read(text: &str) -> Option<Self> {
        const MINUTE: i64 = 60_000;
        let from: UtcMillis = text.parse().ok()?;
        let is_day = !text.contains(':');
        let length = if is_day { 24 * 60 * MINUTE } else { MINUTE };
        Some(Self { from, until: from.plus_millis(length) })
    }

    pub(super) fn compare(self, operator: Operator, found: Option<UtcMillis>) -> bool {
        let Some(found) = found else { return operator == Operator::IsNot };
        let is_within = self.from <= found && found < self.until;
        match operator {
            Operator::Has | Operator::Is => is_within,
            Operator::IsNot => !is_within,
            Operator::Below => found < self.from,
            Operator::AtMost => found < self.until,
            Operator::Above => found >= self.until,
            Operator::AtLeast => found >= self.from,
        }
    }
}

/// A length of time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Length {
    count: Number,
    unit_seconds: f64,
}

impl Length {
    /// `30s`, `10m`, `1.5h`, `2d`.
    pub(super) fn read(text: &str) -> Option<Self> {
        let units = [("s", 1.0), ("min", 60.0), ("m", 60.0), ("h", 3600.0), ("d", 86_400.0)];
        let mut read = units.into_iter().filter_map(|(unit, unit_seconds)| {
            let count = Number::read(text.strip_suffix(unit)?)?;
            Some(Self { count, unit_seconds })
        });
        read.next()
    }

    pub(super) fn compare(self, operator: Operator, found_seconds: Option<f64>) -> bool {
        self.count.compare(operator, found_seconds.map(|seconds| seconds / self.unit_seconds))
    }
}

/// Settings are exact: as numbers where both are, by their letters else.
pub(super) fn compare_settings(found: Option<&str>, operator: Operator, wanted: &str) -> bool {
    let Some(found) = found else { return operator == Operator::IsNot };
    let number = |text: &str| text.parse::<f64>().ok().filter(|number| !number.is_nan());
    let order = match (number(found), number(wanted)) {
        (Some(found), Some(wanted)) => found.total_cmp(&wanted),
        _ => found.cmp(wanted),
    };
    match operator {
        Operator::Has => order.is_eq() || (number(wanted).is_none() && found.contains(wanted)),
        Operator::Is => order.is_eq(),
        Operator::IsNot => order.is_ne(),
        Operator::Below => order.is_lt(),
        Operator::AtMost => order.is_le(),
        Operator::Above => order.is_gt(),
        Operator::AtLeast => order.is_ge(),
    }
}
