//! Fixed words of documents: types whose members are written as one word each.
//!
//! A field of such a type is a [`Word`]; what it can say is what its type has members, for the writer, the reports and the
//! schema alike.

use std::fmt;

use serde::{Serialize, Serializer};

use rankscape::answers::Regime;
use rankscape::certificate::Sense;
use rankscape::critical::{BadLocalMinima, CriticalClass, DescentKind, Gauge, Order, Origin, RootKind, RungClasses};
use rankscape::escape::{Construction, Destination, EscapeKind};
use rankscape::evidence::Grade;
use rankscape::hessian::{InertiaMethod, Part, SpectrumMethod};
use rankscape::problem::BiasKind;
use rankscape::riemannian::{BadMinima, SeparabilityKind};

/// A type whose members are written as one word each.
pub trait Words: Copy + 'static {
    /// A member for every word.
    const ALL: &'static [Self];

    /// The word of a member.
    fn word(self) -> &'static str;
}

/// A member of `T`, written as its word.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Word<T>(pub T);

impl<T: Words> fmt::Display for Word<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0.word())
    }
}

impl<T: Words> fmt::Debug for Word<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.word().fmt(f)
    }
}

impl<T: Words> Serialize for Word<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.word())
    }
}

#[cfg(feature = "schema")]
impl<T: Words> schemars::JsonSchema for Word<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        std::any::type_name::<T>().into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let words: Vec<&str> = T::ALL.iter().map(|member| member.word()).collect();
        schemars::json_schema!({ "type": "string", "enum": words })
    }
}

/// An enumeration and its words.
macro_rules! words {
    ($(#[$about:meta])* $visibility:vis enum $name:ident { $($(#[$meaning:meta])* $member:ident = $word:literal,)+ }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        $visibility enum $name {
            $($(#[$meaning])* $member,)+
        }

        impl $crate::words::Words for $name {
            const ALL: &'static [Self] = &[$(Self::$member),+];

            fn word(self) -> &'static str {
                match self {
                    $(Self::$member => $word,)+
                }
            }
        }
    };
}
pub(crate) use words;

/// The words of an enumeration of the library: those that it gives its members. One that is not listed does not compile.
macro_rules! words_of {
    ($name:ident { $($member:ident),+ $(,)? }) => {
        impl Words for $name {
            const ALL: &'static [Self] = &[$(Self::$member),+];

            fn word(self) -> &'static str {
                match self {
                    $(Self::$member)|+ => self.name(),
                }
            }
        }
    };
}

words_of!(BadMinima { Impossible, Possible, Exists });
words_of!(BiasKind { None, First, Output });
words_of!(Construction { Rotation, RankOne, DeepRotation, DeepRankOne, SecondOrder, Chain, Kernels, Ascent });
words_of!(CriticalClass {
    GlobalMinimum,
    LocalMinimum,
    LocalMaximum,
    StrictSaddle,
    NonStrictSaddle,
    NotCritical,
    Undecided,
});
words_of!(DescentKind { Rotation, RankRaising });
words_of!(Destination { Next, Minimum });
words_of!(Grade { Exact, Certified, Numerical, Sampled });
words_of!(InertiaMethod { ClosedForm, Elimination, Numerical });
words_of!(Origin { Pure, Spurious });
words_of!(Part { Full, GaussNewton, Residual });
words_of!(Regime { Overparametrised, Underparametrised });
words_of!(RootKind { Large, Small, Fold });
words_of!(RungClasses { GlobalMinimum, Strict, Both });
words_of!(Sense { Descent, Ascent });
words_of!(SeparabilityKind { Strict, Partial, None });
words_of!(SpectrumMethod { ClosedForm, Blocks, Dense, Krylov });

impl Words for Gauge {
    const ALL: &'static [Self] = &[Self::Canonical, Self::Balanced, Self::Random];

    fn word(self) -> &'static str {
        match self {
            Self::Canonical => "canonical",
            Self::Balanced => "balanced",
            Self::Random => "random",
        }
    }
}

/// The word says nothing of the reason.
impl Words for BadLocalMinima {
    const ALL: &'static [Self] = &[Self::Impossible(""), Self::Possible(""), Self::Exists("")];

    fn word(self) -> &'static str {
        self.name()
    }
}

/// The word says nothing of the level or the factor.
impl Words for Order {
    const ALL: &'static [Self] = &[
        Self::Optimal,
        Self::NonOptimal,
        Self::DeepOptimal,
        Self::DeepNonOptimal { k: 0 },
        Self::Other { open: None },
    ];

    fn word(self) -> &'static str {
        self.name()
    }
}

impl Words for EscapeKind {
    const ALL: &'static [Self] = &[
        Self::Gradient,
        Self::NegativeCurvature,
        Self::OmittedDirection,
        Self::OutputBias,
        Self::Kernels,
        Self::LeastOrder,
        Self::Construction(Construction::Rotation),
        Self::Construction(Construction::RankOne),
        Self::Construction(Construction::DeepRotation),
        Self::Construction(Construction::DeepRankOne),
        Self::Construction(Construction::SecondOrder),
        Self::Construction(Construction::Chain),
        Self::Construction(Construction::Kernels),
        Self::Construction(Construction::Ascent),
    ];

    fn word(self) -> &'static str {
        self.name()
    }
}
