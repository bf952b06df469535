use super::TaskData;
use crate::domain::UtcMillis;
use crate::torch::TorchError;

/// What is known on the host of rows of a task's resident matrix.
impl TaskData {
    /// When each row is decided.
    #[must_use]
    pub fn moments(&self, rows: &[i64]) -> Vec<UtcMillis> {
        self.each(rows, |part, row| self.test()[part].series.decision()[row])
    }

    /// The return behind each row's label; NaN where there is none.
    #[must_use]
    pub fn outcomes(&self, rows: &[i64]) -> Vec<f64> {
        self.each(rows, |part, row| self.test()[part].series.labels().outcome[row])
    }

    /// Each row's label as this task learns it; NaN where there is none.
    ///
    /// # Errors
    /// When the device has no room.
    pub fn label_values(&self, rows: &[i64]) -> Result<Vec<f32>, TorchError> {
        Ok(self.labels(&self.index(rows)?)?.f_to(tch::Device::Cpu)?.try_into()?)
    }

    /// The position of each row's series among those of the task.
    #[must_use]
    pub fn series_of(&self, rows: &[i64]) -> Vec<usize> {
        self.each(rows, |part, _| part)
    }

    fn each<T>(&self, rows: &[i64], of: impl Fn(usize, usize) -> T) -> Vec<T> {
        let offsets = self.resident().offsets();
        rows.iter()
            .map(|&row| {
                let part = offsets.partition_point(|&offset| offset <= row) - 1;
                of(part, (row - offsets[part]) as usize)
            })
            .collect()
    }
}
