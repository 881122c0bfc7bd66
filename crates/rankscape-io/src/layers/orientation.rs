//! Which dimension of a stored matrix is that of the outputs, and whether the layers then fit together.

use super::super::array::shape_text;
use super::super::weight_options::Convention;
use super::modules::Layer;
use rankscape::error::{InputError, Result};

/// Decides how the matrices are stored and checks that each layer takes what the one before gives and that biases fit.
///
/// What the caller says comes first, then the names. Arrays without names are read in the one way in which they fit.
pub(super) fn orient(layers: &mut [Layer], said: Option<Convention>, listed: bool) -> Result<Vec<String>> {
    orient_blocks(layers, said);
    let other: Vec<Layer> = layers.iter().map(Layer::transposed).collect();
    let (problem, fits_also) = (misfit(layers), misfit(&other).is_none());
    if said.is_some() {
        return problem.map_or(Ok(Vec::new()), |misfit| Err(misfit.error(fits_also.then_some(&other[0]))));
    }
    match (problem, fits_also) {
        (None, false) => Ok(Vec::new()),
        (None, true) if listed && layers.iter().any(|layer| layer.bias.is_some()) => Err(unclear(layers)),
        (None, true) => Ok(left_open(layers, listed).into_iter().collect()),
        (Some(_), true) if listed => {
            layers.clone_from_slice(&other);
            Ok(vec![format!(
                "{} and the arrays after it are read as (in, out), as Keras and JAX store them: as (out, in) they do not fit",
                layers[0].name
            )])
        }
        (Some(misfit), fits_also) => Err(misfit.error(fits_also.then_some(&other[0]))),
    }
}

/// The same for matrices that need not fit together.
pub(super) fn orient_blocks(layers: &mut [Layer], said: Option<Convention>) {
    if let Some(convention) = said {
        layers.iter_mut().for_each(|layer| layer.in_first = convention == Convention::Flax);
    }
}

/// Says that shapes alone would not tell.
fn left_open(layers: &[Layer], listed: bool) -> Option<String> {
    let name = &layers.iter().find(|layer| layer.in_first || listed)?.name;
    Some(if listed {
        format!("{name} and the others are read as (out, in); their shapes would also fit (in, out): --convention flax")
    } else {
        format!("{name} is read as (in, out), as its name says; its shape would also fit (out, in): --convention torch")
    })
}

fn unclear(layers: &[Layer]) -> InputError {
    InputError::new("whether the matrices are stored as (in, out) or as (out, in) is not clear: both fit")
        .array(&layers[0].name)
        .value(format!("shape {}", shape_text(&layers[0].shape)))
        .hint(
            "say it: --convention flax for (in, out), as Keras get_weights and JAX give them, --convention torch for (out, in)",
        )
}

impl Layer {
    /// Numbers that go in and come out.
    pub(super) fn ends(&self) -> (usize, usize) {
        let (rows, cols) = (self.shape[0], self.shape[1]);
        if self.in_first { (rows, cols) } else { (cols, rows) }
    }

    fn transposed(&self) -> Self {
        Self { in_first: !self.in_first, ..self.clone() }
    }
}

/// Each layer takes what the one before gives.
pub(super) fn chains(layers: &[Layer]) -> bool {
    layers.windows(2).all(|pair| pair[0].ends().1 == pair[1].ends().0)
}

/// The first thing that does not fit.
enum Misfit<'a> {
    Empty(&'a Layer),
    Chain(&'a Layer, &'a Layer),
    Bias(&'a Layer),
}

fn misfit(layers: &[Layer]) -> Option<Misfit<'_>> {
    let has_bias_of_other_length =
        |layer: &&Layer| layer.bias.as_ref().is_some_and(|bias| bias.shape.iter().product::<usize>() != layer.ends().1);
    let broken = layers.windows(2).find(|pair| pair[0].ends().1 != pair[1].ends().0);
    let empty = layers.iter().find(|layer| layer.shape.contains(&0)).map(Misfit::Empty);
    let chain = || broken.map(|pair| Misfit::Chain(&pair[0], &pair[1]));
    empty.or_else(chain).or_else(|| layers.iter().find(has_bias_of_other_length).map(Misfit::Bias))
}

impl Misfit<'_> {
    /// The error; `other` is there if all layers fit when they are read the other way.
    fn error(&self, other: Option<&Layer>) -> InputError {
        let error = self.problem();
        match other {
            Some(layer) if layer.in_first => error
                .hint("the transposed layers do chain and fit: use --convention flax if they are stored as (in, out)"),
            Some(_) => error
                .hint("the transposed layers do chain and fit: use --convention torch if they are stored as (out, in)"),
            None => {
                error.hint("layers go from input to output, and each is stored as (out, in), a kernel as (in, out)")
            }
        }
    }

    fn problem(&self) -> InputError {
        match self {
            Self::Empty(layer) => InputError::new("the layer is empty")
                .array(&layer.name)
                .value(format!("shape {}", shape_text(&layer.shape))),
            Self::Chain(above, below) => {
                let (first, second) = (&above.name, &below.name);
                let (gives, takes) = (above.ends().1, below.ends().0);
                InputError::new(format!(
                    "the layers do not chain: {first} gives {gives} numbers, {second} takes {takes}"
                ))
                .array(second)
                .value(format!(
                    "{first} is {}, {second} is {}",
                    shape_text(&above.shape),
                    shape_text(&below.shape)
                ))
            }
            Self::Bias(layer) => {
                let (name, entries) =
                    layer.bias.as_ref().map_or(("", 0), |bias| (bias.name.as_str(), bias.shape.iter().product()));
                InputError::new(format!("the bias does not fit the layer {}", layer.name))
                    .array(name)
                    .value(format!("{entries} entries, the layer has {} outputs", layer.ends().1))
            }
        }
    }
}
