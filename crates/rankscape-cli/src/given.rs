//! The arguments as they were given, by name: for rules that hold for every verb.

use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command};
use rankscape::InputError;

/// What stands on the command line of one verb.
pub(crate) struct Given<'a> {
    path: Vec<&'a str>,
    command: &'a Command,
    matches: &'a ArgMatches,
}

impl<'a> Given<'a> {
    /// Of the innermost verb.
    pub(crate) fn new(command: &'a Command, matches: &'a ArgMatches) -> Self {
        let mut given = Self { path: Vec::new(), command, matches };
        while let Some((name, inner)) = given.matches.subcommand() {
            let Some(command) = given.command.find_subcommand(name) else { break };
            given.path.push(name);
            (given.command, given.matches) = (command, inner);
        }
        given
    }

    /// The outermost verb.
    pub(crate) fn verb(&self) -> &'a str {
        self.path.first().copied().unwrap_or_default()
    }

    /// The verbs, outermost first, with blanks between.
    pub(crate) fn verbs(&self) -> String {
        self.path.join(" ")
    }

    /// The option stands on the command line.
    pub(crate) fn has(&self, id: &str) -> bool {
        let known = self.command.get_arguments().any(|argument| argument.get_id() == id);
        known && self.matches.value_source(id) == Some(ValueSource::CommandLine)
    }

    /// Arguments on the command line with their values.
    pub(crate) fn arguments(&self) -> Vec<(&'a Arg, Vec<String>)> {
        let given = self.command.get_arguments().filter(|argument| self.has(argument.get_id().as_str()));
        given.map(|argument| (argument, self.values(argument.get_id().as_str()))).collect()
    }

    /// The values of an option.
    pub(crate) fn values(&self, id: &str) -> Vec<String> {
        let raw = self.matches.get_raw(id).into_iter().flatten();
        raw.map(|value| value.to_string_lossy().into_owned()).collect()
    }

    /// The first value of an option, as a path.
    pub(crate) fn path(&self, id: &str) -> Option<PathBuf> {
        if self.has(id) { self.matches.get_raw(id)?.next().map(PathBuf::from) } else { None }
    }
}

/// Options that would do nothing where they stand.
struct Idle {
    option: &'static str,
    when: fn(&Given<'_>) -> bool,
    why: &'static str,
}

fn no_weights(given: &Given<'_>) -> bool {
    ["critical", "verify"].contains(&given.verb())
        && !given.has("weights")
        && (given.has("widths") || !given.has("example"))
}

fn no_samples(given: &Given<'_>) -> bool {
    given.has("target") || (["verify", "predictor"].contains(&given.verb()) && !given.has("data"))
}

fn of_plan(given: &Given<'_>) -> bool {
    given.verb() == "sweep" && given.verbs() != "sweep plan"
}

fn no_point(given: &Given<'_>) -> bool {
    given.verb() == "critical" && !given.has("construct")
}

fn normal_entries(given: &Given<'_>) -> bool {
    given.values("entries").iter().any(|value| value == "normal")
}

fn no_document(given: &Given<'_>) -> bool {
    ["man", "completions"].contains(&given.verb())
}

const NO_DOCUMENT: &str = "this verb only prints a text";

const RULES: &[Idle] = &[
    Idle { option: "layers", when: no_weights, why: "no weights are read" },
    Idle { option: "biases", when: no_weights, why: "no weights are read" },
    Idle { option: "convention", when: no_weights, why: "no weights are read" },
    Idle { option: "task", when: no_samples, why: "no samples are read" },
    Idle { option: "inputs", when: no_samples, why: "no samples are read" },
    Idle { option: "sample_weights", when: no_samples, why: "no samples are read" },
    Idle { option: "x", when: no_samples, why: "no samples are read" },
    Idle { option: "y", when: no_samples, why: "no samples are read" },
    Idle { option: "one_hot", when: no_samples, why: "no samples are read" },
    Idle { option: "task", when: |given| given.has("example"), why: "the example has its own task" },
    Idle { option: "gauge", when: no_point, why: "it says which point --construct makes" },
    Idle { option: "unseen", when: no_point, why: "it says which point --construct makes" },
    Idle { option: "stratum", when: no_point, why: "it says which point --construct makes" },
    Idle {
        option: "normalization",
        when: |given| given.has("strata") || given.has("construct"),
        why: "strata and points are those of the sum",
    },
    Idle { option: "low", when: normal_entries, why: "--entries normal has no bounds" },
    Idle { option: "high", when: normal_entries, why: "--entries normal has no bounds" },
    Idle { option: "seed", when: of_plan, why: "the plan has the seed" },
    Idle { option: "json", when: no_document, why: NO_DOCUMENT },
    Idle { option: "out", when: no_document, why: NO_DOCUMENT },
    Idle { option: "quiet", when: no_document, why: NO_DOCUMENT },
    Idle { option: "seed", when: no_document, why: "nothing is random" },
    Idle { option: "threads", when: no_document, why: "nothing is computed" },
    Idle { option: "start", when: |given| given.has("dry_run"), why: "--dry-run solves nothing" },
    Idle { option: "segment", when: |given| given.has("dry_run"), why: "--dry-run solves nothing" },
    Idle { option: "shards", when: |given| given.has("dry_run"), why: "--dry-run writes no plan" },
    Idle {
        option: "tolerances",
        when: |given| given.verb() == "ed" && !given.has("weights"),
        why: "degrees without weights need none",
    },
];

/// Refuses options that would do nothing.
pub(crate) fn check_idle(command: &Command, matches: &ArgMatches) -> Result<(), InputError> {
    let given = Given::new(command, matches);
    let long = |id: &str| {
        let argument = given.command.get_arguments().find(|argument| argument.get_id() == id);
        argument.and_then(Arg::get_long).unwrap_or_default().to_owned()
    };
    match RULES.iter().find(|rule| given.has(rule.option) && (rule.when)(&given)) {
        Some(rule) => {
            Err(InputError::new(format!("--{} does nothing here: {}", long(rule.option), rule.why))
                .hint("leave it out"))
        }
        None => Ok(()),
    }
}
