//! Groups a net's layers into units.

use super::super::engine::dropout_rate;
use super::super::layer::{Kind, Layer, Net, Norm, Summary};
use super::image::{Image, Slot, stored};
use super::plan::{BlockPlan, DensePlan, NormPlan, Plan, Source, Unit, Work};
use crate::kernels::activation::Function;
use crate::kernels::convolution::Convolution;
use crate::kernels::dense::Dense;
use crate::kernels::depthwise::Depthwise;
use crate::kernels::dropout::Rate;
use crate::kernels::geometry::{ConvGeometry, PoolGeometry};
use crate::kernels::pooling::Pooling;
use crate::kernels::product::Activation;

/// Number of products per value above which a convolution's results are kept for the backward pass.
/// Below, computing them again is faster than writing and reading them.
const WORTH_KEEPING: usize = 48;

/// The largest window: the place of its maximum is stored in one byte, of which one value marks
/// dropout.
const LARGEST_WINDOW: usize = 255;

/// Groups a net's layers for batches of at most `max_batch`; `None` if a layer is not
/// supported.
pub(super) fn plan(net: &Net, max_batch: usize) -> Option<Plan> {
    let is_empty = |layer: &Layer| layer.input.contains(&0) || layer.output.contains(&0);
    if max_batch == 0 || net.layers.iter().any(is_empty) {
        return None;
    }
    let mut planner = Planner::new(net, max_batch)?;
    while planner.next < net.layers.len() {
        planner.step()?;
    }
    let mut plan = planner.plan;
    let ends_in_logits = plan.dense.last()?.activation == Activation::Linear;
    plan.connect();
    ends_in_logits.then_some(plan)
}

/// Builds a plan, layer by layer.
struct Planner<'a> {
    net: &'a Net,
    plan: Plan,
    /// The unit that gives what each layer gives; `None` is the batch.
    given: Vec<Option<usize>>,
    /// What the next layer reads.
    current: Option<usize>,
    /// The next layer.
    next: usize,
    /// The key of each layer's draws.
    keys: Vec<usize>,
    /// Whether a later layer reads what each layer gives, so that it must not vanish in a unit.
    is_read: Vec<bool>,
}

impl<'a> Planner<'a> {
    fn new(net: &'a Net, max_batch: usize) -> Option<Self> {
        let [height, width, channels] = net.layers.first()?.input;
        let input = Image { height, width, channels, stored: channels, frame: [0; 2] };
        let mut is_read = vec![false; net.layers.len()];
        for layer in &net.layers {
            if let Kind::Add { from: Some(from) } | Kind::Branch { from: Some(from) } = layer.kind {
                is_read[from] = true;
            }
        }
        let slots = slots(net, &input);
        let plan = Plan { max_batch, input, units: vec![], dense: vec![], slots };
        let keys = net.dropout_units();
        Some(Self { net, plan, given: vec![], current: None, next: 0, keys, is_read })
    }

    /// Turns the next layer, and those that belong to its unit, into a unit.
    fn step(&mut self) -> Option<()> {
        let layer = &self.net.layers[self.next];
        let is_image = self.plan.dense.is_empty();
        self.next += 1;
        match layer.kind {
            Kind::Dense { units, l2 } if layer.input[..2] == [1, 1] => {
                let dense = self.dense(layer, units, l2 as f32)?;
                self.plan.dense.push(dense);
            }
            Kind::Flatten => {}
            Kind::Branch { from } if is_image => self.current = from.and_then(|at| self.given[at]),
            _ if is_image => {
                let other = match layer.kind {
                    Kind::Add { from } => Some(Source::of(from.and_then(|at| self.given[at]))),
                    _ => None,
                };
                let (work, image) = self.work(layer)?;
                let current = Source::of(self.current);
                let stored = |source: Source| self.plan.image(source).stored;
                if other.is_some_and(|other| stored(other) != stored(current)) {
                    return None;
                }
                self.push(work, other, image);
            }
            _ => return None,
        }
        while self.given.len() < self.next {
            self.given.push(self.current);
        }
        Some(())
    }

    fn push(&mut self, work: Work, other: Option<Source>, image: Image) {
        let unit = Unit { work, source: Source::of(self.current), other, image };
        self.current = Some(self.plan.units.len());
        self.plan.units.push(unit);
    }

    /// Returns what the layer computes together with those that follow, and the image it gives.
    fn work(&mut self, layer: &Layer) -> Option<(Work, Image)> {
        let input = match self.current {
            None => self.plan.input.clone(),
            Some(unit) => Image { frame: [0; 2], ..self.plan.units[unit].image.clone() },
        };
        let range = |part: usize| self.plan.slots[layer.first + part].range.clone();
        // A summary of two rows is one row for the layers of a net.
        let is_summary = self.current.is_some_and(|unit| {
            matches!(self.plan.units[unit].work, Work::Summary { .. } | Work::Dropout { .. })
                && input.shape() != layer.input
        });
        if is_summary && !matches!(layer.kind, Kind::Dropout { .. }) {
            return None;
        }
        Some(match layer.kind {
            Kind::Conv { .. } => return self.block(layer, &input),
            Kind::DepthwiseConv { .. } => {
                let [h, w, c] = layer.output;
                let geometry = layer.kind.geometry(layer.input)?;
                if geometry.kernel.iter().product::<usize>() > LARGEST_WINDOW {
                    return None;
                }
                let of = Depthwise::new(ConvGeometry { stored: [input.stored; 2], ..geometry });
                let work = Work::Depthwise { of, kernel: range(0), bias: range(1) };
                (work, Image { height: h, width: w, channels: c, ..input })
            }
            Kind::Relu => (Work::Function(Function::Relu), input),
            Kind::Gelu => (Work::Function(Function::Gelu), input),
            Kind::Silu => (Work::Function(Function::Silu), input),
            Kind::BatchNorm(constants) => {
                let n_rows = input.height * input.width;
                (Work::Norm(self.norm(layer, constants, n_rows)), input)
            }
            Kind::BandNorm(constants) if self.current.is_none() => {
                let [mean, variance] = [range(0), range(1)];
                let n_rows = input.height;
                let norm = NormPlan { constants, learned: None, mean, variance, n_rows };
                (Work::Input(Some(norm)), input)
            }
            Kind::MaxPool { size, stride } | Kind::AveragePool { size, stride } => {
                let (pooling, image) = pooling(&input, size, stride)?;
                let is_max = matches!(layer.kind, Kind::MaxPool { .. });
                (if is_max { Work::MaxPool(pooling) } else { Work::MeanPool(pooling) }, image)
            }
            Kind::Dropout { rate } => {
                let key = self.keys[self.next - 1];
                (Work::Dropout { rate: dropout_rate(rate), key }, input)
            }
            Kind::Add { .. } => (Work::Add, input),
            Kind::Fold => {
                let channels = input.width * input.channels;
                let image = Image { width: 1, channels, stored: stored(channels), ..input };
                (Work::Fold, image)
            }
            Kind::Summarize { by } => {
                let is_learned = by == Summary::Attention;
                let kernel = if is_learned { range(0) } else { 0..0 };
                let width = if by == Summary::MeanMax { 2 } else { 1 };
                (Work::Summary { by, kernel }, Image { height: 1, width, ..input })
            }
            _ => return None,
        })
    }

    /// Takes the next layer into the unit in progress if `is_wanted`, and nothing else reads what the
    /// unit gives before it.
    fn take(&mut self, is_wanted: impl Fn(&Kind) -> bool) -> Option<&'a Layer> {
        let net = self.net;
        let layer = net.layers.get(self.next).filter(|layer| is_wanted(&layer.kind))?;
        if self.is_read[self.next - 1] {
            return None;
        }
        self.next += 1;
        Some(layer)
    }

    fn block(&mut self, layer: &Layer, input: &Image) -> Option<(Work, Image)> {
        let range = |part: usize| self.plan.slots[layer.first + part].range.clone();
        let (kernel, bias) = (range(0), range(1));
        let [height, width, channels] = layer.output;
        let geometry = layer.kind.geometry(layer.input)?;
        let geometry = ConvGeometry { stored: [input.stored, stored(channels)], ..geometry };
        let convolution = Convolution::new(geometry);
        if self.current.is_none() && convolution.frame() != [0; 2] {
            self.push(Work::Input(None), None, input.clone());
        }
        let is_relu = |kind: &Kind| *kind == Kind::Relu;
        let relu_before = self.take(is_relu).is_some();
        let norm = self.take(|kind| matches!(kind, Kind::BatchNorm(_)));
        let norm = norm.and_then(|layer| match layer.kind {
            Kind::BatchNorm(constants) => Some(self.norm(layer, constants, height * width)),
            _ => None,
        });
        let relu_after = !relu_before && norm.is_some() && self.take(is_relu).is_some();
        let (size, stride) = match self.take(|kind| matches!(kind, Kind::MaxPool { .. })) {
            Some(&Layer { kind: Kind::MaxPool { size, stride }, .. }) => (size, stride),
            _ => ([1, 1], [1, 1]),
        };
        let given = Image { height, width, channels, stored: stored(channels), frame: [0; 2] };
        let (pooling, image) = pooling(&given, size, stride)?;
        let (dropout, dropout_key) = self.dropout();
        let block = BlockPlan {
            convolution,
            activation: if relu_before { Activation::Relu } else { Activation::Linear },
            norm,
            relu_after,
            pooling,
            dropout,
            dropout_key,
            kernel,
            bias,
            keeps_activations: geometry.kernel[0] * geometry.kernel[1] * geometry.c_in
                > WORTH_KEEPING,
        };
        Some((Work::Block(Box::new(block)), image))
    }

    fn norm(&self, layer: &Layer, constants: Norm, n_rows: usize) -> NormPlan {
        let [gamma, beta, mean, variance] =
            [0, 1, 2, 3].map(|part| self.plan.slots[layer.first + part].range.clone());
        NormPlan { constants, learned: Some([gamma, beta]), mean, variance, n_rows }
    }

    fn dense(&mut self, layer: &Layer, units: usize, l2: f32) -> Option<DensePlan> {
        let relu = self.take(|kind| *kind == Kind::Relu);
        let activation = if relu.is_some() { Activation::Relu } else { Activation::Linear };
        let (dropout, dropout_key) = self.dropout();
        let range = |part: usize| self.plan.slots[layer.first + part].range.clone();
        // The backward pass finds dropped values among the zeros of ReLU.
        let is_known = activation == Activation::Relu || dropout.is_zero();
        is_known.then(|| DensePlan {
            dense: Dense::new(self.plan.max_batch, layer.input[2], units),
            activation,
            l2,
            dropout,
            dropout_key,
            kernel: range(0),
            bias: range(1),
            bias_decays: self.net.parameters[layer.first + 1].decays,
        })
    }

    /// Takes the next layer if it is a dropout; otherwise returns a rate of 0.
    fn dropout(&mut self) -> (Rate, usize) {
        match self.take(|kind| matches!(kind, Kind::Dropout { .. })) {
            Some(&Layer { kind: Kind::Dropout { rate }, .. }) => {
                (dropout_rate(rate), self.keys[self.next - 1])
            }
            _ => (Rate::default(), 0),
        }
    }
}

fn pooling(input: &Image, size: [usize; 2], stride: [usize; 2]) -> Option<(Pooling, Image)> {
    let Image { height, width, stored, .. } = *input;
    let geometry = PoolGeometry { n: 1, height, width, channels: stored, size, stride };
    let (height, width) = (geometry.out_height(), geometry.out_width());
    let is_known = (1..=LARGEST_WINDOW).contains(&(size[0] * size[1]));
    is_known.then(|| (Pooling::new(geometry), Image { height, width, ..input.clone() }))
}

/// Returns the places of a net's parameters: rows of as many numbers as a position of the image that
/// they belong to holds.
fn slots(net: &Net, input: &Image) -> Vec<Slot> {
    let mut slots: Vec<Slot> = vec![];
    let mut of_layers: Vec<usize> = vec![];
    for (index, layer) in net.layers.iter().enumerate() {
        let of = |from: Option<usize>| from.map_or(input.stored, |at| of_layers[at]);
        let before = of(index.checked_sub(1));
        let [_, width, channels] = layer.input;
        let (held, row) = match layer.kind {
            Kind::Conv { filters, .. } => (stored(filters), filters),
            Kind::Fold => (stored(width * channels), 1),
            Kind::Branch { from } => (of(from), 1),
            Kind::Dense { .. } | Kind::Flatten | Kind::BandNorm(_) => (before, 1),
            _ => (before, channels),
        };
        let is_plain = matches!(layer.kind, Kind::Dense { .. } | Kind::BandNorm(_));
        let of_layer = net.layers.get(index + 1).map_or(net.parameters.len(), |next| next.first);
        for parameter in &net.parameters[layer.first..of_layer] {
            let len = parameter.len();
            let first = slots.last().map_or(0, |slot| slot.range.end);
            slots.push(if is_plain {
                Slot { range: first..first + len, row: len, stored: len }
            } else {
                Slot { range: first..first + len / row * held, row, stored: held }
            });
        }
        of_layers.push(held);
    }
    slots
}
