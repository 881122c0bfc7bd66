//! All critical points of quadratic losses as text.

use super::counted;
use super::numbers::{digits, number};
use super::table::table;
use crate::documents::{
    CompletenessWord, MinimumDocument, PointDocument, SegmentDocument, SolutionDocument, SolveDocument,
};
use crate::words::Word;
use rankscape::evidence::Grade;

/// Most real points in the table.
const MOST_POINTS: usize = 60;
/// Most entries of a matrix that are written beside its value.
const MOST_ENTRIES: usize = 12;

/// One line for each instance, the real points, the segments, what is not known, and a summary. The least value is called the
/// lowest found unless it is proved for all instances that nothing is lower.
pub fn solve_text(document: &SolveDocument) -> String {
    let found = &document.instances;
    let proved = |one: &SolutionDocument| one.minimum.as_ref().is_some_and(|found| found.grade != Word(Grade::Sampled));
    let lowest = if found.iter().all(proved) { "minimum" } else { "lowest found" };
    let mut rows = vec![
        ["instance", "size", "complex", "expected", "complete", "real", "minima", "certified", lowest]
            .map(str::to_owned),
    ];
    rows.extend(found.iter().map(solution));
    let mut lines = if found.is_empty() { Vec::new() } else { table(&rows) };
    lines.extend(points(found));
    lines.extend(document.segments.iter().flatten().flat_map(segment));
    lines.extend(found.iter().filter(|one| !one.certified).map(undecided));
    lines.extend(summary(found));
    lines.join("\n") + "\n"
}

fn is_complete(found: &SolutionDocument) -> bool {
    found.completeness == Word(CompletenessWord::Proved)
}

/// What is not known of an instance.
fn undecided(found: &SolutionDocument) -> String {
    let open = found.real.iter().filter(|point| point.index.is_none()).count();
    if is_complete(found) {
        return format!("{}: no critical point is missing, but the index of {open} of them is undecided", found.id);
    }
    format!("{}: critical points may be missing: {}", found.id, found.reason)
}

/// What is proved of all instances, of some or of none.
fn summary(found: &[SolutionDocument]) -> Vec<String> {
    let certified = found.iter().filter(|one| one.certified).count();
    let meaning = "no critical point is missing, and every real one has its index";
    let mut lines = match (certified, found.len()) {
        (_, 0) => Vec::new(),
        (1, 1) => vec![format!("Certified: {meaning}.")],
        (0, 1) => vec!["Not certified. Every point that is listed is proved to be one.".to_owned()],
        (0, all) => vec![format!("None of {all} certified. Every point that is listed is proved to be one.")],
        (some, all) => vec![format!("{some} of {all} certified: {meaning}.")],
    };
    if !found.iter().all(is_complete) {
        let unknown =
            "Where completeness is unknown, the numbers and the lowest value are those found: there may be others.";
        lines.push(unknown.to_owned());
    }
    lines
}

/// The real points of all instances by value, as far as they fit.
fn points(found: &[SolutionDocument]) -> Vec<String> {
    let all: usize = found.iter().map(|one| one.real.len()).sum();
    if all == 0 {
        return Vec::new();
    }
    let shown = || found.iter().flat_map(|one| one.real.iter().map(move |point| (one, point))).take(MOST_POINTS);
    let mut rows = vec![["real points of", "value", "index"].map(str::to_owned)];
    rows.extend(shown().map(|(one, point)| {
        let index = point.index.map_or_else(|| "undecided".to_owned(), |index| index.to_string());
        [one.id.clone(), number(point.value), index]
    }));
    let matrices: Vec<String> = shown().map(|(_, point)| matrix(point)).collect();
    let is_wide = matrices.iter().all(String::is_empty);
    let heading = if is_wide { "" } else { "W, row by row" };
    let columns = table(&rows).into_iter().zip(std::iter::once(heading).chain(matrices.iter().map(String::as_str)));
    let mut lines = vec![String::new()];
    lines.extend(columns.map(|(columns, matrix)| format!("{columns}  {matrix}").trim_end().to_owned()));
    if all > MOST_POINTS || is_wide {
        let more = if all > MOST_POINTS { format!("{} more; ", all - MOST_POINTS) } else { String::new() };
        lines.push(format!("({more}--save FILE.npz writes all, with their matrices)"));
    }
    lines.push(String::new());
    lines
}

/// The rows of a small matrix; nothing for a large one.
fn matrix(point: &PointDocument) -> String {
    if point.w.iter().map(Vec::len).sum::<usize>() > MOST_ENTRIES {
        return String::new();
    }
    let row = |row: &Vec<f64>| row.iter().map(|&entry| digits(entry, 4)).collect::<Vec<_>>().join(" ");
    format!("[{}]", point.w.iter().map(row).collect::<Vec<_>>().join("; "))
}

fn or_unknown(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "unknown".to_owned(), |value| value.to_string())
}

fn solution(found: &SolutionDocument) -> [String; 9] {
    [
        found.id.clone(),
        format!("{} x {}, {}", found.m, found.n, found.r),
        found.n_complex.to_string(),
        or_unknown(found.expected),
        found.completeness.to_string(),
        found.n_real.to_string(),
        or_unknown(found.n_minima),
        if found.certified { "yes" } else { "no" }.to_owned(),
        found.minimum.as_ref().map_or_else(String::new, |least| minimum(least, found.r)),
    ]
}

/// The least value, and whether it lies at lower rank or no descent to it came to rest.
fn minimum(found: &MinimumDocument, rank: usize) -> String {
    let lower = if found.rank < rank { format!(" at rank {}", found.rank) } else { String::new() };
    let falling = if found.attained { "" } else { ", still falling" };
    format!("{:.6e}{lower}{falling}", found.value)
}

fn segment(found: &SegmentDocument) -> Vec<String> {
    let end = |one: &SolutionDocument| if one.complete.is_some() { "" } else { " known" };
    let mut lines = vec![format!(
        "{}: {}{} at the first target, {}{} at the second; {}",
        found.id,
        counted(found.start.n_real, "real critical point"),
        end(&found.start),
        found.end.n_real,
        end(&found.end),
        found.grade.map_or_else(|| "no counts to compare".to_owned(), |grade| format!("{grade} counts"))
    )];
    for crossing in &found.crossings {
        let values: Vec<String> = crossing.pair.iter().flatten().map(|point| format!("{:.6e}", point.value)).collect();
        let meet =
            if values.is_empty() { String::new() } else { format!("; the values {} meet", values.join(" and ")) };
        let (low, high) = (crossing.low, crossing.high);
        let grade =
            if crossing.grade == Word(Grade::Certified) { String::new() } else { format!(" ({})", crossing.grade) };
        lines.push(format!("  {low:.9} < t < {high:.9}: {} become {}{meet}{grade}", crossing.before, crossing.after));
    }
    let undecided = found.undecided.iter();
    lines.extend(undecided.map(|[low, high]| format!("  {low:.9} < t < {high:.9}: undecided")));
    lines
}
