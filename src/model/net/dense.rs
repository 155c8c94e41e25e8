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

/// The line in the list.
pub(in super::super) const ENTRY: Entry = Entry {
    name: "dense",
    doc: "A net of dense layers, each with ReLU and if wished an L2 penalty and dropout, over all \
          numbers of an example in one row.",
    read: Reader::Epochs(read),
};

fn read(fields: &mut Fields, training: Training, _: Option<&[usize]>) -> Box<dyn Model> {
    if !fields.is_given("layers") {
        fields.fault_at("layers", "is missing, it must be a list of tables");
    }
    let hidden = read_layers(fields, "layers");
    let standardize = fields.with_default("standardize", &Flag, false);
    Box::new(NetModel { input: in_one_row, hidden, standardize, training })
}

/// Reads a list of dense layers: `{ units, l2 = 0.0, dropout = 0.0 }`, each with ReLU.
pub(super) fn read_layers(fields: &mut Fields, key: &str) -> Vec<Kind> {
    let layers = fields.each_table(key, |layer| {
        let units = layer.required("units", &Int::within(1..=65_536));
        let l2 = layer.with_default("l2", &Real::not_negative(), 0.0);
        let rate = layer.with_default("dropout", &Real::from_to_below(0.0, 1.0), 0.0);
        let mut kinds = vec![Kind::Dense { units, l2 }, Kind::Relu];
        kinds.extend((rate > 0.0).then_some(Kind::Dropout { rate }));
        kinds
    });
    layers.into_iter().flatten().collect()
}

// A `Result` because the other nets' shapes can be impossible.
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
        let (mut kinds, _) = schema::read(&tree, |f| read_layers(f, "layers")).unwrap();
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
