use std::ops::RangeInclusive;

use super::FeatureSpec;
use crate::domain::Timeframe;

/// A parameter of a feature: what it is called, what it means, what it is and may be.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter<'a> {
    /// As it is written in the specification.
    pub name: &'static str,
    /// What it means.
    pub help: &'static str,
    /// What it is.
    pub value: ParameterValue<'a>,
}

/// The value of a [`Parameter`] with its limits.
#[derive(Debug, Clone, PartialEq)]
pub enum ParameterValue<'a> {
    /// A number of bars.
    Bars(u32, RangeInclusive<u32>),
    /// Any number.
    Number(f64, RangeInclusive<f64>),
    /// A bar length.
    Timeframe(Timeframe),
    /// A feature inside.
    Feature(&'a FeatureSpec),
}

/// A parameter that can be changed: what a form draws.
#[derive(Debug, PartialEq)]
pub struct ParameterMut<'a> {
    /// As it is written in the specification.
    pub name: &'static str,
    /// What it means.
    pub help: &'static str,
    /// What it is.
    pub value: ParameterValueMut<'a>,
}

/// The place of the value of a [`ParameterMut`] with its limits.
#[derive(Debug, PartialEq)]
pub enum ParameterValueMut<'a> {
    /// A number of bars.
    Bars(&'a mut u32, RangeInclusive<u32>),
    /// Any number.
    Number(&'a mut f64, RangeInclusive<f64>),
    /// A bar length.
    Timeframe(&'a mut Timeframe),
    /// A feature inside.
    Feature(&'a mut FeatureSpec),
}

/// The types that parameters have.
pub(super) trait ParameterType {
    /// What the table says about the values taken.
    type Limits;

    fn value(&self, limits: Self::Limits) -> ParameterValue<'_>;

    fn value_mut(&mut self, limits: Self::Limits) -> ParameterValueMut<'_>;

    /// What the parameter stands for in a lookback on bars of length `base`.
    fn in_bars(&self, base: Timeframe) -> usize;
}

/// Bars, at least one, so that a lookback of `window - 1` exists even where the specification is impossible.
impl ParameterType for u32 {
    type Limits = RangeInclusive<Self>;

    fn value(&self, limits: Self::Limits) -> ParameterValue<'_> {
        ParameterValue::Bars(*self, limits)
    }

    fn value_mut(&mut self, limits: Self::Limits) -> ParameterValueMut<'_> {
        ParameterValueMut::Bars(self, limits)
    }

    fn in_bars(&self, _base: Timeframe) -> usize {
        (*self).max(1) as usize
    }
}

/// A number says nothing about bars.
impl ParameterType for f64 {
    type Limits = RangeInclusive<Self>;

    fn value(&self, limits: Self::Limits) -> ParameterValue<'_> {
        ParameterValue::Number(*self, limits)
    }

    fn value_mut(&mut self, limits: Self::Limits) -> ParameterValueMut<'_> {
        ParameterValueMut::Number(self, limits)
    }

    fn in_bars(&self, _base: Timeframe) -> usize {
        0
    }
}

/// The bars that fill the timeframe.
impl ParameterType for Timeframe {
    type Limits = ();

    fn value(&self, (): ()) -> ParameterValue<'_> {
        ParameterValue::Timeframe(*self)
    }

    fn value_mut(&mut self, (): ()) -> ParameterValueMut<'_> {
        ParameterValueMut::Timeframe(self)
    }

    fn in_bars(&self, base: Timeframe) -> usize {
        self.minutes().div_ceil(base.minutes()) as usize
    }
}

/// Its own lookback.
impl ParameterType for Box<FeatureSpec> {
    type Limits = ();

    fn value(&self, (): ()) -> ParameterValue<'_> {
        ParameterValue::Feature(self)
    }

    fn value_mut(&mut self, (): ()) -> ParameterValueMut<'_> {
        ParameterValueMut::Feature(self)
    }

    fn in_bars(&self, base: Timeframe) -> usize {
        self.lookback(base)
    }
}
