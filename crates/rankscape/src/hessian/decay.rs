//! The spectrum with weight decay: that of the Hessian without, moved by the decay.

use super::findings::{HessianFindings, InertiaMethod};
use super::spectrum::count_signs;
use crate::evidence::{Evidence, Grade};
use crate::linalg::Inertia;
use crate::tolerance::Tolerances;

impl HessianFindings {
    /// The findings for `L + (decay/2) sum ||W_k||^2` from those for `L`. Index and nullity are those of a theorem, where one knows
    /// them, and counted otherwise.
    #[must_use]
    pub fn with_decay(mut self, decay: f64, known: Option<(Inertia, Evidence)>, tolerances: &Tolerances) -> Self {
        let ends = |end: Option<f64>| end.map(|value| value + decay);
        self.ends = (ends(self.ends.0), ends(self.ends.1));
        // The families of an aligned point are those of the loss without decay.
        let values = self.spectrum.take().map(|spectrum| spectrum.values());
        self.eigenvalues.iter_mut().flatten().for_each(|value| *value += decay);
        self.diagonal.iter_mut().for_each(|value| *value += decay);
        self.vectors.iter_mut().for_each(|vector| vector.value += decay);
        self.trace += decay * self.size as f64;
        self.orbit = None;
        self.inertia = None;
        self.evidence = Evidence::new(Grade::Numerical);
        match known {
            Some((inertia, evidence)) => {
                (self.inertia, self.evidence, self.inertia_method) =
                    (Some(inertia), evidence, InertiaMethod::ClosedForm);
            }
            None => {
                let listed = self.eigenvalues.clone();
                let moved = || values.map(|values| values.iter().map(|value| value + decay).collect());
                self.eigenvalues = listed.clone().or_else(moved);
                count_signs(&mut self, tolerances);
                self.eigenvalues = listed;
            }
        }
        self
    }
}
