//! The command `rankscape`: arguments, files, progress, exit codes; no mathematics.
//!
//! Exit codes: 0 answered; 1 internal failure; 2 bad usage or bad input; 3 answered, but something asked for is
//! undecided; 4 a verification failed.

mod adapter;
mod arguments;
mod construct;
mod critical;
mod diagnose;
mod doctor;
mod ed;
mod escape;
mod fiber;
mod given;
mod hessian;
mod map;
mod output;
mod outputs;
mod problem;
mod progress;
mod quadratic_arguments;
mod solve;
mod sweep;
mod verify;

use std::process::ExitCode;
use std::time::Instant;

use clap::{CommandFactory, FromArgMatches};

use arguments::{Arguments, Command};
use output::Outcome;

fn main() -> ExitCode {
    let started = Instant::now();
    let command = Arguments::command();
    let parsed = command.clone().try_get_matches();
    let (arguments, matches) =
        match parsed.and_then(|matches| Arguments::from_arg_matches(&matches).map(|arguments| (arguments, matches))) {
            Ok(parsed) => parsed,
            Err(error) => return output::usage(&error),
        };
    let common = arguments.command.common().clone();
    if let Err(error) = given::check_idle(&command, &matches).and_then(|()| outputs::check(&command, &matches)) {
        return output::bad_input(&error, common.json);
    }
    let outcome = match &arguments.command {
        Command::Diagnose(options) => diagnose::run(options, started),
        Command::Critical(options) => critical::run(options, started),
        Command::Hessian(options) => hessian::run(options, started),
        Command::Map(options) => map::run(options, started),
        Command::Connect(options) => fiber::run_connect(options, started),
        Command::Balance(options) => fiber::run_balance(options, started),
        Command::Reach(options) => fiber::run_reach(options, started),
        Command::Parse(options) => construct::run_parse(options, started),
        Command::Escape(options) => escape::run(options, started),
        Command::Verify(options) => verify::run(options, started),
        Command::Adapter(options) => adapter::run(options, started),
        Command::Doctor(common) => doctor::run(common, started),
        Command::Ed(options) => ed::run(options, started),
        Command::Solve(options) => solve::run(options, started),
        Command::Sweep(command) => sweep::run(command, started),
    };
    match outcome {
        Ok(Outcome { text, code }) => output::print(&text, code),
        Err(error) => output::bad_input(&error, common.json),
    }
}
