"""The net of experiments/cnn-2.toml in PyTorch, for [model.command]: trains, resumes, predicts."""

import json, os, time
import numpy as np, torch
from torch import nn
from torch.nn import functional as F

os.chdir(os.environ["ENCORE_JOB"])
job = json.load(open("job.json"))
torch.manual_seed(job["seed"]), torch.set_num_threads(job["n_threads"])


class Pool(nn.MaxPool2d):  # pads as Keras does with padding="same"
    def forward(self, x):
        total = [max((n - 1) // 2 * 2 + self.kernel_size - n, 0) for n in x.shape[:1:-1]]
        pad = [side for n in total for side in (n // 2, n - n // 2)]
        return super().forward(F.pad(x, pad, value=-torch.inf))


def block(n_in, n, kernel, pool, dropout):
    norm = nn.BatchNorm2d(n, eps=1e-3, momentum=0.01)  # as in Keras
    return [nn.Conv2d(n_in, n, kernel), nn.ReLU(), norm, Pool(pool, stride=2), nn.Dropout(dropout)]


blocks = block(1, 32, 3, 3, 0.2) + block(32, 64, 3, 3, 0.1) + block(64, 64, 2, 2, 0.1)
dense = [nn.Linear(64 * 15, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, len(job["classes"]))]
net = nn.Sequential(*blocks, nn.Flatten(), *dense)  # for examples of [130, 13]


def load(name):
    array = torch.from_numpy(np.load(f"{name}.npy"))
    return array.long() if name.endswith("labels") else array[:, None]


def predict(x):
    net.eval()
    with torch.no_grad():
        return torch.cat([net(part) for part in x.split(256)]).double().softmax(1)


if job["task"] == "predict":
    net.load_state_dict(torch.load("model/net.pt", weights_only=True))
else:
    x, y, valid_x, valid_y = map(load, ["train", "train_labels", "valid", "valid_labels"])
    for layer in net:
        if isinstance(layer, (nn.Conv2d, nn.Linear)):  # as in Keras
            nn.init.xavier_uniform_(layer.weight), nn.init.zeros_(layer.bias)
    adam, first = torch.optim.Adam(net.parameters(), job["settings"]["learning_rate"], eps=1e-7), 1
    if os.path.exists("checkpoint/last.pt"):  # an earlier start was killed
        weights, moments, random, done = torch.load("checkpoint/last.pt", weights_only=True)
        net.load_state_dict(weights), adam.load_state_dict(moments), torch.set_rng_state(random)
        first = done + 1
    for epoch in range(first, job["epochs"] + 1):
        begin, loss_sum, n_right = time.time(), 0.0, 0
        net.train()
        for rows in torch.randperm(len(x)).split(job["settings"]["batch_size"]):
            logits = net(x[rows])
            loss = F.cross_entropy(logits, y[rows])
            adam.zero_grad(), loss.backward(), adam.step()
            loss_sum += loss.item() * len(rows)
            n_right += (logits.argmax(1) == y[rows]).sum().item()
        p = predict(valid_x)
        line = {"epoch": epoch, "train_loss": loss_sum / len(x), "train_accuracy": n_right / len(x)}
        line["valid_loss"] = F.nll_loss(p.log(), valid_y).item()
        line["valid_accuracy"] = (p.argmax(1) == valid_y).double().mean().item()
        state = (net.state_dict(), adam.state_dict(), torch.get_rng_state(), epoch)
        torch.save(state, "checkpoint/new.pt"), os.replace("checkpoint/new.pt", "checkpoint/last.pt")
        with open("epochs.jsonl", "a") as file:
            print(json.dumps(line | {"seconds": time.time() - begin}), file=file)
    torch.save(net.state_dict(), "model/net.pt")
    np.save("valid_probabilities.npy", predict(valid_x).numpy())
np.save("probabilities.npy", predict(load("test")).numpy())
