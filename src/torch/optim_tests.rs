use super::*;

fn tensor(values: &[f32]) -> Tensor {
    Tensor::from_slice(values)
}

fn values(tensor: &Tensor) -> Vec<f64> {
    Vec::try_from(tensor.to_kind(tch::Kind::Double).view(-1)).unwrap()
}

/// Settings of the formulas below; the weight decay is large enough to see where it goes.
const ADAM: AdamSettings =
    AdamSettings { learning_rate: 0.1, betas: (0.9, 0.99), weight_decay: 0.5, eps: 1e-8 };

/// The formulas of `torch.optim.Adam` and `AdamW`, one element at a time.
fn adam_by_hand(is_decoupled: bool, start: f64, gradients: &[f64]) -> f64 {
    let (mut parameter, mut first, mut second) = (start, 0.0, 0.0);
    for (step, gradient) in (1..).zip(gradients) {
        let mut gradient = *gradient;
        if is_decoupled {
            parameter -= ADAM.learning_rate * ADAM.weight_decay * parameter;
        } else {
            gradient += ADAM.weight_decay * parameter;
        }
        first = ADAM.betas.0 * first + (1.0 - ADAM.betas.0) * gradient;
        second = ADAM.betas.1 * second + (1.0 - ADAM.betas.1) * gradient * gradient;
        let corrected = first / (1.0 - ADAM.betas.0.powi(step));
        let denominator = (second / (1.0 - ADAM.betas.1.powi(step))).sqrt() + ADAM.eps;
        parameter -= ADAM.learning_rate * corrected / denominator;
    }
    parameter
}

#[test]
fn adam_and_adamw_follow_their_formulas() {
    let gradients = [[0.5, -2.0], [0.25, 1.0], [-0.75, 0.125]];
    for is_decoupled in [false, true] {
        let [parameters, first, second] =
            [[1.0, -3.0], [0.0, 0.0], [0.0, 0.0]].map(|start| [tensor(&start)]);
        for (step, gradient) in (1_u8..).zip(&gradients) {
            let step = Tensor::from(f32::from(step));
            let gradient = [tensor(gradient)];
            let update = if is_decoupled { fused_adamw } else { fused_adam };
            let scaling = Scaling::default();
            update(&parameters, &gradient, &first, &second, &step, &ADAM, scaling).unwrap();
        }
        for (index, start) in [1.0, -3.0].into_iter().enumerate() {
            let column = gradients.map(|row| f64::from(row[index]));
            let expected = adam_by_hand(is_decoupled, start, &column);
            let got = values(&parameters[0])[index];
            assert!((got - expected).abs() < 1e-5, "{is_decoupled}: {got}, expected {expected}");
        }
    }
}

#[test]
fn a_skipped_step_changes_nothing_and_does_not_count() {
    let [parameters, gradients, first, second, buffers] =
        [1.0_f32, f32::INFINITY, 0.0, 0.0, 0.0].map(|start| [tensor(&[start])]);
    let (skip, scale) = (tensor(&[1.0]), tensor(&[1024.0]));
    let scaling = Scaling { grad_scale: Some(&scale), found_inf: Some(&skip) };
    for update in [fused_adam, fused_adamw] {
        let step = Tensor::from(7.0_f32);
        update(&parameters, &gradients, &first, &second, &step, &ADAM, scaling).unwrap();
        assert_eq!(values(&step), [6.0]);
    }
    let settings =
        SgdSettings { learning_rate: 0.1, momentum: 0.9, weight_decay: 0.5, nesterov: true };
    fused_sgd(&parameters, &gradients, &buffers, &settings, scaling).unwrap();
    for (list, expected) in [(&parameters, 1.0), (&first, 0.0), (&second, 0.0), (&buffers, 0.0)] {
        assert_eq!(values(&list[0]), [expected]);
    }
}

#[test]
fn a_scaled_gradient_makes_the_step_of_the_unscaled_one() {
    let go = tensor(&[0.0]);
    let scale = tensor(&[1024.0]);
    let scaled = Scaling { grad_scale: Some(&scale), found_inf: Some(&go) };
    let adam = |gradient: f32, scaling: Scaling<'_>| {
        let [parameters, gradients, first, second] =
            [1.0, gradient, 0.0, 0.0].map(|start| [tensor(&[start])]);
        let step = Tensor::from(1.0_f32);
        fused_adam(&parameters, &gradients, &first, &second, &step, &ADAM, scaling).unwrap();
        assert_eq!(values(&step), [1.0]);
        values(&parameters[0])
    };
    assert_eq!(adam(0.25 * 1024.0, scaled), adam(0.25, Scaling::default()));
    let sgd = |gradient: f32, scaling: Scaling<'_>| {
        let [parameters, gradients] = [1.0, gradient].map(|start| [tensor(&[start])]);
        let settings =
            SgdSettings { learning_rate: 0.1, momentum: 0.0, weight_decay: 0.5, nesterov: false };
        fused_sgd(&parameters, &gradients, &[], &settings, scaling).unwrap();
        values(&parameters[0])
    };
    assert_eq!(sgd(0.25 * 1024.0, scaled), sgd(0.25, Scaling::default()));
}

#[test]
fn sgd_follows_its_formula_with_and_without_momentum() {
    let gradients = [0.5, -2.0, 0.25];
    for (momentum, nesterov) in [(0.0, false), (0.9, false), (0.9, true)] {
        let settings = SgdSettings { learning_rate: 0.1, momentum, weight_decay: 0.5, nesterov };
        let (parameters, buffers) = ([tensor(&[1.0])], [tensor(&[0.0])]);
        let (mut expected, mut buffer) = (1.0, None);
        for gradient in gradients {
            let list = [tensor(&[gradient])];
            fused_sgd(&parameters, &list, &buffers, &settings, Scaling::default()).unwrap();
            // torch.optim.SGD: the first buffer is the gradient itself.
            let gradient = f64::from(gradient) + 0.5 * expected;
            let moved = buffer.map_or(gradient, |buffer: f64| momentum * buffer + gradient);
            buffer = Some(moved);
            let direction = if nesterov { gradient + momentum * moved } else { moved };
            expected -= 0.1 * if momentum == 0.0 { gradient } else { direction };
        }
        let got = values(&parameters[0])[0];
        assert!((got - expected).abs() < 1e-6, "{settings:?}: {got}, expected {expected}");
    }
}

#[test]
fn clipping_measures_and_shortens() {
    let gradients = [tensor(&[3.0, 0.0]), tensor(&[4.0])];
    let norm = clip_grad_norm(&gradients, None).unwrap();
    assert!((norm.double_value(&[]) - 5.0).abs() < 1e-6);
    assert!((gradients[1].double_value(&[0]) - 4.0).abs() < 1e-6, "measured, not changed");
    let _norm_before = clip_grad_norm(&gradients, Some(1.0)).unwrap();
    let norm = clip_grad_norm(&gradients, None).unwrap();
    assert!((norm.double_value(&[]) - 1.0).abs() < 1e-5);
}

#[test]
fn lists_of_different_length_are_an_error() {
    let one = [tensor(&[1.0])];
    let step = Tensor::from(1.0_f32);
    let none = Scaling::default();
    assert!(fused_adamw(&one, &[], &one, &one, &step, &ADAM, none).is_err());
    assert!(fused_adam(&one, &one, &one, &[], &step, &ADAM, none).is_err());
    let mut settings =
        SgdSettings { learning_rate: 0.1, momentum: 0.0, weight_decay: 0.0, nesterov: false };
    assert!(fused_sgd(&one, &one, &[], &settings, none).is_ok());
    settings.momentum = 0.9;
    assert!(fused_sgd(&one, &one, &[], &settings, none).is_err());
}
