"""Trains a spec's net in PyTorch and reports its speed: see run.py."""

import os

os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import torch
from torch.nn import functional

import shared
import torch_net


def main():
    parser = shared.arguments(__doc__)
    parser.add_argument("--channels-last", action="store_true", help="the layout of weights and input")
    parser.add_argument("--fused", action="store_true", help="Adam in a single kernel")
    options = parser.parse_args()
    torch.set_num_threads(options.n_threads)
    torch.set_num_interop_threads(1)
    torch.manual_seed(1)
    layout = torch.channels_last if options.channels_last else torch.contiguous_format

    stopwatch = shared.Stopwatch()
    inputs, labels = (torch.from_numpy(array) for array in shared.read_arrays(options.folder))
    inputs = inputs.unsqueeze(1)  # [n, channel, frame, coefficient]
    spec = shared.read_spec(options.net)
    net = torch_net.Net(spec).to(memory_format=layout)
    adam = torch_net.optimizer(net, spec, options.fused)
    for _ in range(options.n_epochs + 1):
        loss = train_epoch(net, adam, inputs, labels, options.batch_size, layout, spec)
        stopwatch.epoch_ended()
    stopwatch.report(f"PyTorch {torch.__version__}", len(labels), loss)


def train_epoch(net, adam, inputs, labels, batch_size, layout, spec):
    """Mean loss over an epoch; batches are slices of the whole array, which beats a DataLoader."""
    total, n_right = torch.zeros(()), torch.zeros((), dtype=torch.int64)
    reverses = shared.reverses_time(spec)
    for rows in torch.randperm(len(labels)).split(batch_size):
        batch, target = inputs[rows], labels[rows]
        if reverses:
            reversed_ = torch.rand(len(rows), 1, 1, 1) < 0.5
            batch = torch.where(reversed_, batch.flip(2), batch)
        batch = batch.contiguous(memory_format=layout)
        adam.zero_grad(set_to_none=True)
        logits = net(batch)
        loss = functional.cross_entropy(logits, target)
        if net.penalised:
            loss = loss + net.penalty()
        loss.backward()
        adam.step()
        total += loss.detach() * len(rows)
        n_right += (logits.detach().argmax(1) == target).sum()
    assert 0 <= int(n_right) <= len(labels)
    return total.item() / len(labels)


if __name__ == "__main__":
    main()
