//! `rankscape doctor`: is this build sound on this machine?

use rankscape::InputError;
use rankscape::answers::doctor;
use rankscape_io::documents::DoctorDocument;
use rankscape_io::report::doctor_text;

use crate::run::{ANSWERED, FAILED, Outcome, Run};

pub(crate) fn run(run: &Run<'_>) -> Result<Outcome, InputError> {
    let document = DoctorDocument::new(&doctor()?, features());
    let code = if document.ok { ANSWERED } else { FAILED };
    run.finish(document, doctor_text, code)
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
