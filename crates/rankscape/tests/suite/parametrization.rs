//! Maps beyond the plain product: products against differences, ranks by structure against Jacobians that are formed, the maps between
//! plain and normalized networks.

use rankscape::answers::{MapKind, PredictorData, PredictorRequest, predictor};
use rankscape::critical::Origin;
use rankscape::determinantal::{DeterminantalVariety, PointOnVariety};
use rankscape::evidence::{RankDecision, Truth};
use rankscape::linalg::singular_values;
use rankscape::network::SquareNetwork;
use rankscape::parametrization::{
    Activation, FilterMap, Filters, IdentityPlusProduct, LinearMap, NormalizedMap, Parametrization, ProductPlusMatrix,
    PyramidalMap, Residual, check_parametrization, dense_rank, from_linear, generic_rank, is_saddle_by_rank, jacobian,
    to_linear,
};
use rankscape::problem::Layers;
use rankscape::random::Stream;
use rankscape::{Data, Matrix, Tolerances};

fn maps(inputs: &Matrix) -> Vec<(&'static str, Box<dyn Parametrization>)> {
    let (size, x) = (inputs.nrows(), || inputs.clone());
    let filters = |kind: Filters, lengths: &[usize]| -> Box<dyn Parametrization> {
        Box::new(FilterMap::new(kind.layers(lengths, Some(size)).unwrap(), x()))
    };
    vec![
        ("linear", Box::new(LinearMap::new(vec![size, 2, 3, 2], x()))),
        ("normalized", Box::new(NormalizedMap::new(vec![size, 2, 3, 2], x()))),
        ("pyramidal", Box::new(PyramidalMap::new(vec![size, 4, 2], vec![Activation::Tanh, Activation::Softplus], x()))),
        ("one layer", Box::new(PyramidalMap::new(vec![size, 1], vec![Activation::Elu], x()))),
        ("residual", Box::new(Residual::new(3, x()))),
        ("identity", Box::new(IdentityPlusProduct::new(vec![size, 2, size], x()))),
        ("matrix", Box::new(ProductPlusMatrix::new(vec![size, 2, 3], x()))),
        ("circulant", filters(Filters::Circulant, &[3, 2, size])),
        ("convolutional", filters(Filters::Convolutional(vec![2, 1]), &[3, 2])),
    ]
}

#[test]
fn jacobian_products_of_all_maps_are_those_of_their_values() {
    let mut stream = Stream::new(91, 0);
    for samples in [1, 3, 7] {
        for (name, map) in maps(&stream.normal_matrix(5, samples)) {
            check_parametrization(map.as_ref()).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
    }
}

/// A map whose products are spoiled.
struct Wrong(LinearMap, bool);

impl Parametrization for Wrong {
    fn blocks(&self) -> Vec<(usize, usize)> {
        self.0.blocks()
    }

    fn shape(&self) -> (usize, usize) {
        self.0.shape()
    }

    fn value(&self, point: &[Matrix]) -> Option<Matrix> {
        self.0.value(point)
    }

    fn times(&self, point: &[Matrix], direction: &[Matrix]) -> Option<Matrix> {
        Some(self.0.times(point, direction)?.scaled(if self.1 { 1.01 } else { 1.0 }))
    }

    fn transposed_times(&self, point: &[Matrix], cotangent: &Matrix) -> Option<Vec<Matrix>> {
        let blocks = self.0.transposed_times(point, cotangent)?;
        Some(blocks.iter().map(|block| block.scaled(1.01)).collect())
    }
}

#[test]
fn a_map_that_disagrees_with_its_jacobian_is_refused() {
    let map = |spoiled| Wrong(LinearMap::new(vec![2, 2, 2], Matrix::identity(2)), spoiled);
    let error = check_parametrization(&map(true)).unwrap_err();
    assert!(error.problem.contains("disagrees with its values"), "{error}");
    let error = check_parametrization(&map(false)).unwrap_err();
    assert!(error.problem.contains("transposed product"), "{error}");
}

fn answer(map: MapKind, layers: &[Matrix], x: &Matrix, y: Option<&Matrix>) -> rankscape::answers::PredictorAnswer {
    let rows = y.unwrap_or(x).transpose();
    let data = Data::samples(&x.transpose(), &rows).unwrap();
    predictor(&PredictorRequest {
        map,
        layers: Layers::Stored { matrices: layers.to_vec(), unit_roundoff: f64::EPSILON / 2.0 },
        data: PredictorData::Factor(data, y.is_some()),
        seed: 0,
        tolerances: Tolerances::default(),
    })
    .unwrap()
}

/// Layers of low rank, with kernels that meet, on data of low rank.
#[test]
fn ranks_by_structure_are_those_of_jacobians_that_are_formed() {
    let tolerances = Tolerances::default();
    for case in 0..40 {
        let mut stream = Stream::new(92, case);
        let mut width = |low: i64, high: i64| stream.integer(low, high) as usize;
        let (size, inner, samples, rank) = (width(1, 4), width(1, 4), width(1, 6), width(1, 3));
        let low = |stream: &mut Stream, rows: usize, columns: usize| {
            let rank = rank.min(rows).min(columns);
            &stream.normal_matrix(rows, rank) * &stream.normal_matrix(rank, columns)
        };
        let x = low(&mut stream, size, samples);
        let chain = vec![low(&mut stream, inner, size), low(&mut stream, size, inner)];
        let square = vec![&low(&mut stream, size, size) - &Matrix::identity(size), low(&mut stream, size, size)];
        let beside = [chain.clone(), vec![stream.normal_matrix(size, size)]].concat();
        let widths = vec![size, inner, size];
        let tried: [(MapKind, &[Matrix], Box<dyn Parametrization>); 5] = [
            (MapKind::Linear, &chain, Box::new(LinearMap::new(widths.clone(), x.clone()))),
            (MapKind::Normalized, &chain, Box::new(NormalizedMap::new(widths.clone(), x.clone()))),
            (MapKind::Residual, &square, Box::new(Residual::new(2, x.clone()))),
            (MapKind::IdentityPlusProduct, &chain, Box::new(IdentityPlusProduct::new(widths.clone(), x.clone()))),
            (MapKind::ProductPlusMatrix, &beside, Box::new(ProductPlusMatrix::new(widths, x.clone()))),
        ];
        for (kind, point, map) in tried {
            let found = answer(kind.clone(), point, &x, None);
            let formed = dense_rank(map.as_ref(), point, f64::EPSILON / 2.0, &tolerances).unwrap().unwrap();
            let generic = generic_rank(map.as_ref(), 5, &tolerances).unwrap().unwrap();
            assert_eq!(found.rank, Some(formed.decision.rank), "case {case} {kind:?}");
            assert_eq!(found.generic_rank, Some(generic.rank), "case {case} {kind:?}");
        }
    }
}

/// At full rank of the Jacobian a point is critical exactly where its matrix is for the loss on matrices of bounded rank, and it is pure.
#[test]
fn at_full_rank_critical_parameters_are_critical_matrices() {
    let target = Matrix::from_diagonal(3, 3, &[3.0, 2.0, 1.0]);
    let variety = DeterminantalVariety::new(3, 3, 2).unwrap();
    let captured = |at: [usize; 2]| {
        let first = Matrix::from_fn(2, 3, |i, j| f64::from(u8::from(at[i] == j)));
        vec![first.clone(), &target * &first.transpose()]
    };
    let mut stream = Stream::new(93, 0);
    let mut points = vec![captured([0, 1]), captured([0, 2]), captured([1, 2])];
    points.extend((0..3).map(|_| vec![stream.normal_matrix(2, 3), stream.normal_matrix(3, 2)]));
    for (at, point) in points.iter().enumerate() {
        let found = answer(MapKind::Linear, point, &Matrix::identity(3), Some(&target));
        assert_eq!((found.rank, found.generic_rank), (Some(8), Some(8)), "{at}");
        let product = &point[1] * &point[0];
        let gradient = &product - &target;
        let critical = PointOnVariety::new(variety, &product, 2).tangent_part(&gradient).frobenius_norm() < 1e-12;
        assert_eq!(found.critical, Some(Truth::from(critical)), "{at}");
        assert_eq!(found.origin, critical.then_some(Origin::Pure), "{at}");
    }
}

#[test]
fn plain_and_normalized_networks_have_each_others_critical_points() {
    for case in 0..20 {
        let mut stream = Stream::new(94, case);
        let mut width = || stream.integer(1, 4) as usize;
        let widths = [width(), width(), width(), width()];
        let x = stream.normal_matrix(widths[0], 6);
        let point: Vec<Matrix> = widths.windows(2).map(|d| stream.normal_matrix(d[1], d[0])).collect();
        let (p, q) = (to_linear(&point).unwrap(), from_linear(&point).unwrap());
        let (linear, normalized) =
            (LinearMap::new(widths.to_vec(), x.clone()), NormalizedMap::new(widths.to_vec(), x.clone()));
        let off = |a: &Matrix, b: &Matrix| (a - b).frobenius_norm() / (1.0 + b.frobenius_norm());
        assert!(off(&linear.value(&p).unwrap(), &normalized.value(&point).unwrap()) < 1e-14);
        assert!(off(&normalized.value(&q).unwrap(), &linear.value(&point).unwrap()) < 1e-13);
        // Targets for which the linear gradient vanishes at p: Y = F - E with E orthogonal to the image of the Jacobian.
        let j = jacobian(&linear, &p).unwrap();
        let rank = singular_values(&j).iter().filter(|&&value| value > 1e-10).count();
        let (rows, columns) = linear.shape();
        if rank == rows * columns {
            continue;
        }
        let complement = rankscape::linalg::orthonormal_complement(&rankscape::linalg::orthonormal_range(&j, rank));
        let error = &complement * &stream.normal_matrix(complement.ncols(), 1);
        let gradient = Matrix::from_fn(rows, columns, |i, k| error[(k * rows + i, 0)]);
        let pulled = normalized.transposed_times(&point, &gradient).unwrap();
        assert!(pulled.iter().all(|block| block.frobenius_norm() < 1e-11), "case {case}");
        let plain = SquareNetwork::new(p, Some(x), &linear.value(&to_linear(&point).unwrap()).unwrap() - &gradient);
        assert!(plain.gradient().iter().all(|block| block.frobenius_norm() < 1e-11), "case {case}");
    }
}

#[test]
fn a_critical_product_of_low_rank_with_a_gradient_is_a_saddle_of_the_plain_product() {
    let map = LinearMap::new(vec![2, 2, 2], Matrix::identity(2));
    assert_eq!(is_saddle_by_rank(&map, &RankDecision::exact(1), Truth::No), Truth::Yes);
    assert_eq!(is_saddle_by_rank(&map, &RankDecision::exact(1), Truth::Yes), Truth::Undecided);
    assert_eq!(is_saddle_by_rank(&map, &RankDecision::exact(2), Truth::No), Truth::Undecided);
}
