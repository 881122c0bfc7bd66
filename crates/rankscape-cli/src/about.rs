//! What the command says of itself: tolerances, completions of a shell, the manual page.

use std::io::Write as _;

use clap::Command;
use clap_complete::Shell;
use rankscape::InputError;
use rankscape_io::documents::ToleranceTableDocument;
use rankscape_io::report::tolerances_text;

use crate::run::{ANSWERED, Outcome, Run};

pub(crate) fn tolerances(run: &Run<'_>) -> Result<Outcome, InputError> {
    run.finish(ToleranceTableDocument::new(), tolerances_text, ANSWERED)
}

pub(crate) fn completions(shell: Shell, command: &mut Command) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(shell, command, "rankscape", &mut script);
    Outcome { text: String::from_utf8_lossy(&script).into_owned(), code: ANSWERED }
}

pub(crate) fn man(command: Command) -> Result<Outcome, InputError> {
    let mut page = Vec::new();
    let verbs: Vec<Command> = command.get_subcommands().filter(|verb| !verb.is_hide_set()).cloned().collect();
    let written = clap_mangen::Man::new(command).render(&mut page).and_then(|()| {
        verbs.into_iter().try_for_each(|verb| {
            writeln!(page, ".SH rankscape {}", verb.get_name())?;
            let common = |argument: &clap::Arg| argument.is_global_set();
            let hidden: Vec<_> =
                verb.get_arguments().filter(|argument| common(argument)).map(|a| a.get_id().clone()).collect();
            let verb = hidden.into_iter().fold(verb, |verb, id| verb.mut_arg(id, |argument| argument.hide(true)));
            let man = clap_mangen::Man::new(verb);
            man.render_synopsis_section(&mut page)?;
            man.render_description_section(&mut page)?;
            man.render_options_section(&mut page)
        })
    });
    written.map_err(|error| InputError::new(format!("the manual page cannot be made: {error}")))?;
    Ok(Outcome { text: String::from_utf8_lossy(&page).into_owned(), code: ANSWERED })
}
