//! The quantities that verdicts rest on, in words, and the words read again.

use rankscape::certificate::StatedQuantity;
use rankscape::evidence::Quantity;

/// Quantities with a name of their own.
const NAMED: [(Quantity, &str); 11] = [
    (Quantity::Inputs, "rank X"),
    (Quantity::Output, "rank W X"),
    (Quantity::Residual, "rank of the whitened residual"),
    (Quantity::Comparison, "captured against omitted singular values"),
    (Quantity::Target, "rank of the whitened target"),
    (Quantity::DistinctSingularValues, "distinct positive singular values"),
    (Quantity::Fold, "singular values above the fold"),
    (Quantity::Worth, "singular values worth capturing"),
    (Quantity::Eigenvalues, "eigenvalues that are not zero"),
    (Quantity::Matrix, "rank of the matrix"),
    (Quantity::Predictions, "rank of the derivative of the predictions"),
];

/// A quantity as it stands in documents.
pub(crate) fn quantity_words(quantity: Quantity) -> String {
    match quantity {
        Quantity::Seen { i, j } => format!("rank of W{j}...W{}{}", i + 1, if i == 0 { " X" } else { "" }),
        Quantity::Wrapped { depth, s, t } => format!("rank of P({t},0) G' P({depth},{s})"),
        Quantity::Given { i, j } if j == i + 1 => format!("rank of W{j} as given"),
        Quantity::Given { i, j } => format!("rank of W{j}...W{} as given", i + 1),
        Quantity::Product { i, j } if j == i + 1 => format!("rank W{j}"),
        Quantity::Product { i, j } => format!("rank W{j}...W{}", i + 1),
        Quantity::After { depth, layer } => format!("rank P({depth},{layer})"),
        Quantity::Before { layer } => format!("rank P({},0) X", layer - 1),
        named => NAMED.iter().find(|(known, _)| *known == named).map_or("", |(_, words)| words).to_owned(),
    }
}

/// The quantity with exactly these words.
fn quantity_of(words: &str) -> Option<Quantity> {
    let numbers = words.split(|c: char| !c.is_ascii_digit()).filter(|digits| !digits.is_empty());
    let numbers: Vec<usize> = numbers.map(|digits| digits.parse().ok()).collect::<Option<_>>()?;
    let products = match numbers[..] {
        [] => return NAMED.iter().find(|(_, known)| *known == words).map(|(quantity, _)| *quantity),
        [j] => vec![Quantity::Given { i: j.checked_sub(1)?, j }],
        [j, first] => {
            let i = first.checked_sub(1)?;
            vec![Quantity::Seen { i, j }, Quantity::Given { i, j }]
        }
        [t, 0, depth, s] => vec![Quantity::Wrapped { depth, s, t }],
        _ => Vec::new(),
    };
    products.into_iter().find(|quantity| quantity_words(*quantity) == words)
}

/// A quantity as a certificate states it.
pub(crate) fn stated_quantity_words(quantity: &StatedQuantity) -> String {
    match quantity {
        StatedQuantity::Known(quantity) => quantity_words(*quantity),
        StatedQuantity::Unknown(words) => words.clone(),
    }
}

/// The same from its words.
pub(crate) fn stated_quantity(words: &str) -> StatedQuantity {
    quantity_of(words).map_or_else(|| StatedQuantity::Unknown(words.to_owned()), StatedQuantity::Known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_certificates_are_read_as_the_quantities_that_they_stand_for() {
        for (words, quantity) in [
            ("rank X", Quantity::Inputs),
            ("rank W X", Quantity::Output),
            ("rank of W3...W1 X", Quantity::Seen { i: 0, j: 3 }),
            ("rank of W3...W2", Quantity::Seen { i: 1, j: 3 }),
            ("rank of W2...W2", Quantity::Seen { i: 1, j: 2 }),
            ("rank of P(0,0) G' P(3,2)", Quantity::Wrapped { depth: 3, s: 2, t: 0 }),
            ("rank of W12 as given", Quantity::Given { i: 11, j: 12 }),
            ("rank of W3...W1 as given", Quantity::Given { i: 0, j: 3 }),
            ("rank of the whitened target", Quantity::Target),
        ] {
            assert_eq!(stated_quantity(words), StatedQuantity::Known(quantity));
            assert_eq!(quantity_words(quantity), words);
        }
    }

    #[test]
    fn other_words_stay_as_they_are() {
        for words in
            ["rank W9", "rank of W02 as given", "rank of W0 as given", "rank of W3...W1", "rank x", "", "rank of W"]
        {
            let stated = stated_quantity(words);
            assert_eq!(stated, StatedQuantity::Unknown(words.to_owned()));
            assert_eq!(stated_quantity_words(&stated), words);
        }
    }
}
