//! Examples at the end of every verb's help; a test runs those that need no files of the user.

pub(crate) const DIAGNOSE: &str = "\
Examples:
  rankscape diagnose --example digits
  rankscape diagnose --weights weights.safetensors --data data.npz
  rankscape diagnose --weights weights.npz --data samples.csv --inputs 8 --leave next.npz
  rankscape diagnose --weights w.json --target z.json --certificate c.json --json
  rankscape diagnose --weights w.json --target z.json --weight-decay 1/2";

pub(crate) const CRITICAL: &str = "\
Examples:
  rankscape critical --example digits
  rankscape critical --data data.npz --widths 64,24,8,24,64 --max 20 --graph
  rankscape critical --data data.npz --widths 4,3,2 --strata --captured 1
  rankscape critical --example digits --widths 64,8,64 --weight-decay 100
  rankscape critical --data d.npz --widths 4,3,2 --construct --captured 1 --save w.npz";

pub(crate) const HESSIAN: &str = "\
Examples:
  rankscape hessian --example digits
  rankscape hessian --weights weights.npz --data data.npz --part gauss-newton
  rankscape hessian --weights weights.npz --data data.npz --vectors 3 --json";

pub(crate) const MAP: &str = "\
Examples:
  rankscape map --weights weights.safetensors
  rankscape map --weights weights.json --json";

pub(crate) const CONNECT: &str = "\
Examples:
  rankscape connect --weights a.npz --to b.npz --save path.json";

pub(crate) const BALANCE: &str = "\
Examples:
  rankscape balance --weights weights.npz --save balanced.npz";

pub(crate) const REACH: &str = "\
Examples:
  rankscape reach --weights weights.npz --target product.npy --save factors.npz";

pub(crate) const PARSE: &str = "\
Examples:
  rankscape parse --weights weights.json --target target.json";

pub(crate) const ESCAPE: &str = "\
Examples:
  rankscape escape --example digits
  rankscape escape --weights weights.json --target target.json --construction zl-3.2
  rankscape escape --weights weights.npz --data data.npz --same-function --leave moved.npz";

pub(crate) const VERIFY: &str = "\
Examples:
  rankscape verify certificate.json
  rankscape verify certificate.json --weights weights.json --target target.json";

pub(crate) const ADAPTER: &str = "\
Examples:
  rankscape adapter checkpoint/
  rankscape adapter checkpoint/ --base model.safetensors --json
  rankscape adapter adapter_model.safetensors --balance --save balanced/";

pub(crate) const ED: &str = "\
Examples:
  rankscape ed --rows 3 --cols 3 --rank 1
  rankscape ed --rows 2 --cols 3 --rank 1 --weights weights.json";

pub(crate) const SOLVE: &str = "\
Examples:
  rankscape solve --target target.npy --weights weights.npy --rank 1
  rankscape solve --instances instances.jsonl --start start
  rankscape solve --instances instances.jsonl --segment from.json to.json";

pub(crate) const SWEEP: &str = "\
Examples:
  rankscape sweep plan --dir experiment --rows 3 --cols 3 --rank 1 --instances 2000
  rankscape sweep run --dir experiment --shard 0/4
  rankscape sweep merge --dir experiment";

pub(crate) const COMPLETIONS: &str = "\
Examples:
  rankscape completions bash > ~/.local/share/bash-completion/completions/rankscape
  rankscape completions zsh > ~/.zfunc/_rankscape";

pub(crate) const MAN: &str = "\
Examples:
  rankscape man > rankscape.1";
