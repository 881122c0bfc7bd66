//! Weight files: the matrices of a network with their biases.

use super::weight_options::WeightOptions;
use std::collections::BTreeSet;
use std::path::Path;

use super::array::{Array, ElementType, shape_text};
use super::container::{Container, Entry};
use super::digest::{array_digest, combined_digest};
use super::effective::effective;
use super::file::format_of;
use super::format::Format;
use super::layers::{Found, Layer, find, find_blocks};
use super::pipe::keep;
use rankscape::error::{InputError, Result};
use rankscape::linalg::Matrix;
use rankscape::linalg::exact::{Rational, RationalMatrix, rational_to_f64};
use rankscape::multiplication::Factors;
use rankscape::problem::{Layers, Parameters};

/// The layers of a network, each (out, in), from input to output.
#[derive(Debug, Clone, PartialEq)]
pub struct Weights {
    /// Name of each matrix in the file.
    pub names: Vec<String>,
    /// The matrices, each (out, in).
    pub matrices: Vec<Matrix>,
    /// The bias of each layer.
    pub biases: Vec<Option<Vec<f64>>>,
    /// Name of each bias in the file.
    pub bias_names: Vec<Option<String>>,
    /// The exact matrices, where every number of the file is an integer or a fraction in JSON.
    pub exact: Option<Vec<RationalMatrix>>,
    /// The exact biases, present together with the exact matrices.
    pub exact_biases: Option<Vec<Option<Vec<Rational>>>>,
    /// Unit roundoff of the shortest type among the arrays.
    pub unit_roundoff: f64,
    /// SHA-256 over shapes and values, the same whatever the format of the file.
    pub digest: String,
    /// Arrays of the file that are no part of the layers.
    pub others: Vec<String>,
    /// How each layer was stored, to write it back in the same way.
    pub(super) layouts: Vec<Layout>,
    /// What the reader decided and the user should know.
    pub notes: Vec<String>,
    /// Stored type of each matrix.
    pub types: Vec<ElementType>,
    /// Stored type of each bias.
    pub bias_types: Vec<Option<ElementType>>,
}

/// How the arrays of a layer were stored.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Layout {
    /// The matrix is (in, out).
    pub(super) in_first: bool,
    /// Shape of the bias, where it is a row or a column.
    pub(super) bias: Option<Vec<usize>>,
}

/// A layer as it was read: matrix (out, in), bias, and how they were stored.
struct Loaded {
    matrix: Array,
    bias: Option<Array>,
    layout: Layout,
}

impl Loaded {
    fn plain(matrix: Array) -> Self {
        Self { matrix, bias: None, layout: Layout::default() }
    }
}

impl Weights {
    /// The parameters, for a [`Problem`](rankscape::problem::Problem).
    pub fn parameters(&self) -> Parameters {
        let layers = match &self.exact {
            Some(exact) => Layers::Exact(exact.clone()),
            None => Layers::Stored { matrices: self.matrices.clone(), unit_roundoff: self.unit_roundoff },
        };
        Parameters::new(layers).with_biases(self.biases.clone())
    }

    /// Number of layers, `h`.
    pub fn depth(&self) -> usize {
        self.matrices.len()
    }

    /// `d_0, d_1, ..., d_h`.
    pub fn widths(&self) -> Vec<usize> {
        let first = self.matrices.first().map(Matrix::ncols);
        first.into_iter().chain(self.matrices.iter().map(Matrix::nrows)).collect()
    }

    /// Weights of the given matrices, named `W1`, ..., `Wh`, in double precision.
    ///
    /// # Errors
    /// If there are none, one is empty or not finite, or they do not chain.
    pub fn from_matrices(matrices: Vec<Matrix>) -> Result<Self> {
        let arrays = matrices.iter().enumerate().map(|(k, matrix)| named(k, matrix));
        assemble(arrays.map(Loaded::plain).collect(), Vec::new())
    }

    /// Matrices that are no layers of one network, named `W1`, `W2`, ..., with constant outputs `b1`, `b2`, ... where they have
    /// any: to be written, not to be chained.
    ///
    /// # Errors
    /// If there are none, or a number is not finite.
    pub fn from_list(list: &[(&Matrix, Option<&[f64]>)]) -> Result<Self> {
        let loaded = list.iter().enumerate().map(|(k, (matrix, offset))| {
            let bias = offset.map(|offset| Array {
                name: format!("b{}", k + 1),
                shape: vec![offset.len()],
                values: offset.to_vec(),
                element: ElementType::F64,
                exact: None,
            });
            Loaded { matrix: named(k, matrix), bias, layout: Layout::default() }
        });
        collected(loaded.collect(), Vec::new())
    }

    /// Exact weights, named `W1`, ..., `Wh`; `.json` files keep them exactly.
    ///
    /// # Errors
    /// As [`Self::from_matrices`].
    pub fn from_exact(matrices: &[RationalMatrix]) -> Result<Self> {
        let arrays = matrices.iter().enumerate().map(|(k, matrix)| {
            let integers = matrix.entries().iter().all(Rational::is_integer);
            Array {
                name: format!("W{}", k + 1),
                shape: vec![matrix.nrows(), matrix.ncols()],
                values: matrix.entries().iter().map(rational_to_f64).collect(),
                element: if integers { ElementType::Integer } else { ElementType::Text },
                exact: Some(matrix.entries().to_vec()),
            }
        });
        assemble(arrays.map(Loaded::plain).collect(), Vec::new())
    }

    /// The same names and types with other numbers, rounded to those types: what weights that have left a point, or balanced
    /// ones, are written as.
    ///
    /// # Errors
    /// If a shape differs, or a number is not finite or beyond the range of its type.
    pub fn with_parameters(&self, matrices: Vec<Matrix>, biases: Vec<Option<Vec<f64>>>) -> Result<Self> {
        let fits = matrices.len() == self.depth()
            && biases.len() == self.depth()
            && matrices.iter().zip(&self.matrices).all(|(new, old)| new.shape() == old.shape())
            && biases
                .iter()
                .zip(&self.biases)
                .all(|(new, old)| new.as_ref().map(Vec::len) == old.as_ref().map(Vec::len));
        if !fits {
            return Err(InputError::new("the new parameters have other shapes than the weights they replace"));
        }
        let rounded = |matrix: &Matrix, element: ElementType| matrix.map(|x| element.rounded(x));
        let matrices = matrices.iter().zip(&self.types).map(|(matrix, &element)| rounded(matrix, element)).collect();
        let biases = (0..self.depth())
            .map(|k| {
                let element = self.bias_types[k].unwrap_or(self.types[k]);
                biases[k].as_ref().map(|bias| bias.iter().map(|&x| element.rounded(x)).collect())
            })
            .collect();
        let mut weights = Self { matrices, biases, exact: None, exact_biases: None, ..self.clone() };
        let parts: Vec<(Array, Option<Array>)> = (0..weights.depth()).map(|k| weights.arrays(k)).collect();
        for (matrix, bias) in &parts {
            matrix.check_finite()?;
            bias.iter().try_for_each(Array::check_finite)?;
        }
        weights.digest = digest(&parts, false);
        Ok(weights)
    }

    /// Other factors as a file of these types holds them.
    ///
    /// # Errors
    /// If a number is beyond the range of its type.
    pub fn rounded(&self, factors: &Factors) -> Result<Factors> {
        let parts = factors.matrices().iter().zip(&self.types);
        Factors::new(parts.map(|(matrix, element)| matrix.map(|x| element.rounded(x))).collect())
    }

    /// Matrix (out, in) and bias of layer `k`, counted from 0, as arrays.
    pub(super) fn arrays(&self, k: usize) -> (Array, Option<Array>) {
        let matrix = &self.matrices[k];
        let matrix = Array {
            name: self.names[k].clone(),
            shape: vec![matrix.nrows(), matrix.ncols()],
            values: matrix.to_rows().concat(),
            element: self.types[k],
            exact: self.exact.as_ref().map(|exact| exact[k].entries().to_vec()),
        };
        let bias = self.biases[k].as_ref().map(|bias| Array {
            name: self.bias_names[k].clone().unwrap_or_else(|| format!("b{}", k + 1)),
            shape: vec![bias.len()],
            values: bias.clone(),
            element: self.bias_types[k].unwrap_or(self.types[k]),
            exact: self.exact_biases.as_ref().and_then(|exact| exact[k].clone()),
        });
        (matrix, bias)
    }
}

/// Reads the layers of a `.safetensors`, `.npz` or `.json` file.
///
/// Arrays `W1`, ..., `Wh`, or any matrices in the order of the number in their names, or those that the options list, with
/// their biases (`b3` of `W3`, `net.0.bias` of `net.0.weight`). Every other array is an error, or a note where the options
/// list the layers; `docs/files.md` has the layouts.
///
/// # Errors
/// With file, array, the number that is wrong and the remedy: unreadable or damaged files, pickles, unknown arrays,
/// entries that are not finite, empty layers, shapes that do not chain.
pub fn read_weights(path: impl AsRef<Path>, options: &WeightOptions) -> Result<Weights> {
    read_with(path.as_ref(), options, find, assemble)
}

/// Reads likewise matrices that are blocks of parameters and need not chain: filters, a matrix beside a product.
///
/// # Errors
/// As [`read_weights`], whatever the shapes.
pub fn read_blocks(path: impl AsRef<Path>, options: &WeightOptions) -> Result<Weights> {
    read_with(path.as_ref(), options, find_blocks, |loaded, notes| {
        check_not_empty(&loaded)?;
        collected(loaded, notes)
    })
}

fn read_with(
    path: &Path,
    options: &WeightOptions,
    find: impl FnOnce(&[Entry], &WeightOptions) -> Result<Found>,
    put_together: impl FnOnce(Vec<Loaded>, Vec<String>) -> Result<Weights>,
) -> Result<Weights> {
    let read = || {
        let _kept = keep(path)?;
        if !matches!(format_of(path)?, Format::Safetensors | Format::Npz | Format::Json) {
            return Err(InputError::new("weights are not read from this format")
                .hint("store them as .safetensors, .npz or .json"));
        }
        let mut container = Container::open(path, "W1")?;
        let found = find(&container.entries(), options)?;
        let load = |layer: &Layer| Loaded::read(&mut container, layer, path);
        let loaded = found.layers.iter().map(load).collect::<Result<Vec<_>>>()?;
        let used: BTreeSet<&str> = found.layers.iter().flat_map(Layer::arrays).collect();
        let names = container.entries().into_iter().map(|entry| entry.name);
        let others = names.filter(|name| !used.contains(name.as_str())).collect();
        Ok(Weights { others, ..put_together(loaded, found.notes)? })
    };
    read().map_err(|error: InputError| error.file(path.display()))
}

impl Loaded {
    fn read(container: &mut Container, layer: &Layer, path: &Path) -> Result<Self> {
        let mut load = |name: &str| container.load(name, path);
        let matrix = effective(layer, &mut load)?;
        let matrix = if layer.in_first { transposed(&matrix) } else { matrix };
        let bias = layer.bias.as_ref().map(|bias| load(&bias.name)).transpose()?;
        let shape = bias.as_ref().map(|bias| bias.shape.clone()).filter(|shape| shape.len() > 1);
        let bias = bias.map(|bias| Array { shape: vec![bias.values.len()], ..bias });
        Ok(Self { matrix, bias, layout: Layout { in_first: layer.in_first, bias: shape } })
    }
}

/// Matrix number `k`, counted from 0.
fn named(k: usize, matrix: &Matrix) -> Array {
    let values = matrix.to_rows().concat();
    let shape = vec![matrix.nrows(), matrix.ncols()];
    Array { name: format!("W{}", k + 1), shape, values, element: ElementType::F64, exact: None }
}

fn assemble(loaded: Vec<Loaded>, notes: Vec<String>) -> Result<Weights> {
    check_chain(&loaded)?;
    collected(loaded, notes)
}

fn collected(loaded: Vec<Loaded>, notes: Vec<String>) -> Result<Weights> {
    if loaded.is_empty() {
        return Err(InputError::new("there are no layers"));
    }
    let layouts = loaded.iter().map(|layer| layer.layout.clone()).collect();
    let layers: Vec<(Array, Option<Array>)> = loaded.into_iter().map(|layer| (layer.matrix, layer.bias)).collect();
    for (matrix, bias) in &layers {
        check_layer(matrix, bias.as_ref())?;
    }
    let all = || layers.iter().flat_map(|(matrix, bias)| std::iter::once(matrix).chain(bias));
    let exact = all().all(|array| array.exact.is_some());
    if !exact {
        all().try_for_each(Array::check_integers)?;
    }
    let exact_matrices: Option<Vec<RationalMatrix>> =
        layers.iter().map(|(matrix, _)| matrix.to_rational()).collect::<Result<Option<_>>>()?;
    let exact_biases = layers.iter().map(|(_, bias)| bias.as_ref().and_then(|bias| bias.exact.clone())).collect();
    Ok(Weights {
        names: layers.iter().map(|(matrix, _)| matrix.name.clone()).collect(),
        matrices: layers.iter().map(|(matrix, _)| matrix.to_matrix()).collect::<Result<_>>()?,
        biases: layers.iter().map(|(_, bias)| bias.as_ref().map(|bias| bias.values.clone())).collect(),
        bias_names: layers.iter().map(|(_, bias)| bias.as_ref().map(|bias| bias.name.clone())).collect(),
        exact: exact_matrices.filter(|_| exact),
        exact_biases: exact.then_some(exact_biases),
        unit_roundoff: all().map(|array| array.element.unit_roundoff()).fold(0.0, f64::max),
        digest: digest(&layers, exact),
        others: Vec::new(),
        layouts,
        notes,
        types: layers.iter().map(|(matrix, _)| matrix.element).collect(),
        bias_types: layers.iter().map(|(_, bias)| bias.as_ref().map(|bias| bias.element)).collect(),
    })
}

/// An error unless the layers are not empty and each takes what the one before gives.
fn check_chain(layers: &[Loaded]) -> Result<()> {
    check_not_empty(layers)?;
    let shape = |array: &Array| shape_text(&array.shape);
    let broken = layers.windows(2).find(|pair| pair[0].matrix.shape[0] != pair[1].matrix.shape[1]);
    broken.map_or(Ok(()), |pair| {
        let (above, below) = (&pair[0].matrix, &pair[1].matrix);
        Err(InputError::new(format!(
            "the layers do not chain: {} gives {} numbers, {} takes {}",
            above.name, above.shape[0], below.name, below.shape[1]
        ))
        .array(&below.name)
        .value(format!("{} is {}, {} is {}", above.name, shape(above), below.name, shape(below))))
    })
}

fn check_not_empty(layers: &[Loaded]) -> Result<()> {
    let empty = layers.iter().map(|layer| &layer.matrix).find(|array| array.shape.contains(&0));
    empty.map_or(Ok(()), |array| {
        let shape = shape_text(&array.shape);
        Err(InputError::new("the layer is empty").array(&array.name).value(format!("shape {shape}")))
    })
}

fn check_layer(matrix: &Array, bias: Option<&Array>) -> Result<()> {
    matrix.check_finite()?;
    let Some(bias) = bias else { return Ok(()) };
    bias.check_finite()?;
    if bias.values.len() != matrix.shape[0] {
        return Err(InputError::new(format!("the bias does not fit the layer {}", matrix.name))
            .array(&bias.name)
            .value(format!("{} entries, the layer has {} outputs", bias.values.len(), matrix.shape[0])));
    }
    Ok(())
}

pub(super) fn digest(layers: &[(Array, Option<Array>)], exactly: bool) -> String {
    let mut parts = Vec::new();
    for (matrix, bias) in layers {
        parts.push(array_digest(matrix, exactly));
        parts.push(bias.as_ref().map_or([0; 32], |bias| array_digest(bias, exactly)));
    }
    combined_digest("weights", &parts)
}

/// The transpose of a matrix.
pub(super) fn transposed(array: &Array) -> Array {
    let [rows, cols] = array.shape[..] else { return array.clone() };
    let place = |at: usize| at % rows * cols + at / rows;
    Array {
        name: array.name.clone(),
        shape: vec![cols, rows],
        values: (0..rows * cols).map(|at| array.values[place(at)]).collect(),
        element: array.element,
        exact: array.exact.as_ref().map(|exact| (0..rows * cols).map(|at| exact[place(at)].clone()).collect()),
    }
}
