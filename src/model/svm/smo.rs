//! Sequential minimal optimization: the dual problem of two classes, solved two coefficients at a
//! time.

use std::rc::Rc;

use super::kernel::Gram;

/// Replaces a curvature that is not above 0.
const LEAST_CURVATURE: f64 = 1e-12;

/// The solution for one machine: `f(x) = sum(coefficient * kernel(row, x)) + intercept`.
#[derive(Debug)]
pub(super) struct Solved {
    /// One per row; 0 if the row is not a support vector.
    pub(super) coefficients: Vec<f64>,
    pub(super) intercept: f64,
    /// Remaining violation of the optimality conditions.
    pub(super) gap: f64,
}

/// Solves for rows; `is_first` says on which side of 0 each row belongs: above or below.
///
/// Each step moves the row that is furthest on the wrong side together with the one that lowers the
/// objective most, until no pair violates the optimality conditions by `tolerance`.
///
/// # Source
/// Fan, Chen and Lin, "Working set selection using second order information for training support
/// vector machines", 2005; as in LIBSVM, without its shrinking.
pub(super) fn solve(
    gram: &mut Gram,
    is_first: &[bool],
    c: f64,
    tolerance: f64,
    max_iterations: usize,
) -> Solved {
    let n = is_first.len();
    let bounds: Vec<[f64; 2]> =
        is_first.iter().map(|first| if *first { [0.0, c] } else { [-c, 0.0] }).collect();
    let mut coefficients = vec![0.0; n];
    // The target of each row, 1 or -1, minus the machine's output without its intercept.
    let mut errors: Vec<f64> =
        is_first.iter().map(|first| if *first { 1.0 } else { -1.0 }).collect();
    let mut n_iterations = 0;
    loop {
        let up = (0..n)
            .filter(|&t| coefficients[t] < bounds[t][1])
            .reduce(|best, t| if errors[t] > errors[best] { t } else { best });
        let low = (0..n)
            .filter(|&t| coefficients[t] > bounds[t][0])
            .map(|t| errors[t])
            .fold(f64::INFINITY, f64::min);
        let i = up.expect("of two classes some coefficient is below its upper bound");
        let gap = errors[i] - low;
        if gap < tolerance || n_iterations == max_iterations {
            let intercept = intercept(&coefficients, &bounds, &errors, errors[i], low);
            return Solved { coefficients, intercept, gap };
        }
        n_iterations += 1;

        let row_i: Rc<[f32]> = gram.row(i);
        let (mut j, mut step, mut most) = (i, 0.0, f64::NEG_INFINITY);
        for t in 0..n {
            let difference = errors[i] - errors[t];
            if coefficients[t] <= bounds[t][0] || difference <= 0.0 {
                continue;
            }
            let curvature = gram.diagonal[i] + gram.diagonal[t] - 2.0 * f64::from(row_i[t]);
            let curvature = if curvature > 0.0 { curvature } else { LEAST_CURVATURE };
            let gain = difference * difference / curvature;
            if gain > most {
                (j, step, most) = (t, difference / curvature, gain);
            }
        }
        let row_j = gram.row(j);
        let room = [bounds[i][1] - coefficients[i], coefficients[j] - bounds[j][0]];
        let step = step.min(room[0]).min(room[1]);
        // A coefficient that reaches its bound gets exactly that value.
        coefficients[i] = if step == room[0] { bounds[i][1] } else { coefficients[i] + step };
        coefficients[j] = if step == room[1] { bounds[j][0] } else { coefficients[j] - step };
        for ((error, of_i), of_j) in errors.iter_mut().zip(&*row_i).zip(&*row_j) {
            *error -= step * (f64::from(*of_i) - f64::from(*of_j));
        }
    }
}

/// Returns the mean error of the rows on the margin, or the middle of the allowed range if there
/// are none.
fn intercept(
    coefficients: &[f64],
    bounds: &[[f64; 2]],
    errors: &[f64],
    highest: f64,
    lowest: f64,
) -> f64 {
    let (mut sum, mut n) = (0.0, 0);
    for ((x, [low, high]), error) in coefficients.iter().zip(bounds).zip(errors) {
        if low < x && x < high {
            sum += error;
            n += 1;
        }
    }
    if n > 0 { sum / f64::from(n) } else { 0.5 * (highest + lowest) }
}

#[cfg(test)]
mod tests {
    use super::super::kernel::Kernel;
    use super::*;

    fn line(x: &[f32], is_first: &[bool], c: f64) -> Solved {
        let mut gram = Gram::new(x, 1, Kernel::Linear, 1 << 20);
        solve(&mut gram, is_first, c, 1e-9, 1000)
    }

    #[test]
    fn the_margin_is_the_widest() {
        // Between 1 and 4, the middle is 2.5 and half the width 1.5: f(x) = (x - 2.5) / 1.5.
        let solved = line(&[0.0, 1.0, 4.0, 6.0], &[false, false, true, true], 100.0);
        let weight = solved.coefficients[1] + 4.0 * solved.coefficients[2];
        assert!(solved.gap < 1e-9);
        assert_eq!([solved.coefficients[0], solved.coefficients[3]], [0.0; 2]);
        assert!((weight - 1.0 / 1.5).abs() < 1e-7, "{weight}");
        assert!((solved.intercept + 2.5 / 1.5).abs() < 1e-7, "{}", solved.intercept);
    }

    #[test]
    fn no_coefficient_is_above_c() {
        let solved = line(&[0.0, 3.0, 1.0, 4.0], &[false, false, true, true], 0.05);
        assert_eq!(solved.coefficients, [-0.05, -0.05, 0.05, 0.05]);
    }
}
