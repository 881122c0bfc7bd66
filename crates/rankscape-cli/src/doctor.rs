//! `rankscape doctor`: is this build sound on this machine?

use std::time::Instant;

use rankscape::diagnosis::{Settings, diagnose};
use rankscape::linalg::{singular_values, symmetric_eigenvalues};
use rankscape::problem::{Data, Problem};
use rankscape::random::Stream;
use rankscape::{InputError, Matrix};
use rankscape_io::documents::{Check, DoctorDocument, RunDocument, to_json};
use rankscape_io::report::counted;

use crate::arguments::CommonOptions;
use crate::output::{ANSWERED, FAILED, Outcome, write_document};

pub(crate) fn run(common: &CommonOptions, started: Instant) -> Result<Outcome, InputError> {
    let checks = vec![decomposition(), eigenvalues(), saddle()?];
    let ok = checks.iter().all(|check| check.ok);
    let run = RunDocument {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        seconds: started.elapsed().as_secs_f64(),
        threads: common.thread_count(),
    };
    let document = DoctorDocument { schema: "rankscape.doctor/1", ok, features: features(), checks, run };
    let json = to_json(&document) + "\n";
    if let Some(folder) = &common.out {
        write_document(folder, "doctor.json", &json)?;
    }
    let text = if common.json { json } else { text(&document) };
    let text = if common.quiet && !common.json { String::new() } else { text };
    Ok(Outcome { text, code: if ok { ANSWERED } else { FAILED } })
}

fn text(document: &DoctorDocument) -> String {
    let mut lines = vec![format!(
        "rankscape {}, {}, processor features: {}",
        document.run.version,
        counted(document.run.threads, "thread"),
        document.features.join(" ")
    )];
    for check in &document.checks {
        lines.push(format!("{}  {} ({})", if check.ok { "ok    " } else { "FAILED" }, check.name, check.detail));
    }
    lines.push(if document.ok { "All checks hold.".to_owned() } else { "Some checks failed.".to_owned() });
    lines.join("\n") + "\n"
}

fn features() -> Vec<String> {
    #[cfg(target_arch = "x86_64")]
    {
        let found = [
            ("avx2", std::arch::is_x86_feature_detected!("avx2")),
            ("fma", std::arch::is_x86_feature_detected!("fma")),
            ("avx512f", std::arch::is_x86_feature_detected!("avx512f")),
        ];
        found.iter().filter(|(_, present)| *present).map(|(name, _)| (*name).to_owned()).collect()
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        vec![std::env::consts::ARCH.to_owned()]
    }
}

fn check(name: &str, error: f64, limit: f64) -> Check {
    Check { name: name.to_owned(), ok: error <= limit, detail: format!("error {error:.1e}, limit {limit:.0e}") }
}

/// Singular values of a matrix scaled to the ends of the range.
fn decomposition() -> Check {
    let a = Stream::new(1, 0).normal_matrix(60, 40);
    let plain = singular_values(&a);
    let error = [1e-290, 1e290]
        .iter()
        .flat_map(|&scale| {
            singular_values(&a.scaled(scale)).into_iter().zip(&plain).map(move |(s, p)| (s / scale - p).abs())
        })
        .fold(0.0, f64::max);
    check("singular values at scales 1e-290 and 1e290", error / plain[0], 1e-13)
}

fn eigenvalues() -> Check {
    let q = Stream::new(2, 0).normal_matrix(50, 50);
    let symmetric = &q + &q.transpose();
    let values = symmetric_eigenvalues(&symmetric).unwrap_or_default();
    let trace: f64 = (0..50).map(|i| symmetric[(i, i)]).sum();
    check("eigenvalues of a symmetric matrix add up to its trace", (values.iter().sum::<f64>() - trace).abs(), 1e-11)
}

/// The origin of a 2-2-2 network with target diag(2, 1): a strict saddle of index 4.
fn saddle() -> Result<Check, InputError> {
    let zero = Matrix::zeros(2, 2);
    let problem = Problem::new([zero.clone(), zero], Data::target(Matrix::from_diagonal(2, 2, &[2.0, 1.0])))?;
    let found = diagnose(&problem, Settings::default())?;
    let index = found.inertia.map(|inertia| inertia.negative);
    Ok(Check {
        name: "the origin of a 2-2-2 network is a strict saddle of index 4".to_owned(),
        ok: index == Some(4) && (found.extremes.smallest.value + 2.0).abs() < 1e-12,
        detail: format!(
            "class {}, index {}, lambda_min {:.3}",
            found.class,
            index.map_or("unknown".to_owned(), |index| index.to_string()),
            found.extremes.smallest.value
        ),
    })
}
