//! Poolings of any shape against plain ones, and their gradients as slopes.

use super::*;
use crate::kernels::reference::{assert_close, dot, max_pool, random, slope, wide};
use proptest::prelude::*;

fn pooling(
    height: usize,
    width: usize,
    channels: usize,
    size: [usize; 2],
    stride: [usize; 2],
) -> Pooling {
    Pooling::new(PoolGeometry { n: 1, height, width, channels, size, stride })
}

/// Runs the backward pass of the pooling alone.
fn backward(pool: &Pooling, isa: Isa, d_pooled: &[f32], argmax: &[u8], d_x: &mut [f32]) {
    let n = pool.geometry().channels;
    let slopes = Slopes { a: vec![1.0; n], b: vec![0.0; n], c: vec![0.0; n] };
    let (gradient, open) = (PooledGradient { d_pooled, argmax }, vec![1.0; d_x.len()]);
    pool.backward_through(
        isa,
        gradient,
        &slopes,
        (Activation::Relu, &open),
        d_x,
        &mut vec![0.0; n],
    );
}

#[test]
fn of_equal_values_the_first_wins() {
    let pool = pooling(2, 2, 1, [2, 2], [2, 2]);
    let (mut pooled, mut argmax, mut d_x) = ([0.0], [9], [0.0; 4]);
    pool.forward(Isa::best(), &[1.0, 5.0, 5.0, 5.0], &[1.0], &mut pooled, &mut argmax);
    assert_eq!((pooled, argmax), ([5.0], [1]));
    backward(&pool, Isa::best(), &[2.0], &argmax, &mut d_x);
    assert_eq!(d_x, [0.0, 2.0, 0.0, 0.0]);
}

#[test]
fn a_flat_direction_takes_the_first_and_a_falling_one_the_least() {
    let pool = pooling(2, 2, 2, [2, 2], [2, 2]);
    let x = [3.0, 3.0, 1.0, 1.0, 7.0, 7.0, 1.0, 1.0];
    let (mut pooled, mut argmax) = ([0.0; 2], [9; 2]);
    pool.forward(Isa::best(), &x, &[0.0, -1.0], &mut pooled, &mut argmax);
    assert_eq!((pooled, argmax), ([3.0, 1.0], [0, 1]));
}

proptest! {
    #[test]
    fn a_gradient_is_the_slope(
        height in 1_usize..8, width in 1_usize..8, channels in 1_usize..6, kh in 1_usize..10, kw in 1_usize..5,
        sh in 1_usize..4, sw in 1_usize..4, key: u64,
    ) {
        let pool = pooling(height, width, channels, [kh, kw], [sh, sw]);
        let g = *pool.geometry();
        // All values are distinct, because 10007 is a prime larger than the image.
        let x: Vec<f32> = (0..g.input_len()).map(|i| ((key as usize % 10_007 + i * 7919) % 10_007) as f32 / 10_007.0).collect();
        let d = random(key, g.output_len());
        let (mut pooled, mut argmax, mut d_x) = (vec![0.0; d.len()], vec![0; d.len()], vec![f32::NAN; x.len()]);
        pool.forward(Isa::best(), &x, &vec![1.0; channels], &mut pooled, &mut argmax);
        backward(&pool, Isa::best(), &d, &argmax, &mut d_x);
        let (x, d) = (wide(&x), wide(&d));
        let slopes: Vec<f64> = (0..x.len()).map(|i| slope(&x, i, 1e-5, &|x| dot(&max_pool(&g, x).0, &d))).collect();
        assert_close(&d_x, &slopes, 1e-5);
    }

    #[test]
    fn means_are_of_what_is_inside_and_share_their_gradient(
        height in 1_usize..9, width in 1_usize..7, channels in 1_usize..38, kh in 1_usize..4, kw in 1_usize..4,
        sh in 1_usize..4, sw in 1_usize..4, key: u64, adds: bool,
    ) {
        let pool = pooling(height, width, channels, [kh, kw], [sh, sw]);
        let g = *pool.geometry();
        let (x, d) = (random(key, g.input_len()), random(key ^ 1, g.output_len()));
        // A window's values are the only ones on which its mean depends.
        let [top, left] = g.before();
        let inside = |at: usize, before: usize, n: usize| (before..before + n).contains(&at).then(|| at - before);
        let (mut pooled, mut d_x) = (vec![0.0; d.len()], vec![if adds { 0.25 } else { 0.0 }; x.len()]);
        for o in 0..d.len() {
            let (c, column, row) = (o % channels, o / channels % g.out_width(), o / channels / g.out_width());
            let rows = (row * sh..row * sh + kh).filter_map(|y| inside(y, top, height));
            let cells: Vec<usize> = rows.flat_map(|y| (column * sw..column * sw + kw).filter_map(|x| inside(x, left, width))
                .map(move |x| (y * width + x) * channels + c)).collect();
            pooled[o] = cells.iter().map(|&i| f64::from(x[i])).sum::<f64>() / cells.len() as f64;
            cells.iter().for_each(|&i| d_x[i] += f64::from(d[o]) / cells.len() as f64);
        }
        for isa in Isa::available() {
            let (mut found, mut gradient) = (vec![0.0; d.len()], vec![if adds { 0.25 } else { 9.0 }; x.len()]);
            pool.means(isa, &x, &mut found);
            pool.means_backward(isa, &d, adds, &mut gradient);
            assert_close(&found, &pooled, 1e-5);
            assert_close(&gradient, &d_x, 1e-5);
        }
    }

    #[test]
    fn any_shape_is_the_plain_pooling(
        height in 1_usize..9, width in 1_usize..7, channels in 1_usize..38, kh in 1_usize..4, kw in 1_usize..4,
        sh in 1_usize..4, sw in 1_usize..4, key: u64, ties: bool,
    ) {
        let pool = pooling(height, width, channels, [kh, kw], [sh, sw]);
        let g = *pool.geometry();
        let mut x = random(key, g.input_len());
        if ties {
            x.iter_mut().for_each(|v| *v = (*v * 2.0).round());
        }
        let d = random(key ^ 1, g.output_len());
        let (values, winners) = max_pool(&g, &wide(&x));
        let mut expected = vec![0.0; x.len()];
        for (&i, &gradient) in winners.iter().zip(&d) {
            expected[i] += f64::from(gradient);
        }
        for isa in Isa::available() {
            let (mut pooled, mut argmax, mut d_x) = (vec![0.0; d.len()], vec![0; d.len()], vec![f32::NAN; x.len()]);
            pool.forward(isa, &x, &vec![1.0; channels], &mut pooled, &mut argmax);
            prop_assert_eq!(&wide(&pooled), &values);
            backward(&pool, isa, &d, &argmax, &mut d_x);
            assert_close(&d_x, &expected, 1e-5);
            // The same through a linear function and ReLU.
            let slope = |k: u64| random(key ^ k, channels);
            let slopes = Slopes { a: slope(2), b: slope(3), c: slope(4) };
            for before in [Activation::Relu, Activation::Linear] {
                let mut d_bias = vec![0.5; channels];
                let mut through = vec![f32::NAN; x.len()];
                let gradient = PooledGradient { d_pooled: &d, argmax: &argmax };
                pool.backward_through(isa, gradient, &slopes, (before, &x), &mut through, &mut d_bias);
                let line: Vec<f64> = (0..x.len()).map(|i| {
                    let (k, v) = (i % channels, f64::from(x[i]));
                    let full = f64::from(slopes.a[k]) * expected[i] + f64::from(slopes.b[k]) + f64::from(slopes.c[k]) * v;
                    if v > 0.0 || before == Activation::Linear { full } else { 0.0 }
                }).collect();
                assert_close(&through, &line, 1e-5);
                let of_channel = |k: usize| 0.5 + line.iter().skip(k).step_by(channels).sum::<f64>();
                assert_close(&d_bias, &(0..channels).map(of_channel).collect::<Vec<_>>(), 1e-4);
            }
        }
    }
}
