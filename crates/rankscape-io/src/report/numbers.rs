//! Numbers as a person reads them.

/// Six significant digits, without an exponent where that is readable.
pub(super) fn number(value: f64) -> String {
    digits(value, 6)
}

/// So many significant digits, without an exponent where that is readable.
pub(super) fn digits(value: f64, significant: usize) -> String {
    let shown = significant.saturating_sub(1);
    let rounded: f64 = format!("{value:.shown$e}").parse().unwrap_or(value);
    if value == 0.0 {
        "0".to_owned()
    } else if (1e-3..1e9).contains(&rounded.abs()) {
        let decimals = (shown as i32 - rounded.abs().log10().floor() as i32).clamp(0, 8) as usize;
        let text = format!("{rounded:.decimals$}");
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
    } else {
        format!("{value:.shown$e}")
    }
}

/// A positive value to so many digits, rounded down: a limit that must not be passed.
pub(super) fn digits_below(value: f64, significant: i32) -> String {
    let unit = 10.0_f64.powi(value.log10().floor() as i32 + 1 - significant);
    digits((value / unit).floor() * unit, significant.unsigned_abs() as usize)
}

/// What counts as nothing beside the loss of the zero map: rounding errors of double precision.
pub(super) fn is_rounding(value: f64, value_at_origin: f64) -> bool {
    value.abs() <= 1e-12 * value_at_origin
}

/// A loss, or that it is nothing but rounding errors; exact arithmetic has none.
pub(super) fn loss_value(value: f64, value_at_origin: f64, exact: bool) -> String {
    if !exact && is_rounding(value, value_at_origin) { "0 to rounding".to_owned() } else { number(value) }
}

/// A share in percent: `30 %`, `0.12 %`, two digits; more only where they would make all of what is not all.
pub(super) fn percent(share: f64) -> String {
    let percent = 100.0 * share;
    if (99.95..100.0).contains(&percent) {
        return "more than 99.9 %".to_owned();
    }
    if (99.5..100.0).contains(&percent) {
        return format!("{percent:.1} %");
    }
    if (10.0..99.5).contains(&percent) { format!("{percent:.0} %") } else { format!("{} %", digits(percent, 2)) }
}

/// `1-5, 7` for a sorted list.
pub(super) fn ranges(indices: &[usize]) -> String {
    let mut parts: Vec<(usize, usize)> = Vec::new();
    for &index in indices {
        match parts.last_mut() {
            Some((_, last)) if *last + 1 == index => *last = index,
            _ => parts.push((index, index)),
        }
    }
    let part = |&(a, b): &(usize, usize)| if a == b { a.to_string() } else { format!("{a}-{b}") };
    parts.iter().map(part).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indices_are_joined_into_ranges() {
        assert_eq!(ranges(&[1, 2, 3, 5, 7, 8]), "1-3, 5, 7-8");
    }

    #[test]
    fn numbers_have_six_digits_at_every_size() {
        assert_eq!(
            [number(0.0), number(523_342.800_48), number(0.5), number(1.0e-7), number(-2.0e12)],
            ["0", "523343", "0.5", "1.00000e-7", "-2.00000e12"]
        );
    }

    #[test]
    fn few_digits_are_rounded_and_not_cut() {
        assert_eq!(
            [digits(0.021_94, 2), digits(-272.4, 2), digits(19_240_336.0, 3), digits(0.999_96, 2), digits(3e-12, 2)],
            ["0.022", "-270", "19200000", "1", "3.0e-12"]
        );
        assert_eq!(
            [digits(-0.000_999_999, 3), digits(0.000_994, 2), digits(999_999_999.7, 3)],
            ["-0.001", "9.9e-4", "1.00e9"]
        );
    }

    #[test]
    fn limits_are_rounded_down() {
        let shown = [0.145_76, 2.0, 0.099_99, 1234.5, 3.96e-7].map(|value| digits_below(value, 2));
        assert_eq!(shown, ["0.14", "2", "0.099", "1200", "3.9e-7"]);
    }

    #[test]
    fn shares_are_percentages_of_two_digits() {
        assert_eq!([percent(0.304_4), percent(0.001_234), percent(0.099_9)], ["30 %", "0.12 %", "10 %"]);
        assert_eq!([percent(0.996_2), percent(0.999_96), percent(1.0)], ["99.6 %", "more than 99.9 %", "100 %"]);
    }

    #[test]
    fn a_loss_of_rounding_size_is_said_to_be_that_unless_it_is_exact() {
        let said = |value, exact| loss_value(value, 3.0, exact);
        assert_eq!([said(2e-16, false), said(0.0, false), said(0.5, false)], ["0 to rounding", "0 to rounding", "0.5"]);
        assert_eq!([said(2e-16, true), said(0.0, true)], ["2.00000e-16", "0"]);
    }
}
