//! What each step of a network sees, found by altering the bars one by one; for the tests of the models that promise something about it.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use tch::Tensor;

use super::network::{Parameter, Weights, draw};
use super::{InputShape, layout};
use crate::domain::Device;
use crate::spec::ModelSpec;

/// From weights and windows `[batch, window, features]` to steps `[batch, steps, width]`.
type Steps<'a> = dyn Fn(&mut Weights<'_>, &Tensor) -> Tensor + 'a;

/// The steps before and after each bar of a window is altered, bar by bar.
fn altered(
    model: &ModelSpec,
    (window, features): (u32, u32),
    steps: &Steps<'_>,
) -> Vec<(Tensor, Tensor)> {
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let shapes = layout(model, InputShape { window, features }, 1);
    let parameters: Vec<Parameter> = draw(shapes, Device::Cpu, &mut random).unwrap();
    let cells = i64::from(window) * i64::from(features);
    let input = (Tensor::arange(2 * cells, tch::kind::FLOAT_CPU) * 0.7).sin();
    let input = input.view([2, i64::from(window), i64::from(features)]);
    let run = |input: &Tensor| {
        let _no_grad = tch::no_grad_guard();
        steps(&mut Weights::new(&parameters), input)
    };
    let before = run(&input);
    let after = |bar: i64| {
        let other = input.copy();
        let _same = other.select(1, bar).f_add_scalar_(1.5).unwrap();
        run(&other)
    };
    (0..i64::from(window)).map(|bar| (before.shallow_clone(), after(bar))).collect()
}

/// Alters every bar in turn and wants every earlier step to be the same, bit for bit, and its own to notice.
pub(super) fn assert_no_step_sees_a_later_one(
    model: &ModelSpec,
    window: u32,
    features: u32,
    steps: impl Fn(&mut Weights<'_>, &Tensor) -> Tensor,
) {
    for (bar, (before, after)) in (0_i64..).zip(altered(model, (window, features), &steps)) {
        assert_eq!(before.size()[1], i64::from(window));
        let earlier = |steps: &Tensor| steps.narrow(1, 0, bar);
        assert!(earlier(&before) == earlier(&after), "a step before bar {bar} has seen it");
        assert!(before.select(1, bar) != after.select(1, bar), "bar {bar} is not seen at all");
    }
}

/// The bars that change the last step when they change.
pub(super) fn bars_the_last_step_sees(
    model: &ModelSpec,
    window: u32,
    features: u32,
    steps: impl Fn(&mut Weights<'_>, &Tensor) -> Tensor,
) -> Vec<usize> {
    let last = |steps: &Tensor| steps.select(1, -1);
    let altered = altered(model, (window, features), &steps).into_iter().enumerate();
    altered.filter(|(_, (before, after))| last(before) != last(after)).map(|(bar, _)| bar).collect()
}
