use super::folds::{Axis, ValidationError};
use crate::domain::{Embargo, FoldIndex, FoldPlan, Length, UtcMillis};

/// One fold cut at two dates: everything before the first is learnt from, everything from the second on is tested. The embargo is taken from
/// the end of the section before each date.
pub(super) fn hold_out(
    axis: &Axis<'_>,
    (validation_from, test_from): (UtcMillis, UtcMillis),
    embargo: Length,
) -> Result<Vec<FoldPlan>, ValidationError> {
    let outside = |field, at, lacks| ValidationError::DateOutside {
        field,
        at,
        lacks,
        from: axis.first(),
        until: axis.last(),
    };
    let [validation, test] = [validation_from, test_from].map(|at| axis.position(at));
    let train_until = axis.position_before(validation_from, embargo);
    let validation_until = axis.position_before(test_from, embargo);
    if test == axis.len() {
        let lacks = "nothing is left after it to test on; move it earlier";
        return Err(outside("validation.test_from", test_from, lacks));
    }
    if train_until == 0 {
        let lacks = "nothing is left before it to learn from; move it later";
        return Err(outside("validation.validation_from", validation_from, lacks));
    }
    if validation_until <= validation {
        let lacks = "nothing is left between validation_from and it; move it later";
        return Err(outside("validation.test_from", test_from, lacks));
    }
    Ok(vec![FoldPlan {
        index: FoldIndex(0),
        train: vec![axis.span(0, train_until)],
        validation: axis.span(validation, validation_until),
        test: axis.span(test, axis.len()),
        embargo: Embargo::default(),
    }])
}
