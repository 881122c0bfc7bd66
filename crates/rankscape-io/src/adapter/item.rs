//! One update of a checkpoint, as read.

use super::super::array::ElementType;
use super::methods::{Method, ModuleKind};
use super::names::{Layout, without_part};
use super::settings::Scaling;
use rankscape::error::Result;
use rankscape::linalg::Matrix;
use rankscape::multiplication::{Factors, Lengths, Removed, Update};

/// What the tensors of a module give, before the scaling.
#[derive(Debug, Clone, PartialEq)]
pub enum Form {
    /// `B A` with both factors free: `W_1 = A`, `W_2 = B`.
    Pair(Factors),
    /// Anything else: no claims about its factors.
    Other(Update),
}

/// One update.
#[derive(Debug, Clone, PartialEq)]
pub struct AdapterItem {
    /// Name of the module, as in the file.
    pub module: String,
    /// Name of the adapter, where the file or a folder keeps it.
    pub adapter: Option<String>,
    /// Parameter of the module, where it is not its weight.
    pub parameter: Option<String>,
    /// Number of the expert and how many share the tensors.
    pub expert: Option<(usize, usize)>,
    /// What the module is, as far as the shapes tell.
    pub kind: ModuleKind,
    /// The method.
    pub method: Method,
    /// Who writes tensors under these names.
    pub layout: Layout,
    /// The update in words of the tensors, without the scaling.
    pub formula: &'static str,
    /// The update without the scaling.
    pub form: Form,
    /// Names and shapes of the tensors.
    pub tensors: Vec<(String, Vec<usize>)>,
    /// Unit roundoff of the shortest type.
    pub unit_roundoff: f64,
    /// Factor of the update.
    pub scaling: Scaling,
    /// What loading takes off the base.
    pub removed: Option<Removed>,
    /// Lengths that the updated weight is brought to.
    pub lengths: Option<Lengths>,
    /// Why the files do not determine the change of the original weight.
    pub undetermined: Option<String>,
    /// How often the library that loads the file adds the update.
    pub times: usize,
    /// A bias beside the update.
    pub bias: Option<String>,
    /// Why the pair is not to be balanced.
    pub fixed: Option<&'static str>,
    /// What a reader should know.
    pub notes: Vec<String>,
    /// Parameters of which it is one, where the files do not tell which.
    pub(super) possible: Vec<String>,
    /// Name of the module in the base model.
    pub(super) base_module: String,
    /// The configuration says that weights are stored (in, out).
    pub(super) transposed_base: bool,
    /// SHA-256 over shape and values of each tensor.
    pub(in super::super) digests: Vec<[u8; 32]>,
    /// Where a balanced pair is written.
    pub(super) stored: Option<StoredPair>,
}

/// The tensors of a pair in the file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct StoredPair {
    /// Names, shapes, types and transposition of `A` and `B`.
    pub(super) sides: [StoredSide; 2],
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct StoredSide {
    pub(super) name: String,
    pub(super) shape: Vec<usize>,
    pub(super) element: ElementType,
    pub(super) transposed: bool,
}

impl AdapterItem {
    /// Name of what is updated: the module, and its parameter where it is not the weight.
    pub fn name(&self) -> String {
        match &self.parameter {
            Some(parameter) => format!("{}.{parameter}", self.module),
            None => self.module.clone(),
        }
    }

    /// The name of the module in the model, where the layout writes another.
    pub fn plain_name(&self) -> Option<&str> {
        let plain = without_part(&self.module);
        (self.layout == Layout::Kohya && plain != self.module).then_some(plain)
    }

    /// The update without the scaling.
    pub fn update(&self) -> Update {
        match &self.form {
            Form::Pair(factors) => Update::LowRank(factors.clone()),
            Form::Other(update) => update.clone(),
        }
    }

    /// The factors of a pair.
    pub fn pair(&self) -> Option<&Factors> {
        match &self.form {
            Form::Pair(factors) => Some(factors),
            Form::Other(_) => None,
        }
    }

    /// Rows and columns of the update.
    pub fn shape(&self) -> (usize, usize) {
        match &self.form {
            Form::Pair(factors) => (factors.architecture().outputs(), factors.architecture().inputs()),
            Form::Other(update) => update.shape(),
        }
    }

    /// What loading does beside adding the update, in words.
    pub fn loading(&self) -> String {
        let removed = match self.removed {
            Some(Removed::Principal(rank)) => {
                Some(format!("PiSSA took the {rank} largest singular parts off the base (init_lora_weights)"))
            }
            Some(Removed::LeadingColumns(rank) | Removed::LeadingRows(rank)) => Some(format!(
                "OLoRA took the part in the space of the first {rank} columns of the stored weight off the base (init_lora_weights)"
            )),
            Some(Removed::Smallest(rank)) => {
                Some(format!("KaSA (lora_diag) drops the {rank} smallest singular parts of the base on loading"))
            }
            None => None,
        };
        let lengths = self.lengths.as_ref().map(|lengths| {
            let of = match lengths.of_columns {
                true if lengths.values.len() < self.shape().1 => "input channels",
                true => "columns",
                false => "rows",
            };
            format!("DoRA brings the {of} of the updated weight to given lengths (magnitude)")
        });
        removed.into_iter().chain(lengths).collect::<Vec<_>>().join(", and ")
    }

    /// The configuration says that the base stores weights as (in, out).
    pub fn is_turned(&self) -> bool {
        self.transposed_base
    }

    /// Loading does more than add the update, so that the change of the original weight needs that weight.
    pub fn needs_original(&self) -> bool {
        self.removed.is_some() || self.lengths.is_some()
    }

    /// The file has a pair of tensors for this update alone: other factors can take their place.
    pub fn can_be_written(&self) -> bool {
        self.stored.is_some()
    }

    /// Other factors as the file can hold them: rounded to the types of these.
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn rounded(&self, factors: &Factors) -> Result<Factors> {
        let Some(stored) = &self.stored else { return Ok(factors.clone()) };
        let round = |(matrix, side): (&Matrix, &StoredSide)| matrix.map(|x| side.element.rounded(x));
        Factors::new(factors.matrices().iter().zip(&stored.sides).map(round).collect())
    }

    /// The update with another pair.
    #[must_use]
    pub fn with_pair(&self, factors: Factors) -> Self {
        Self { form: Form::Pair(factors), ..self.clone() }
    }
}
