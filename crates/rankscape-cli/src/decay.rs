//! `--weight-decay`: its number, `critical` and `diagnose` with it.

use rankscape::InputError;
use rankscape::answers::{Answer, critical_with_decay, diagnose_with_decay};
use rankscape::linalg::exact::Rational;
use rankscape::network::WeightDecay;
use rankscape_io::ReadLandscape;
use rankscape_io::documents::{CriticalDocument, CriticalInputs, DiagnoseDocument};
use rankscape_io::report::{decay_diagnosis_text, decay_text};

use crate::arguments::DiagnoseOptions;
use crate::run::{Outcome, Run, code_of};

/// The decay of an option, `None` for 0. Integers, decimals and fractions are taken as they are written.
pub(crate) fn weight_decay(text: Option<&str>) -> Result<Option<WeightDecay>, InputError> {
    let Some(text) = text.map(str::trim) else { return Ok(None) };
    match exact_number(text) {
        Some(number) if number == Rational::from_integer(0.into()) => Ok(None),
        Some(number) => WeightDecay::exact(number).map(Some),
        None => {
            let number: f64 = text.parse().map_err(|_| {
                InputError::new("a weight decay is a number")
                    .array("--weight-decay")
                    .value(text)
                    .hint("for example --weight-decay 0.01 or 1/100")
            })?;
            // 1e-400 is not 0, but beyond double precision.
            let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
            let is_zero = !mantissa.contains(|c: char| ('1'..='9').contains(&c));
            if number == 0.0 && is_zero { Ok(None) } else { WeightDecay::new(number).map(Some) }
        }
    }
}

/// `12`, `0.5`, `3/7`; none with an exponent.
fn exact_number(text: &str) -> Option<Rational> {
    let digits = |part: &str| part.chars().all(|c| c.is_ascii_digit()) && !part.is_empty();
    let (sign, plain) = text.strip_prefix('-').map_or((1, text), |plain| (-1, plain));
    let number = if let Some((top, bottom)) = plain.split_once('/') {
        let (top, bottom) = (digits(top).then(|| top.parse().ok())??, digits(bottom).then(|| bottom.parse().ok())??);
        if bottom == 0.into() {
            return None;
        }
        Rational::new(top, bottom)
    } else {
        let (whole, fraction) = plain.split_once('.').unwrap_or((plain, ""));
        let all = format!("{whole}{fraction}");
        if !digits(&all) {
            return None;
        }
        let zeros = "0".repeat(fraction.len());
        Rational::new(all.parse().ok()?, format!("1{zeros}").parse().ok()?)
    };
    Some(number * Rational::from_integer(sign.into()))
}

/// The ladder with decay.
pub(crate) fn run_ladder(
    read: &ReadLandscape,
    decay: &WeightDecay,
    inputs: &CriticalInputs,
    (most, rows): (usize, usize),
    run: &Run<'_>,
) -> Result<Outcome, InputError> {
    let found = critical_with_decay(&read.landscape, decay, most).map_err(|error| read.files.name_file(error))?;
    let text = |document: &CriticalDocument| decay_text(document, rows);
    run.finish(CriticalDocument::with_decay(&found, inputs), text, code_of(found.is_undecided()))
}

/// The diagnosis with decay.
pub(crate) fn run_diagnose(
    options: &DiagnoseOptions,
    decay: &WeightDecay,
    run: &Run<'_>,
) -> Result<Outcome, InputError> {
    let unsupported = [
        ("--leave", options.leave.is_some()),
        ("--near", options.near.is_some()),
        ("--certificate", options.certificate.is_some()),
        ("--learning-rate", options.learning_rate.is_some()),
    ];
    if let Some((name, _)) = unsupported.iter().find(|(_, given)| *given) {
        return Err(InputError::new(format!("{name} is of the loss without weight decay"))
            .array("--weight-decay")
            .value(decay.strength())
            .hint(format!("leave {name} out, or ask without --weight-decay")));
    }
    let (read, inputs) = options.point.read(run)?;
    let found =
        diagnose_with_decay(&read.problem, decay, run.settings()).map_err(|error| read.files.name_file(error))?;
    let document = DiagnoseDocument::with_decay(&found, &inputs);
    run.finish(document, decay_diagnosis_text, code_of(found.is_undecided()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decays_are_read_as_they_are_written() {
        let read = |text: &str| weight_decay(Some(text));
        let ratio = |a: i64, b: i64| Some(Rational::new(a.into(), b.into()));
        for (text, expected) in
            [("3", ratio(3, 1)), ("0.25", ratio(1, 4)), (".5", ratio(1, 2)), ("29/10", ratio(29, 10)), ("1e-3", None)]
        {
            let found = read(text).unwrap().unwrap();
            assert_eq!(found.rational().cloned(), expected, "{text}");
        }
        assert_eq!(read("1e-3").unwrap().unwrap().strength(), 1e-3);
        for none in ["0", "0.0", "-0", "0e5", "0/3"] {
            assert!(read(none).unwrap().is_none(), "{none}");
        }
        for bad in ["-1", "-0.5", "nan", "inf", "-inf", "x", "", "1/0", "1/2/3", "-1e-3", "1,5", "1e-400", "1e400"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
