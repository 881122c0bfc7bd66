//! Examples at the end of every verb's help; a test runs those that need no files of the user.

pub(crate) const DIAGNOSE: &str = "\
Examples:
  rankscape diagnose --example digits
  rankscape diagnose --weights weights.safetensors --data data.npz
  rankscape diagnose --weights weights.npz --data samples.csv --inputs 8 --leave next.npz
  rankscape diagnose --weights w.json --target z.json --certificate c.json --json
  rankscape diagnose --example digits-classifier --loss softmax
  rankscape diagnose --weights w.json --target z.json --weight-decay 1/2";

pub(crate) const CRITICAL: &str = "\
Examples:
  rankscape critical --example digits
  rankscape critical --data data.npz --widths 64,24,8,24,64 --max 20 --graph
  rankscape critical --data data.npz --widths 4,3,2 --strata --captured 1
  rankscape critical --data d.npz --widths 4,3,2 --construct --captured 1 --save w.npz
  rankscape critical --data data.npz --widths 4,1,3 --loss logistic
  rankscape critical --example digits --widths 64,8,64 --weight-decay 100";

pub(crate) const HESSIAN: &str = "\
Examples:
  rankscape hessian --example digits
  rankscape hessian --weights weights.npz --data data.npz --part gauss-newton
  rankscape hessian --weights weights.npz --data data.npz --vectors 3 --json
  rankscape hessian --weights weights.npz --data data.npz --loss logcosh";

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
  How many critical points a generic quadratic loss has on the 3 x 3 matrices of rank one (39):
  rankscape ed --rows 3 --cols 3 --rank 1

  The same for the weights in a file, a 2 x 3 matrix such as [[1, 2, 3], [4, 5, 7]]:
  rankscape ed --rows 2 --cols 3 --rank 1 --weights weights.json";

pub(crate) const SOLVE: &str = "\
Examples:
  The best approximation of rank one in a weighted norm, and all other critical points:
  rankscape solve --target target.npy --weights weights.npy --rank 1

  From few linear measurements, phi with K rows of M*N numbers:
  rankscape solve --target target.npy --phi phi.npy --rank 1 --save points.npz

  Many instances, a line each: {\"id\":\"a\",\"m\":2,\"n\":2,\"r\":1,\"weights\":[[1,2],[3,5]],\"q\":[[2,1],[0,1]]}
  rankscape solve --instances instances.jsonl --json

  What happens to the real critical points while the target moves:
  rankscape solve --instances instances.jsonl --segment from.json to.json

  A size whose generic solution does not ship is solved once and kept:
  rankscape solve --instances large.jsonl --start start";

pub(crate) const MINIMA: &str = "\
Examples:
  rankscape minima --target ratings.npy --rank 2
  rankscape minima --data data.npz --loss softmax --rank 1 --starts 1000 --save minima.npz
  rankscape minima --target target.json --loss loss.json --rank 1 --json";

pub(crate) const SWEEP: &str = "\
Examples:
  The real critical points and minima of 2000 random losses on 3 x 3 matrices of rank one:
  rankscape sweep plan --dir experiment --rows 3 --cols 3 --rank 1 --instances 2000
  rankscape sweep run --dir experiment

  One shard of four, on one of several machines; then the table of all:
  rankscape sweep run --dir experiment --shard 0/4
  rankscape sweep merge --dir experiment";

pub(crate) const COMPLETIONS: &str = "\
Examples:
  rankscape completions bash > ~/.local/share/bash-completion/completions/rankscape
  rankscape completions zsh > ~/.zfunc/_rankscape";

pub(crate) const MAN: &str = "\
Examples:
  rankscape man > rankscape.1";

pub(crate) const DOCTOR: &str = "\
Examples:
  rankscape doctor
  rankscape doctor --json";

pub(crate) const TOLERANCES: &str = "\
Examples:
  rankscape tolerances
  rankscape diagnose --example digits --tolerance rank=16";

pub(crate) const FLOW: &str = "\
Examples:
  rankscape flow --weights weights.json --target target.json --until-time 20 --levels 0.5,0.01
  rankscape flow --start balanced --scale 0.01 --widths 4,3,4 --target target.json --until-gap 1e-8
  rankscape flow --weights weights.npz --data data.npz --method gd --step 0.001 --steps 5000";

pub(crate) const PREDICTOR: &str = "\
Examples:
  rankscape predictor --weights weights.npz --data data.npz
  rankscape predictor --map convolutional --weights filters.json --strides 2,1 --size 9
  rankscape predictor --map pyramidal --activations tanh,identity --weights weights.npz --data data.npz";

pub(crate) const PYRAMID: &str = "\
Examples:
  rankscape pyramid --weights tanh.npz --data samples.npz --activations tanh,tanh,identity
  rankscape pyramid --weights tanh.npz --data samples.npz --loss huber --activations tanh,tanh,identity";

pub(crate) const ITINERARY: &str = "\
Examples:
  rankscape itinerary --example digits
  rankscape itinerary checkpoints/ --data data.npz
  rankscape itinerary a.npz b.npz --steps steps.json --target target.json --learning-rate 0.001";
