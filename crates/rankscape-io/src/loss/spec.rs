//! Which loss: a name with its parameters, or a file with both.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::array::{Array, ElementType};
use crate::digest::{array_digest, combined_digest};
use crate::json::{array_of, members};
use rankscape::error::{ErrorKind, InputError, Result};
use rankscape::linalg::Matrix;
use rankscape::loss::LossKind;

/// The losses that have a name.
pub const LOSS_NAMES: [&str; 9] =
    ["square", "full_quadratic", "quadratic", "huber", "pseudo_huber", "logcosh", "pnorm", "logistic", "softmax"];

/// How a loss is written into a file.
const FORM: &str = "a loss is written as {\"kind\": \"huber\", \"delta\": 1}";

/// What stands on the command line.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LossOptions {
    /// A name of [`LOSS_NAMES`], or a file.
    pub loss: String,
    /// Of `huber` and `pseudo_huber`.
    pub delta: Option<f64>,
    /// Of `pnorm`.
    pub p: Option<f64>,
    /// Label smoothing of `softmax`.
    pub smoothing: Option<f64>,
    /// Class weights of `softmax`.
    pub class_weights: Option<Vec<f64>>,
}

/// A loss with its parameters, before it has seen data.
#[derive(Debug, Clone, PartialEq)]
pub struct LossSpec {
    name: &'static str,
    file: Option<PathBuf>,
    parameters: Vec<Array>,
}

/// Parameters of a loss: name, and whether it must be there.
fn parameters_of(name: &str) -> &'static [(&'static str, bool)] {
    match name {
        "full_quadratic" => &[("metric_rowmajor_vec", true)],
        "quadratic" => &[("weights", true)],
        "huber" | "pseudo_huber" => &[("delta", true)],
        "pnorm" => &[("p", true)],
        "softmax" => &[("labels", false), ("smoothing", false), ("class_weights", false)],
        _ => &[],
    }
}

impl LossSpec {
    /// The loss of this name, or in this file.
    ///
    /// # Errors
    /// If there is none, the file cannot be read, or a parameter is missing, is given twice or does not belong to the loss.
    pub fn read(options: &LossOptions) -> Result<Self> {
        let mut spec = match LOSS_NAMES.iter().find(|name| **name == options.loss) {
            Some(name) => Self { name, file: None, parameters: Vec::new() },
            None => Self::from_file(&options.loss)?,
        };
        let number = |name: &str, value: f64| vector(name, &[], vec![value]);
        let list = |name: &str, values: &Vec<f64>| vector(name, &[values.len()], values.clone());
        let given = [
            options.delta.map(|value| number("delta", value)),
            options.p.map(|value| number("p", value)),
            options.smoothing.map(|value| number("smoothing", value)),
            options.class_weights.as_ref().map(|values| list("class_weights", values)),
        ];
        given.into_iter().flatten().try_for_each(|array| spec.add_option(array))?;
        let missing = parameters_of(spec.name).iter().find(|(name, needed)| *needed && spec.find(name).is_none());
        match missing {
            Some((name, _)) => Err(spec.missing(name)),
            None => Ok(spec),
        }
    }

    fn from_file(text: &str) -> Result<Self> {
        let path = Path::new(text);
        if !path.exists() && path.extension().is_none_or(|ending| ending != "json") {
            return Err(InputError::new("there is no loss of this name")
                .array("--loss")
                .value(text)
                .hint(format!("the losses are {}; or name a file.json", LOSS_NAMES.join(", "))));
        }
        Self::from_members(path).map_err(|error| error.file(path.display()))
    }

    fn from_members(path: &Path) -> Result<Self> {
        let members = members(path).map_err(|error| match error.kind {
            ErrorKind::Invalid if error.problem.starts_with("this is not") => {
                InputError { problem: "this is not a loss in JSON".into(), hint: Some(FORM.into()), ..error }
            }
            _ => error,
        })?;
        let kind = members.iter().find(|(name, _)| name == "kind").map(|(_, value)| value);
        let Some(Value::String(kind)) = kind else {
            return Err(InputError::new("the file does not say which loss it is").array("kind").hint(FORM));
        };
        let Some(name) = LOSS_NAMES.iter().find(|name| *name == kind) else {
            return Err(InputError::new("there is no loss of this kind")
                .array("kind")
                .value(kind)
                .hint(format!("the kinds are {}", LOSS_NAMES.join(", "))));
        };
        let mut spec = Self { name, file: Some(path.to_owned()), parameters: Vec::new() };
        for (name, value) in members.iter().filter(|(name, _)| name != "kind" && !name.starts_with('_')) {
            spec.check_name(name, "there is no such field in this loss")?;
            let array = array_of(name, value).map_err(|error| error.array(name))?;
            array.check_integers()?;
            spec.parameters.push(Array { exact: None, ..array });
        }
        Ok(spec)
    }

    fn check_name(&self, name: &str, problem: &str) -> Result<()> {
        let known = parameters_of(self.name);
        if known.iter().any(|(other, _)| *other == name) {
            return Ok(());
        }
        let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        let has = if names.is_empty() { "no parameters".to_owned() } else { names.join(", ") };
        Err(InputError::new(problem).array(name).value(format!("kind {}", self.name)).hint(format!("it has {has}")))
    }

    fn add_option(&mut self, array: Array) -> Result<()> {
        let option = format!("--{}", array.name.replace('_', "-"));
        self.check_name(&array.name, &format!("{option} does nothing here: the loss has no such parameter"))?;
        if self.find(&array.name).is_some() {
            return Err(InputError::new(format!("{option} and the file of the loss both say it"))
                .array(&array.name)
                .hint("leave one of them out"));
        }
        self.parameters.push(array);
        Ok(())
    }

    fn missing(&self, name: &str) -> InputError {
        let error =
            InputError::new(format!("the loss {} needs {name}", self.name)).kind(ErrorKind::Missing).array(name);
        let error = match (&self.file, name) {
            (Some(path), _) => error.file(path.display()),
            (None, _) => error,
        };
        match name {
            "delta" => error.hint("say --delta D: the loss is quadratic up to D (torch.nn.HuberLoss has D = 1)"),
            "p" => error.hint("say --p P with P at least 2: the loss is the sum of |W X - Y|^P / P"),
            "weights" => error.hint(
                "write them into a file: --loss loss.json with {\"kind\": \"quadratic\", \"weights\": [[1, 0], ...]}; entries \
                 of Y that are missing have weight 0 in --loss square",
            ),
            _ => error.hint(
                "write it into a file: --loss loss.json with {\"kind\": \"full_quadratic\", \"metric_rowmajor_vec\": [[2, 1], ...]}",
            ),
        }
    }

    pub(super) fn find(&self, name: &str) -> Option<&Array> {
        self.parameters.iter().find(|array| array.name == name)
    }

    fn number(&self, name: &str) -> Result<Option<f64>> {
        let Some(array) = self.find(name) else { return Ok(None) };
        match array.values.as_slice() {
            [value] => Ok(Some(*value)),
            _ => Err(InputError::new("this parameter of the loss is one number").array(name)),
        }
    }

    fn needed(&self, name: &str) -> Result<f64> {
        self.number(name)?.ok_or_else(|| self.missing(name))
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// It is the square loss.
    pub fn is_square(&self) -> bool {
        self.name == "square"
    }

    /// It is the cross-entropy of the softmax.
    pub(super) fn is_softmax(&self) -> bool {
        self.name == "softmax"
    }

    /// It is a sum over entries: one that was not observed is left out.
    pub(super) fn is_entrywise(&self) -> bool {
        !["softmax", "full_quadratic"].contains(&self.name)
    }

    /// Names the file in which this parameter stands.
    pub(super) fn name_file(&self, error: InputError) -> InputError {
        match &self.file {
            Some(path) => error.file(path.display()),
            None => error,
        }
    }

    /// The loss for outputs of this shape (`d_h x n`), where the weights of a file lie as Y does: `n x d_h` beside samples,
    /// `d_h x d_0` beside a target.
    pub(super) fn kind(&self, (outputs, columns): (usize, usize), of_target: bool) -> Result<LossKind> {
        Ok(match self.name {
            "full_quadratic" => LossKind::FullQuadratic { metric: self.matrix("metric_rowmajor_vec")? },
            "quadratic" => LossKind::Quadratic { weights: self.weights((outputs, columns), of_target)? },
            "huber" => LossKind::Huber { delta: self.needed("delta")? },
            "pseudo_huber" => LossKind::PseudoHuber { delta: self.needed("delta")? },
            "logcosh" => LossKind::LogCosh,
            "pnorm" => LossKind::Power { p: self.needed("p")? },
            "logistic" => LossKind::Logistic,
            "softmax" => LossKind::Softmax {
                smoothing: self.number("smoothing")?.unwrap_or(0.0),
                class_weights: self.find("class_weights").map(|array| array.values.clone()),
            },
            _ => LossKind::Square,
        })
    }

    fn matrix(&self, name: &str) -> Result<Matrix> {
        self.find(name).ok_or_else(|| self.missing(name))?.to_matrix()
    }

    fn weights(&self, (outputs, columns): (usize, usize), of_target: bool) -> Result<Matrix> {
        let weights = self.matrix("weights")?;
        let (wanted, what) =
            if of_target { ((outputs, columns), "the target") } else { ((columns, outputs), "Y, a sample a row") };
        if weights.shape() != wanted {
            return Err(InputError::new(format!("the weights do not have the shape of {what}"))
                .array("weights")
                .value(format!("{} x {}, not {} x {}", weights.nrows(), weights.ncols(), wanted.0, wanted.1)));
        }
        Ok(if of_target { weights } else { weights.transpose() })
    }

    /// The digest of data together with the loss; labels are data.
    pub(super) fn digest(&self, data: &str) -> String {
        let unsmoothed = vector("smoothing", &[], vec![0.0]);
        let default = (self.is_softmax() && self.find("smoothing").is_none()).then_some(&unsmoothed);
        let mut arrays: Vec<&Array> = self.parameters.iter().chain(default).filter(|a| a.name != "labels").collect();
        arrays.sort_by(|a, b| a.name.cmp(&b.name));
        let names: Vec<&str> = arrays.iter().map(|array| array.name.as_str()).collect();
        let parts: Vec<[u8; 32]> = arrays.iter().map(|array| array_digest(array, false)).collect();
        combined_digest(&format!("loss {} {} {data}", self.name, names.join(" ")), &parts)
    }
}

fn vector(name: &str, shape: &[usize], values: Vec<f64>) -> Array {
    Array { name: name.to_owned(), shape: shape.to_vec(), values, element: ElementType::Text, exact: None }
}
