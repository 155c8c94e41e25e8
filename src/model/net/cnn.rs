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
use super::conv_block::ConvBlock;
use super::dense::{DenseLayer, read_layers};
use super::layer::{Kind, Net, Norm, Shape, Summary};
use crate::schema::{Fields, OneOf, Real};
use crate::vocab::Task;

/// The entry in the list of models.
pub(in super::super) const ENTRY: Entry = Entry {
    name: "cnn",
    doc: "A convolutional net over frames and coefficients: blocks of convolution, ReLU, batch \
          normalisation, max-pooling and dropout, then dense layers.",
    tasks: &Task::ALL,
    read: Reader::Epochs(read),
};

/// What becomes of the last block's output.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ConvHead {
    /// How time, or time and coefficients, become one row; `None` flattens all values.
    pub pool: Option<HeadPool>,
    /// Whether the coefficients are pooled too, and do not become channels.
    pub over_all: bool,
    /// Fraction of the values that each training step drops, in [0, 1).
    pub dropout: f64,
}

/// What becomes of each channel's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeadPool {
    /// Their mean.
    Mean,
    /// The largest.
    Max,
    /// Both.
    MeanMax,
    /// A weighted mean, whose weights are learned.
    Attention,
}

const POOLS: &[(&str, HeadPool)] = &[
    ("mean", HeadPool::Mean),
    ("max", HeadPool::Max),
    ("mean_max", HeadPool::MeanMax),
    ("attention", HeadPool::Attention),
];

/// The layers of a convolutional net before its dense ones.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ConvLayout {
    /// Whether each coefficient is standardized over batch and time, before the first block.
    pub normalizes_bands: bool,
    /// The blocks.
    pub blocks: Vec<ConvBlock>,
    /// What becomes of the last block's output.
    pub head: ConvHead,
}

/// Creates a convolutional net for examples `[frames, coefficients]` or `[frames, coefficients,
/// channels]`: the blocks, then hidden dense layers, then one unit per class. Its fit fails if a
/// kernel is larger than its input.
#[must_use]
pub fn cnn(blocks: &[ConvBlock], dense: &[DenseLayer], training: Training) -> Box<dyn Model> {
    let layout = ConvLayout { blocks: blocks.to_vec(), ..ConvLayout::default() };
    cnn_with(layout, dense, training)
}

/// Creates a convolutional net like [`cnn`], with more than blocks before its dense layers.
#[must_use]
pub fn cnn_with(layout: ConvLayout, dense: &[DenseLayer], training: Training) -> Box<dyn Model> {
    cnn_of(layout, dense.to_vec(), vec![], training)
}

fn cnn_of(
    layout: ConvLayout,
    dense: Vec<DenseLayer>,
    warnings: Vec<String>,
    training: Training,
) -> Box<dyn Model> {
    let hidden = move |input: Shape| {
        let kinds = layout.kinds(input).map(|(kinds, _)| kinds)?;
        Ok(kinds.into_iter().chain(dense.iter().flat_map(DenseLayer::kinds)).collect())
    };
    let hidden = Box::new(hidden);
    Box::new(NetModel { input: as_image, hidden, standardize: false, training, warnings })
}

impl ConvLayout {
    /// Returns the layers, and the shape of what they give.
    fn kinds(&self, input: Shape) -> Result<(Vec<Kind>, Shape), String> {
        let mut kinds = vec![];
        if self.normalizes_bands {
            kinds.push(Kind::BandNorm(Norm::default()));
        }
        let mut shape = input;
        for block in &self.blocks {
            shape = append(block, shape, input, &mut kinds)?;
        }
        self.head.append(shape, &mut kinds);
        let net = Net::new(input, &kinds)?;
        Ok((kinds, net.layers.last().map_or(input, |layer| layer.output)))
    }
}

impl ConvHead {
    fn append(&self, [_, width, _]: Shape, net: &mut Vec<Kind>) {
        if let Some(pool) = self.pool {
            net.extend((!self.over_all && width > 1).then_some(Kind::Fold));
            let by = match pool {
                HeadPool::Mean => Summary::Mean,
                HeadPool::Max => Summary::Max,
                HeadPool::MeanMax => Summary::MeanMax,
                HeadPool::Attention => Summary::Attention,
            };
            net.push(Kind::Summarize { by });
        }
        net.extend((self.dropout > 0.0).then_some(Kind::Dropout { rate: self.dropout }));
        net.push(Kind::Flatten);
    }

    fn read(fields: &mut Fields) -> Self {
        let over = OneOf(&[("time", false), ("all", true)]);
        let rate = Real::from_to_below(0.0, 1.0);
        Self {
            pool: Some(fields.required("pool", &OneOf(POOLS))),
            over_all: fields.with_default("over", &over, false),
            dropout: fields.with_default("dropout", &rate, 0.0),
        }
    }
}

/// Appends a block to the layers of a net; returns the shape after it.
fn append(
    block: &ConvBlock,
    shape: Shape,
    input: Shape,
    kinds: &mut Vec<Kind>,
) -> Result<Shape, String> {
    block.append(shape, kinds);
    let net = Net::new(input, kinds)?;
    Ok(net.layers.last().map_or(input, |layer| layer.output))
}

fn read(fields: &mut Fields, training: Training, shape: Option<&[usize]>) -> Box<dyn Model> {
    let (layout, dense, warnings) = read_layout(fields, shape);
    cnn_of(layout, dense, warnings, training)
}

fn read_layout(
    fields: &mut Fields,
    shape: Option<&[usize]>,
) -> (ConvLayout, Vec<DenseLayer>, Vec<String>) {
    let input = shape.map(as_image).transpose().unwrap_or_else(|said| {
        fields.fault(&said);
        None
    });
    let by = fields.optional("input_norm", &OneOf(&[("bands", true)]));
    let normalizes_bands = by.unwrap_or(false);
    if !fields.is_given("blocks") {
        fields.fault_at("blocks", "is missing; expected a list of tables");
    }
    // The layers so far and their output; unknown once a block does not fit.
    let mut left = input.map(|input| (vec![], input));
    let (mut warnings, mut n_blocks) = (vec![], 0);
    let blocks = fields.each_table("blocks", |table| {
        let is_stride_given = table.is_given("stride");
        let block = ConvBlock::read(table);
        n_blocks += 1;
        let said = block.warning(is_stride_given);
        warnings.extend(said.map(|said| format!("model.cnn.blocks[{}] {said}", n_blocks - 1)));
        if let (Some((kinds, shape)), Some(input)) = (&mut left, input) {
            match append(&block, *shape, input, kinds) {
                Ok(output) => *shape = output,
                Err(said) => {
                    table.fault_at("kernel", &said);
                    left = None;
                }
            }
        }
        block
    });
    let head = fields.table("head", ConvHead::read).unwrap_or_default();
    (ConvLayout { normalizes_bands, blocks, head }, read_layers(fields, "dense"), warnings)
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
    use super::super::layer::Parameter;
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
            .map(|((layout, dense, _), _)| {
                let (mut kinds, _) = layout.kinds(as_image(shape).unwrap()).unwrap();
                kinds.extend(dense.iter().flat_map(DenseLayer::kinds));
                kinds
            })
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
    #[test]
    fn a_block_says_its_layers_in_their_order() {
        let text = "input_norm = \"bands\"\nblocks = [\n\
                    { filters = 4, kernel = [3, 3], padding = \"same\", batch_norm = \"before_activation\", pool = [2, 2], dropout = 0.1 },\n\
                    { filters = 6, kernel = [3, 1], padding = \"same\", convolutions = 2, residual = true, batch_norm = true, activation = \"silu\", pool = [2, 2], pool_by = \"mean\" },\n\
                    { fold = true, depthwise = true, kernel = [3, 1], activation = \"none\" }]\n\
                    head = { pool = \"mean_max\", dropout = 0.5 }";
        let net = net(text, &[16, 8], 3);
        let names: Vec<&str> = net.layers.iter().map(|layer| layer.kind.name()).collect();
        assert_eq!(
            names,
            [
                "band_norm",
                "conv",
                "batch_norm",
                "relu",
                "max_pool",
                "dropout", // first block
                "conv",
                "silu",
                "batch_norm",
                "conv",
                "batch_norm", // the path of the second one
                "branch",
                "conv",
                "batch_norm",
                "add",
                "silu",
                "average_pool", // and its shortcut
                "fold",
                "depthwise_conv",
                "summarize",
                "dropout",
                "flatten",
                "dense",
            ]
        );
        let outputs: Vec<Shape> = net.layers.iter().map(|layer| layer.output).collect();
        assert_eq!(outputs[4..6], [[8, 4, 4]; 2]);
        assert_eq!((outputs[14], outputs[16]), ([8, 4, 6], [4, 2, 6]));
        assert_eq!(outputs[17..20], [[4, 1, 12], [2, 1, 12], [1, 1, 24]]);
        assert_eq!(net.layers[11].kind, Kind::Branch { from: Some(5) });
        assert_eq!(net.layers[14].kind, Kind::Add { from: Some(10) });
    }

    #[test]
    fn a_shortcut_that_fits_has_no_convolution() {
        let text =
            "blocks = [{ filters = 1, kernel = [3, 3], padding = \"same\", residual = true }]";
        let net = net(text, &[16, 8], 3);
        assert_eq!(net.layers[1].kind, Kind::Add { from: None });
    }

    #[test]
    fn steps_that_nobody_chose_are_warned_of() {
        let warnings = |block: &str| {
            let tree = Tree::parse(
                "x.toml",
                &format!("blocks = [{{ filters = 2, kernel = [1, 1], {block} }}]"),
            )
            .unwrap();
            let read = |fields: &mut Fields| read_layout(fields, Some(&[16, 8]));
            schema::read(&tree, read).unwrap().0.2
        };
        assert_eq!(
            warnings("pool = [7, 1]"),
            ["model.cnn.blocks[0] pools windows of [7, 1] in steps of [2, 2], the default; give \
              stride = [7, 1] for windows next to each other, or stride = [2, 2] if that is wanted"]
        );
        for quiet in ["pool = [2, 2]", "pool = [7, 1], stride = [2, 2]", "dropout = 0.1"] {
            assert!(warnings(quiet).is_empty(), "{quiet}");
        }
    }

    #[test]
    fn faults_of_blocks_say_what_to_do() {
        let fault =
            |block: &str| read_kinds(&format!("blocks = [{{ {block} }}]"), &[16, 8]).unwrap_err();
        assert_eq!(
            fault("filters = 4, kernel = [3, 3], residual = true"),
            "x.toml:1: blocks[0].residual needs padding = \"same\", so that the input can be added \
             to what the convolution gives"
        );
        assert_eq!(
            fault("filters = 4, kernel = [9, 1], dilation = [2, 1]"),
            "x.toml:1: blocks[0].kernel is [9, 1] and spans [17, 1] with its dilation, larger than \
             the [16, 8] that is left of the input here"
        );
        assert_eq!(
            fault("filters = 4, kernel = [3, 3], stride = [2, 2]"),
            "x.toml:1: blocks[0].stride is for a block with a pool; conv_stride has the steps of \
             the convolution"
        );
        assert_eq!(
            fault("filters = 4, depthwise = true, kernel = [3, 3]"),
            "x.toml:1: blocks[0].filters can't be there with depthwise = true: every channel has \
             one kernel; leave it out"
        );
    }
}
