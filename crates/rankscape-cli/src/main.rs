//! The command `rankscape`: arguments, files, progress, exit codes; no mathematics.
//!
//! Exit codes: 0 answered; 1 internal failure; 2 bad usage or bad input; 3 answered, but something asked for is
//! undecided; 4 a verification failed.

mod about;
mod adapter;
mod arguments;
mod critical;
mod data_arguments;
mod decay;
mod diagnose;
mod doctor;
mod escape;
mod examples;
mod family;
mod flow;
mod given;
mod hessian;
mod input;
mod itinerary;
mod loss;
mod loss_arguments;
mod map;
mod map_arguments;
mod minima;
mod normalized;
mod outputs;
mod predictor;
mod progress;
mod pyramid;
mod quadratic;
mod quadratic_arguments;
mod run;
mod sweep;
mod verify;

use std::process::ExitCode;
use std::time::Instant;

use clap::{CommandFactory, FromArgMatches};

use arguments::{Arguments, Command};
use run::{Outcome, Run};

fn main() -> ExitCode {
    let started = Instant::now();
    let mut command = Arguments::command();
    command.build();
    let parsed = command.clone().try_get_matches();
    let (Arguments { command: verb, common }, matches) =
        match parsed.and_then(|matches| Arguments::from_arg_matches(&matches).map(|arguments| (arguments, matches))) {
            Ok(parsed) => parsed,
            Err(error) => return run::usage(&error),
        };
    if let Err(error) = given::check_idle(&command, &matches).and_then(|()| outputs::check(&command, &matches)) {
        return run::bad_input(&error, common.json);
    }
    let this = Run::new(&common, started);
    let outcome = match &verb {
        Command::Diagnose(options) => diagnose::run(options, &this),
        Command::Critical(options) => critical::run(options, &this),
        Command::Hessian(options) => hessian::run(options, &this),
        Command::Map(options) => map::run_map(options, &this),
        Command::Connect(options) => map::run_connect(options, &this),
        Command::Balance(options) => map::run_balance(options, &this),
        Command::Reach(options) => map::run_reach(options, &this),
        Command::Parse(options) => critical::run_parse(options, &this),
        Command::Escape(options) => escape::run(options, &this),
        Command::Verify(options) => verify::run(options, &this),
        Command::Adapter(options) => adapter::run(options, &this),
        Command::Ed(options) => quadratic::run_ed(options, &this),
        Command::Solve(options) => quadratic::run_solve(options, &this),
        Command::Minima(options) => minima::run(options, &this),
        Command::Flow(options) => flow::run(options, &this),
        Command::Predictor(options) => predictor::run(options, &this),
        Command::Pyramid(options) => pyramid::run(options, &this),
        Command::Itinerary(options) => itinerary::run(options, &this),
        Command::Sweep(command) => sweep::run(command, &this),
        Command::Doctor => doctor::run(&this),
        Command::Tolerances => about::tolerances(&this),
        Command::Completions { shell } => Ok(about::completions(*shell, &mut command)),
        Command::Man => about::man(command),
    };
    match outcome {
        Ok(Outcome { text, code }) => run::print(&text, code),
        Err(error) => run::bad_input(&error, common.json),
    }
}
