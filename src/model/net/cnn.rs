//! `[model.cnn]`: a convolutional net over frames and coefficients.
//!
//! ```toml
//! [model.cnn]
//! blocks = [
//!   { filters = 32, kernel = [3, 3], pool = [3, 3], batch_norm = true, dropout = 0.2 },
//!   { filters = 64, kernel = [2, 2], pool = [2, 2], stride = [2, 2] },
//! ]
//! dense = [{ units = 128, dropout = 0.5 }]
//! ```

use super::super::{Entry, Model, Reader, Training};
use super::NetModel;
use super::dense::{DenseLayer, read_layers};
use super::layer::{Kind, Shape};
use crate::schema::{Fields, Flag, Int, List, Real};
use crate::vocab::Task;

/// The entry in the list of models.
pub(in super::super) const ENTRY: Entry = Entry {
    name: "cnn",
    doc: "A convolutional net over frames and coefficients: blocks of convolution, ReLU, batch \
          normalisation, max-pooling and dropout, then dense layers.",
    tasks: &Task::ALL,
    read: Reader::Epochs(read),
};

/// One block of a convolutional net: convolution, ReLU, optional batch normalization, max-pooling
/// ('same'), dropout.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ConvBlock {
    /// Number of filters, at least 1.
    pub filters: usize,
    /// Height (frames) and width (coefficients) of the kernel, each at least 1.
    pub kernel: [usize; 2],
    /// Height and width of the pooling window, each at least 1.
    pub pool: [usize; 2],
    /// Steps of the pooling window, each at least 1.
    pub stride: [usize; 2],
    /// Whether each channel is normalized over batch and positions.
    pub batch_norm: bool,
    /// Fraction of the values that each training step drops, in [0, 1).
    pub dropout: f64,
}

/// Creates a convolutional net for examples `[frames, coefficients]` or `[frames, coefficients,
/// channels]`: the blocks, then hidden dense layers, then one unit per class. Its fit fails if a
/// kernel is larger than its input.
#[must_use]
pub fn cnn(blocks: &[ConvBlock], dense: &[DenseLayer], training: Training) -> Box<dyn Model> {
    let hidden = kinds(blocks, dense);
    Box::new(NetModel { input: as_image, hidden, standardize: false, training })
}

fn kinds(blocks: &[ConvBlock], dense: &[DenseLayer]) -> Vec<Kind> {
    let blocks = blocks.iter().flat_map(ConvBlock::kinds).chain([Kind::Flatten]);
    blocks.chain(dense.iter().flat_map(DenseLayer::kinds)).collect()
}

impl ConvBlock {
    fn kinds(&self) -> Vec<Kind> {
        let Self { filters, kernel, pool: size, stride, batch_norm, dropout } = *self;
        let mut kinds = vec![Kind::Conv { filters, kernel }, Kind::Relu];
        kinds.extend(batch_norm.then_some(Kind::BatchNorm));
        kinds.push(Kind::MaxPool { size, stride });
        kinds.extend((dropout > 0.0).then_some(Kind::Dropout { rate: dropout }));
        kinds
    }
}

fn read(fields: &mut Fields, training: Training, shape: Option<&[usize]>) -> Box<dyn Model> {
    let (blocks, dense) = read_layout(fields, shape);
    cnn(&blocks, &dense, training)
}

fn read_layout(fields: &mut Fields, shape: Option<&[usize]>) -> (Vec<ConvBlock>, Vec<DenseLayer>) {
    let input = shape.map(as_image).transpose().unwrap_or_else(|said| {
        fields.fault(&said);
        None
    });
    if !fields.is_given("blocks") {
        fields.fault_at("blocks", "is missing; expected a list of tables");
    }
    // The output so far; unknown once a block does not fit.
    let mut left = input;
    let blocks = fields.each_table("blocks", |block| read_block(block, &mut left));
    (blocks, read_layers(fields, "dense"))
}

fn read_block(block: &mut Fields, left: &mut Option<Shape>) -> ConvBlock {
    let sides = List::of_exactly(2, Int::within(1..=1024));
    let pair = |sides: Vec<usize>| [sides[0], sides[1]];
    let read = ConvBlock {
        filters: block.required("filters", &Int::within(1..=65_536)),
        kernel: pair(block.required("kernel", &sides)),
        pool: pair(block.required("pool", &sides)),
        stride: pair(block.with_default("stride", &sides, vec![2, 2])),
        batch_norm: block.with_default("batch_norm", &Flag, false),
        dropout: block.with_default("dropout", &Real::from_to_below(0.0, 1.0), 0.0),
    };
    if let Some(input) = *left {
        let output = read.kinds().iter().try_fold(input, |shape, kind| kind.output(shape));
        *left = match output {
            Ok(shape) => Some(shape),
            Err(said) => {
                block.fault_at("kernel", &said);
                None
            }
        };
    }
    read
}

/// Returns frames, coefficients and channels; an example without channels has one.
fn as_image(shape: &[usize]) -> Result<Shape, String> {
    match *shape {
        [frames, coefficients] => Ok([frames, coefficients, 1]),
        [frames, coefficients, channels] => Ok([frames, coefficients, channels]),
        _ => Err(format!(
            "needs examples of frames and coefficients, e.g. [130, 13], found the shape {shape:?}"
        )),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::layer::{Net, Parameter};
    use super::*;
    use crate::schema::{self, Tree};

    /// CNN-1 and CNN-2 of the original report.
    pub(in super::super) const CNN_1: &str = "blocks = [\n\
         { filters = 32, kernel = [3, 3], pool = [3, 3] },\n\
         { filters = 64, kernel = [3, 3], pool = [3, 3] },\n\
         { filters = 64, kernel = [2, 2], pool = [2, 2] }]\n\
         dense = [{ units = 64 }]";
    pub(in super::super) const CNN_2: &str = "blocks = [\n\
         { filters = 32, kernel = [3, 3], pool = [3, 3], batch_norm = true, dropout = 0.2 },\n\
         { filters = 64, kernel = [3, 3], pool = [3, 3], batch_norm = true, dropout = 0.1 },\n\
         { filters = 64, kernel = [2, 2], pool = [2, 2], batch_norm = true, dropout = 0.1 }]\n\
         dense = [{ units = 128, dropout = 0.5 }]";

    pub(in super::super) fn net(text: &str, shape: &[usize], n_classes: usize) -> Net {
        let mut kinds = read_kinds(text, shape).unwrap();
        kinds.push(Kind::Dense { units: n_classes, l2: 0.0 });
        Net::new(as_image(shape).unwrap(), &kinds).unwrap()
    }

    fn read_kinds(text: &str, shape: &[usize]) -> Result<Vec<Kind>, String> {
        let tree = Tree::parse("x.toml", text).unwrap();
        schema::read(&tree, |fields| read_layout(fields, Some(shape)))
            .map(|((blocks, dense), _)| kinds(&blocks, &dense))
            .map_err(|faults| faults.to_string())
    }

    #[test]
    fn the_reports_cnns_have_the_reports_sizes() {
        assert_eq!(net(CNN_1, &[130, 13], 10).n_parameters(), 97_418);
        let cnn_2 = net(CNN_2, &[130, 13], 10);
        assert_eq!(cnn_2.n_parameters(), 160_202);
        let trainable = cnn_2.parameters.iter().filter(|p| p.trainable).map(Parameter::len);
        assert_eq!(trainable.sum::<usize>(), 159_882);
        let kernel = &cnn_2.parameters[6];
        assert_eq!((kernel.name.as_str(), &*kernel.shape), ("conv_2.kernel", &[3, 3, 32, 64][..]));
        let flat = cnn_2.layers.iter().find(|layer| layer.kind == Kind::Flatten).unwrap();
        assert_eq!((flat.input, flat.output), ([15, 1, 64], [1, 1, 960]));
    }

    #[test]
    fn a_block_that_does_not_fit_is_named_with_what_is_left() {
        // 13 coefficients become 11 after the kernel and 6 after the pool; then 6 - 5 + 1 = 2, then
        // 1.
        let text = "blocks = [\n{ filters = 2, kernel = [3, 3], pool = [3, 3] },\n\
                    { filters = 2, kernel = [3, 5], pool = [3, 3] },\n\
                    { filters = 2, kernel = [2, 2], pool = [2, 2] },\n\
                    { filters = 2, kernel = [99, 99], pool = [2, 2] }]";
        assert_eq!(
            read_kinds(text, &[130, 13]).unwrap_err(),
            "x.toml:4: blocks[2].kernel is [2, 2], larger than the [31, 1] that is left of the \
             input here"
        );
        assert_eq!(
            read_kinds("blocks = []", &[21]).unwrap_err(),
            "x.toml:1: the file needs examples of frames and coefficients, e.g. [130, 13], \
             found the shape [21]"
        );
    }
}
