//! The points of a grid by their number, without a list of them.

use super::space::{Domain, Parameter, Point, Setting, Space};

impl Space {
    /// Returns how many points the grid has. Settings of parameters that are not active count once. `None` if a
    /// parameter of real numbers has no `steps`; `u64::MAX` if there are more.
    #[must_use]
    pub fn n_points(&self) -> Option<u64> {
        let n_values = self.parameters().iter().map(n_values).collect::<Option<Vec<_>>>()?;
        Some(Counter::new(self, n_values).count())
    }

    /// Returns a point of the grid. The last parameter changes fastest, and a parameter that is not active comes
    /// before all its settings.
    ///
    /// # Panics
    /// If there is no such point.
    #[must_use]
    pub fn grid_point(&self, mut number: u64) -> Point {
        let n_values = self.parameters().iter().map(n_values).collect::<Option<Vec<_>>>();
        let n_values = n_values.expect("a parameter of real numbers has no steps");
        let mut counter = Counter::new(self, n_values);
        assert!(number < counter.count(), "the grid has no point {number}");
        for parameter in 0..self.parameters().len() {
            counter.fixed[parameter] = Fixed::Inactive;
            let n_inactive = counter.count();
            if number < n_inactive {
                continue;
            }
            number -= n_inactive;
            if counter.deciding[parameter].is_empty() {
                // Nothing depends on the setting, so that every one of them has as many points.
                counter.fixed[parameter] = Fixed::At(setting(&self.parameters()[parameter], 0));
                let each = counter.count();
                let place = setting(&self.parameters()[parameter], number / each);
                counter.fixed[parameter] = Fixed::At(place);
                number %= each;
                continue;
            }
            for place in 0..counter.n_values[parameter] {
                counter.fixed[parameter] = Fixed::At(setting(&self.parameters()[parameter], place));
                let n_points = counter.count();
                if number < n_points {
                    break;
                }
                number -= n_points;
            }
        }
        let setting = |fixed| if let Fixed::At(setting) = fixed { Some(setting) } else { None };
        Point(counter.fixed.into_iter().map(setting).collect())
    }
}

/// How many values of a parameter the grid has.
fn n_values(parameter: &Parameter) -> Option<u64> {
    let steps = parameter.steps.map(|steps| steps as u64);
    match &parameter.domain {
        Domain::Linear { low, high } | Domain::Log { low, high } => {
            if low == high {
                Some(1)
            } else {
                steps
            }
        }
        Domain::Int { low, high } => {
            let all = low.abs_diff(*high).saturating_add(1);
            Some(steps.map_or(all, |steps| steps.min(all)))
        }
        Domain::Any(values) => Some(values.len() as u64),
    }
}

/// The setting at a place of the grid. The ends are exact; between them, 12 digits are kept, so that tenths are
/// `0.3` and not `0.30000000000000004`.
fn setting(parameter: &Parameter, place: u64) -> Setting {
    let last = n_values(parameter).expect("the grid has its number of values") - 1;
    let share = if last == 0 { 0.0 } else { place as f64 / last as f64 };
    let between = |low: f64, high: f64, value: f64| match place {
        0 => low,
        place if place == last => high,
        _ => format!("{value:.11e}").parse().unwrap_or(value).clamp(low, high),
    };
    match &parameter.domain {
        Domain::Linear { low, high } => {
            Setting::Real(between(*low, *high, low + (high - low) * share))
        }
        Domain::Log { low, high } => {
            let (from, to) = (libm::log(*low), libm::log(*high));
            Setting::Real(between(*low, *high, libm::exp(from + (to - from) * share)))
        }
        Domain::Int { low, high } => {
            // Whole numbers of 64 bits do not fit into a real number.
            let span = u128::from(low.abs_diff(*high));
            let last = u128::from(last.max(1));
            let offset = (span * u128::from(place) * 2 + last) / (2 * last);
            Setting::Int((i128::from(*low) + offset as i128) as i64)
        }
        Domain::Any(_) => Setting::Choice(place as usize),
    }
}

/// What is known of a parameter.
#[derive(Debug, Clone, Copy)]
enum Fixed {
    Open,
    Inactive,
    At(Setting),
}

/// Counts the points in which some settings are fixed.
struct Counter<'a> {
    space: &'a Space,
    n_values: Vec<u64>,
    /// For each parameter, the settings that conditions of others name and the grid has.
    deciding: Vec<Vec<Setting>>,
    fixed: Vec<Fixed>,
}

impl<'a> Counter<'a> {
    fn new(space: &'a Space, n_values: Vec<u64>) -> Self {
        let n = n_values.len();
        let mut deciding: Vec<Vec<Setting>> = vec![vec![]; n];
        for (other, settings) in (0..n).flat_map(|number| space.conditions(number)) {
            for named in settings {
                let parameter = &space.parameters()[*other];
                // Without steps, the grid has every value that a condition can name.
                let is_on_grid = parameter.steps.is_none()
                    || matches!(named, Setting::Choice(_))
                    || (0..n_values[*other]).any(|place| setting(parameter, place) == *named);
                if is_on_grid && !deciding[*other].contains(named) {
                    deciding[*other].push(*named);
                }
            }
        }
        Self { space, n_values, deciding, fixed: vec![Fixed::Open; n] }
    }

    fn count(&self) -> u64 {
        self.count_from(0, &mut vec![None; self.fixed.len()])
    }

    /// Counts the settings of the parameters from a place of the order on; `settings` has those before it, of
    /// which a setting that no condition names is `None` too.
    fn count_from(&self, place: usize, settings: &mut Vec<Option<Setting>>) -> u64 {
        let Some(&parameter) = self.space.order().get(place) else { return 1 };
        let is_active = self.space.is_active(parameter, |other| settings[other]);
        let mut count_with = |setting| {
            settings[parameter] = setting;
            self.count_from(place + 1, settings)
        };
        match (self.fixed[parameter], is_active) {
            (Fixed::At(setting), true) => count_with(Some(setting)),
            (Fixed::Inactive | Fixed::Open, false) => count_with(None),
            (Fixed::At(_), false) | (Fixed::Inactive, true) => 0,
            (Fixed::Open, true) => {
                let deciding = &self.deciding[parameter];
                let n_others = self.n_values[parameter] - deciding.len() as u64;
                let others =
                    if n_others == 0 { 0 } else { n_others.saturating_mul(count_with(None)) };
                let named = deciding.iter().map(|setting| count_with(Some(*setting)));
                named.fold(others, u64::saturating_add)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::space::tests::{any, parameter, when};
    use super::*;
    use serde_json::json;

    fn steps(key: &str, domain: Domain, steps: usize) -> Parameter {
        Parameter { steps: Some(steps), ..parameter(key, domain) }
    }

    fn points(space: &Space) -> Vec<String> {
        let all = (0..space.n_points().unwrap()).map(|number| {
            let point = space.grid_point(number);
            let word = |(i, setting): (usize, &Option<Setting>)| {
                setting.map_or("-".to_owned(), |setting| space.value(i, &setting).to_string())
            };
            point.0.iter().enumerate().map(word).collect::<Vec<_>>().join(" ")
        });
        all.collect()
    }

    #[test]
    fn the_last_parameter_changes_fastest_and_ends_are_exact() {
        let space = Space::new(vec![
            steps("log", Domain::Log { low: 1e-5, high: 1e-2 }, 4),
            steps("linear", Domain::Linear { low: 0.0, high: 0.3 }, 4),
        ]);
        let space = space.unwrap();
        let all = points(&space);
        assert_eq!(
            all[..5],
            ["0.00001 0.0", "0.00001 0.1", "0.00001 0.2", "0.00001 0.3", "0.0001 0.0"]
        );
        assert_eq!(all[15], "0.01 0.3");
        assert_eq!(all.len(), 16);
    }

    #[test]
    fn whole_numbers_are_all_taken_or_evenly() {
        let int = |low, high| Domain::Int { low, high };
        assert_eq!(
            points(&Space::new(vec![parameter("i", int(-1, 2))]).unwrap()),
            ["-1", "0", "1", "2"]
        );
        assert_eq!(
            points(&Space::new(vec![steps("i", int(16, 128), 3)]).unwrap()),
            ["16", "72", "128"]
        );
        assert_eq!(points(&Space::new(vec![steps("i", int(1, 3), 9)]).unwrap()), ["1", "2", "3"]);
        assert_eq!(points(&Space::new(vec![steps("i", int(1, 3), 1)]).unwrap()), ["1"]);
        let wide = Space::new(vec![steps("i", int(i64::MIN, i64::MAX), 3)]).unwrap();
        assert_eq!(points(&wide), [i64::MIN.to_string(), "0".to_owned(), i64::MAX.to_string()]);
    }

    #[test]
    fn what_is_not_active_counts_once_wherever_it_stands() {
        // `b` stands before the parameter that it depends on, `d` depends on `b`.
        let space = Space::new(vec![
            when(any("b", &[json!(1), json!(2)]), "c", &[json!("on")]),
            any("c", &[json!("off"), json!("on")]),
            when(any("d", &[json!(7), json!(8), json!(9)]), "b", &[json!(2)]),
        ]);
        let space = space.unwrap();
        let wanted = ["- \"off\" -", "1 \"on\" -", "2 \"on\" 7", "2 \"on\" 8", "2 \"on\" 9"];
        assert_eq!(points(&space), wanted);
    }

    #[test]
    fn huge_grids_are_counted_and_open_ones_are_not() {
        let real =
            |steps| Parameter { steps, ..parameter("r", Domain::Linear { low: 0.0, high: 1.0 }) };
        assert_eq!(Space::new(vec![real(None)]).unwrap().n_points(), None);
        assert_eq!(Space::new(vec![real(Some(7))]).unwrap().n_points(), Some(7));
        let int = |key| parameter(key, Domain::Int { low: 0, high: i64::MAX });
        let huge = Space::new(vec![int("a"), int("b")]).unwrap();
        assert_eq!(huge.n_points(), Some(u64::MAX));
        assert_eq!(huge.grid_point(5).0, [Some(Setting::Int(0)), Some(Setting::Int(5))]);
    }
}
