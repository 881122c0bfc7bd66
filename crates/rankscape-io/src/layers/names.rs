//! What the name of an array says: weight, bias or part of something else, of which module, with which number.

/// What stands for a layer without a bias.
pub(super) const NONE: &str = "none";

/// What an array is, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// The matrix of a layer; Flax, Haiku and Keras store theirs as (in, out).
    Weight {
        in_first: bool,
    },
    Bias,
    /// Part of a weight that is computed from several arrays.
    Raw(Raw),
    /// Scale, shift or statistic of a normalization.
    Normalization,
    /// The name says nothing.
    Unknown,
}

/// Parts of a weight under spectral or weight normalization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Raw {
    /// The matrix before it is divided by its spectral norm.
    Original,
    /// Left singular vector.
    U,
    /// Right singular vector; of weight normalization the direction, a matrix.
    V,
    /// Lengths of the rows.
    Gain,
    /// A parametrization that is not known.
    Foreign,
}

/// An array's role, the module it belongs to, and the name of that module's weight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    /// The same for all arrays of a module.
    pub(super) module: String,
    pub(super) role: Role,
    /// The name of the weight that parts make up.
    pub(super) weight: String,
}

/// Reads a name such as `net.0.weight`, `w1`, `Dense_0/kernel:0`, `linear/w` or `0.parametrizations.weight.original`.
pub(super) fn parse(name: &str) -> Named {
    let start = name.rfind(['.', '/']).map_or(0, |at| at + 1);
    let (stem, last) = name.split_at(start);
    let of_stem = |stem: &str, role| Named { module: format!("{stem}*"), role, weight: format!("{stem}weight") };
    if let Some(at) = name.find("parametrizations.") {
        let (stem, rest) = (&name[..at], &name[at + "parametrizations.".len()..]);
        let part = match rest {
            "weight.original" => Raw::Original,
            "weight.0._u" => Raw::U,
            "weight.0._v" | "weight.original1" => Raw::V,
            "weight.original0" => Raw::Gain,
            _ => Raw::Foreign,
        };
        return of_stem(stem, Role::Raw(part));
    }
    match last.trim_end_matches(":0") {
        "weight_orig" => of_stem(stem, Role::Raw(Raw::Original)),
        "weight_u" => of_stem(stem, Role::Raw(Raw::U)),
        "weight_v" => of_stem(stem, Role::Raw(Raw::V)),
        "weight_g" => of_stem(stem, Role::Raw(Raw::Gain)),
        "gamma"
        | "beta"
        | "scale"
        | "offset"
        | "running_mean"
        | "running_var"
        | "num_batches_tracked"
        | "moving_mean"
        | "moving_variance"
        | "mean"
        | "var" => of_stem(stem, Role::Normalization),
        last => by_word(name, stem, last),
    }
}

/// By the last word of the name that means something.
fn by_word(name: &str, stem: &str, last: &str) -> Named {
    let words = words(name);
    let found = words.iter().rev().find_map(|&(from, to)| {
        let role = match name[from..to].to_lowercase().as_str() {
            // Haiku calls the matrix of `linear` w.
            "w" => Role::Weight { in_first: last == "w" && stem.ends_with('/') },
            "weight" | "weights" | "coef" => Role::Weight { in_first: false },
            // scikit-learn's networks have `coefs_` as (in, out), its linear models `coef_` as (out, in).
            "kernel" | "kernels" | "coefs" => Role::Weight { in_first: true },
            "b" | "bias" | "biases" | "intercept" | "intercepts" => Role::Bias,
            _ => return None,
        };
        Some((format!("{}*{}", &name[..from], &name[to..]), role))
    });
    let (module, role) = found.unwrap_or_else(|| (name.to_owned(), Role::Unknown));
    Named { module, role, weight: name.to_owned() }
}

/// Where the words begin and end: runs of letters, and within them a capital after a small letter.
fn words(name: &str) -> Vec<(usize, usize)> {
    let mut words: Vec<(usize, usize)> = Vec::new();
    let mut before = ' ';
    for (at, letter) in name.char_indices() {
        let goes_on = before.is_alphabetic() && !(before.is_lowercase() && letter.is_uppercase());
        before = letter;
        if !letter.is_alphabetic() {
            continue;
        }
        match words.last_mut() {
            Some((_, to)) if goes_on && *to == at => *to += letter.len_utf8(),
            _ => words.push((at, at + letter.len_utf8())),
        }
    }
    words
}

/// What a name says of the layer, without the word for the kind of array and the marks around that: `enc` for `enc.bias`,
/// `enc_b`, `bias_enc` and the matrix `enc` itself.
pub(super) fn stem(named: &Named) -> String {
    let marks: &[char] = &['.', '/', '_', '-', ':', '*'];
    let parts = named.module.split('*').map(|part| part.trim_matches(marks)).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("*")
}

/// The first word that begins with `enc` or `dec`, as `e` or `d`.
pub(super) fn half(name: &str) -> Option<char> {
    let name = name.to_lowercase();
    words(&name).iter().find_map(|&(from, to)| {
        let word = &name[from..to];
        (word.starts_with("enc") || word.starts_with("dec")).then(|| word.chars().next()).flatten()
    })
}

/// The name without its numbers: a number at the end of a part, as in `dense_2`, is left out, since the first of several
/// often has none; any other becomes `#`.
pub(crate) fn pattern(name: &str) -> String {
    parts(name).into_iter().map(|(pattern, _)| pattern).collect::<Vec<_>>().join("/")
}

/// The numbers in a name, from left to right; a part without one at its end counts as number 0.
pub(crate) fn numbers(name: &str) -> Vec<u64> {
    parts(name).into_iter().flat_map(|(_, numbers)| numbers).collect()
}

fn parts(name: &str) -> Vec<(String, Vec<u64>)> {
    name.split(['.', '/']).map(part).collect()
}

fn part(text: &str) -> (String, Vec<u64>) {
    let value = |digits: &str| digits.parse().unwrap_or(u64::MAX);
    let ending = text.rsplit_once('_').filter(|(stem, digits)| {
        !stem.is_empty() && !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    });
    let (stem, last) = ending.map_or((text, 0), |(stem, digits)| (stem, value(digits)));
    let mut pattern = String::new();
    for letter in stem.chars() {
        if !letter.is_ascii_digit() {
            pattern.push(letter);
        } else if !pattern.ends_with('#') {
            pattern.push('#');
        }
    }
    let inner = stem.split(|letter: char| !letter.is_ascii_digit()).filter(|digits| !digits.is_empty()).map(value);
    (pattern, inner.chain([last]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arrays_of_one_module_share_its_name() {
        for (weight, bias) in [
            ("net.0.weight", "net.0.bias"),
            ("w1", "b1"),
            ("W_1", "b_1"),
            ("weight2", "bias2"),
            ("fc1_w", "fc1_b"),
            ("dense_1/kernel:0", "dense_1/bias:0"),
            ("mlp/~/linear_0/w", "mlp/~/linear_0/b"),
            ("0.weight_orig", "0.bias"),
            ("0.parametrizations.weight.original1", "0.bias"),
            ("b.weight", "b.bias"),
        ] {
            let (weight, bias) = (parse(weight), parse(bias));
            assert_eq!((weight.module, bias.role), (bias.module, Role::Bias));
        }
        assert_eq!(parse("arr_0").role, Role::Unknown);
        assert_eq!(parse("1.running_mean").module, parse("1.weight").module);
    }

    #[test]
    fn kernels_and_the_matrices_of_haiku_are_stored_inputs_first() {
        for (name, in_first) in [("a/kernel", true), ("linear/w", true), ("linear.w", false), ("W1", false)] {
            assert_eq!(parse(name).role, Role::Weight { in_first }, "{name}");
        }
    }

    #[test]
    fn the_first_of_several_may_have_no_number() {
        assert_eq!(pattern("dense/kernel:0"), pattern("dense_10/kernel:0"));
        assert!(numbers("dense/kernel:0") < numbers("dense_2/kernel:0"));
        assert!(numbers("dense_2/kernel:0") < numbers("dense_10/kernel:0"));
        assert_eq!(numbers("net.10.weight")[..2], [0, 10]);
        assert_ne!(pattern("encoder.0.weight"), pattern("decoder.0.weight"));
        assert_eq!((half("Encoder.0.weight"), half("net.dec1"), half("w1")), (Some('e'), Some('d'), None));
    }
}
