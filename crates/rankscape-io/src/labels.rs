//! Labels as targets: one column for each class, 1 in that of the label.

use num_traits::{One, Zero};

use super::array::{Array, ElementType};
use super::rows::RowSource;
use rankscape::error::{InputError, Result};
use rankscape::linalg::exact::Rational;

/// Most classes where no network says how many there are.
pub const CLASSES_LIMIT: usize = 1 << 12;

/// The number of classes: that of the outputs, or one more than the largest label.
pub(super) fn classes(labels: &[f64], name: &str, outputs: Option<usize>) -> Result<usize> {
    let mut most = 0;
    for (at, &label) in labels.iter().enumerate() {
        if !(label >= 0.0 && label.fract() == 0.0 && label < f64::from(u32::MAX)) {
            return Err(InputError::new("a label is a whole number that is not negative")
                .array(name)
                .value(format!("{label} in row {at}, counted from 0"))
                .hint("labels are 0, 1, ..., one whole number a sample; numbers to predict go without --one-hot and --loss softmax"));
        }
        most = most.max(label as usize);
        if let Some(outputs) = outputs.filter(|&outputs| outputs <= label as usize) {
            return Err(InputError::new(format!("a label is beyond the {outputs} outputs of the network"))
                .array(name)
                .value(format!("{label} in row {at}, counted from 0"))
                .hint("labels count from 0"));
        }
    }
    if outputs.is_none() && most >= CLASSES_LIMIT {
        return Err(InputError::new("the labels make too many classes")
            .array(name)
            .value(format!("the largest is {most}, at most {CLASSES_LIMIT} classes are made"))
            .hint("number the classes 0, 1, ... without gaps"));
    }
    Ok(outputs.unwrap_or(most + 1))
}

/// The rows of the classes, with exact numbers where `exactly`.
pub(super) fn one_hot(labels: &[f64], name: &str, classes: usize, exactly: bool) -> Array {
    let mut values = vec![0.0; labels.len() * classes];
    for (at, &label) in labels.iter().enumerate() {
        values[at * classes + label as usize] = 1.0;
    }
    let number = |value: &f64| if *value == 0.0 { Rational::zero() } else { Rational::one() };
    let exact = exactly.then(|| values.iter().map(number).collect());
    let shape = vec![labels.len(), classes];
    Array { name: name.to_owned(), shape, values, element: ElementType::Integer, exact }
}

/// The rows of the classes, made as they are asked for.
pub(super) struct LabelRows<'a> {
    pub(super) labels: &'a [f64],
    pub(super) classes: usize,
}

impl RowSource for LabelRows<'_> {
    fn next_rows(&mut self, count: usize, target: &mut Vec<f64>) -> Result<()> {
        let (next, rest) = self.labels.split_at(self.labels.len().min(count));
        target.clear();
        target.resize(next.len() * self.classes, 0.0);
        for (at, &label) in next.iter().enumerate() {
            target[at * self.classes + label as usize] = 1.0;
        }
        self.labels = rest;
        Ok(())
    }
}
