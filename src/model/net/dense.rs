//! `[model.dense]`: a net of dense layers over all numbers of an example.
//!
//! ```toml
//! [model.dense]
//! layers = [{ units = 512, l2 = 0.001, dropout = 0.3 }, { units = 64 }]
//! standardize = true      # columns, by the training examples' means and deviations
//! ```

use super::super::{Entry, Model, Reader, Training};
use super::NetModel;
use super::layer::{Kind, Shape};
use crate::schema::{Fields, Flag, Int, Real};
use crate::vocab::Task;

/// The entry in the list of models.
pub(in super::super) const ENTRY: Entry = Entry {
    name: "dense",
    doc: "A net of dense layers, each with ReLU and if wished an L2 penalty and dropout, over all \
          numbers of an example in one row.",
    tasks: &Task::ALL,
    read: Reader::Epochs(read),
};

/// One hidden dense layer with ReLU.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DenseLayer {
    /// Number of units, at least 1.
    pub units: usize,
    /// Weight of the squared kernel in the loss, at least 0.
    pub l2: f64,
    /// Fraction of the units that each training step drops, in [0, 1).
    pub dropout: f64,
}

/// Creates a net of dense layers over all numbers of an example. A last layer with one unit per
/// class follows the hidden ones. `standardize` scales columns to mean 0 and standard deviation 1.
#[must_use]
pub fn dense(hidden: &[DenseLayer], standardize: bool, training: Training) -> Box<dyn Model> {
    let kinds: Vec<Kind> = hidden.iter().flat_map(DenseLayer::kinds).collect();
    let hidden = Box::new(move |_| Ok(kinds.clone()));
    Box::new(NetModel { input: in_one_row, hidden, standardize, training, warnings: vec![] })
}

impl DenseLayer {
    pub(super) fn kinds(&self) -> Vec<Kind> {
        let Self { units, l2, dropout } = *self;
        let mut kinds = vec![Kind::Dense { units, l2 }, Kind::Relu];
        kinds.extend((dropout > 0.0).then_some(Kind::Dropout { rate: dropout }));
        kinds
    }
}

fn read(fields: &mut Fields, training: Training, _: Option<&[usize]>) -> Box<dyn Model> {
    if !fields.is_given("layers") {
        fields.fault_at("layers", "is missing; expected a list of tables");
    }
    let hidden = read_layers(fields, "layers");
    let standardize = fields.with_default("standardize", &Flag, false);
    if standardize && training.crop.is_some() && !fields.is_exploring() {
        let said = "can't be used with training.crop: a column of a window has no place of its own";
        fields.fault_at("standardize", said);
    }
    dense(&hidden, standardize, training)
}

/// Reads a list of dense layers: `{ units, l2 = 0.0, dropout = 0.0 }`, each with ReLU.
pub(super) fn read_layers(fields: &mut Fields, key: &str) -> Vec<DenseLayer> {
    fields.each_table(key, |layer| DenseLayer {
        units: layer.required("units", &Int::within(1..=65_536)),
        l2: layer.with_default("l2", &Real::not_negative(), 0.0),
        dropout: layer.with_default("dropout", &Real::from_to_below(0.0, 1.0), 0.0),
    })
}

// The type is a `Result` because the input of other nets can be impossible.
#[expect(clippy::unnecessary_wraps, reason = "`NetModel::input` can fail for other nets")]
fn in_one_row(shape: &[usize]) -> Result<Shape, String> {
    Ok([1, 1, shape.iter().product()])
}

#[cfg(test)]
mod tests {
    use super::super::layer::Net;
    use super::*;
    use crate::schema::{self, Tree};

    fn net(text: &str, shape: &[usize], n_classes: usize) -> Net {
        let tree = Tree::parse("x.toml", text).unwrap();
        let (layers, _) = schema::read(&tree, |f| read_layers(f, "layers")).unwrap();
        let mut kinds: Vec<Kind> = layers.iter().flat_map(DenseLayer::kinds).collect();
        kinds.push(Kind::Dense { units: n_classes, l2: 0.0 });
        Net::new(in_one_row(shape).unwrap(), &kinds).unwrap()
    }

    #[test]
    fn the_reports_dense_nets_have_the_reports_sizes() {
        let text = "layers = [{ units = 512, l2 = 0.001, dropout = 0.3 }, \
                    { units = 256, l2 = 0.001, dropout = 0.3 }, \
                    { units = 64, l2 = 0.001, dropout = 0.3 }]";
        assert_eq!(net(text, &[130, 13], 10).n_parameters(), 1_014_218);
    }

    #[test]
    fn a_layer_is_dense_relu_dropout() {
        let net = net("layers = [{ units = 3, l2 = 0.5, dropout = 0.1 }, { units = 2 }]", &[4], 2);
        let kinds: Vec<&Kind> = net.layers.iter().map(|layer| &layer.kind).collect();
        assert_eq!(
            kinds,
            [
                &Kind::Dense { units: 3, l2: 0.5 },
                &Kind::Relu,
                &Kind::Dropout { rate: 0.1 },
                &Kind::Dense { units: 2, l2: 0.0 },
                &Kind::Relu,
                &Kind::Dense { units: 2, l2: 0.0 },
            ]
        );
    }
}
