//! How weights are to be read.

/// How the matrix of a layer is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Convention {
    /// (out, in), as PyTorch has it.
    Torch,
    /// (in, out), as Flax and Keras have their kernels.
    Flax,
}

/// How weights are read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WeightOptions {
    /// Names of the layers from input to output; by default all matrices in the order of the numbers in their names.
    pub layers: Option<Vec<String>>,
    /// Names of the biases, one for each layer, `none` for a layer without; by default by the names of the layers.
    pub biases: Option<Vec<String>>,
    /// How the matrices are stored; by default (out, in), and (in, out) where the name is that of a kernel.
    pub convention: Option<Convention>,
}
