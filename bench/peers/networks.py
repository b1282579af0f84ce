"""The networks of bench/models in PyTorch, with their optimizers and losses: peers on CPUs (peer.py) and on GPUs (bench/gpu/steps.py)."""


def networks(torch):
    """The models by name."""
    nn = torch.nn
    functional = nn.functional

    class Mlp(nn.Module):
        def __init__(self, rate):
            super().__init__()
            self.fc1, self.fc2, self.drop = nn.Linear(784, 256), nn.Linear(256, 10), nn.Dropout(rate)

        def forward(self, x):
            return self.fc2(self.drop(torch.relu(self.fc1(x))))

    def lenet():
        return nn.Sequential(
            nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
        )  # fmt: skip

    def vgg():
        return nn.Sequential(
            nn.Conv2d(3, 32, 3, padding=1), nn.ReLU(), nn.Conv2d(32, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.Conv2d(64, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(4096, 256), nn.ReLU(), nn.Linear(256, 10),
        )  # fmt: skip

    class GptBlock(nn.Module):
        def __init__(self, width, heads):
            super().__init__()
            self.heads = heads
            self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
            self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
            self.wide, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

        def attend(self, x):
            batch, length, width = x.shape
            split = [
                part.view(batch, length, self.heads, width // self.heads).transpose(1, 2)
                for part in self.qkv(x).split(width, dim=2)
            ]
            query, key, value = split
            scores = query @ key.transpose(-2, -1) * (width // self.heads) ** -0.5
            future = torch.ones(length, length, dtype=torch.bool).triu(1)
            weights = torch.softmax(scores.masked_fill(future, float("-inf")), -1)
            return self.proj((weights @ value).transpose(1, 2).reshape(batch, length, width))

        def forward(self, x):
            x = x + self.attend(self.norm1(x))
            return x + self.narrow(functional.gelu(self.wide(self.norm2(x))))

    class Gpt(nn.Module):
        def __init__(self, vocabulary=65, context=64, width=128, heads=4, layers=4):
            super().__init__()
            self.token, self.place = nn.Embedding(vocabulary, width), nn.Embedding(context, width)
            self.blocks = nn.Sequential(*(GptBlock(width, heads) for _ in range(layers)))
            self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, vocabulary, bias=False)

        def forward(self, x):
            return self.head(self.norm(self.blocks(self.token(x) + self.place(torch.arange(x.shape[1])))))

    class Lstm(nn.Module):
        def __init__(self, width=128):
            super().__init__()
            self.lstm, self.head = nn.LSTM(width, width), nn.Linear(width, width)

        def forward(self, x):
            return self.head(self.lstm(x)[0])

    class ResNetBlock(nn.Module):
        def __init__(self, inputs, outputs, stride):
            super().__init__()
            self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
            self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
            self.bn1, self.bn2 = nn.BatchNorm2d(outputs), nn.BatchNorm2d(outputs)
            self.short = nn.Identity()
            if stride != 1 or inputs != outputs:
                self.short = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

        def forward(self, x):
            h = torch.relu(self.bn1(self.conv1(x)))
            return torch.relu(self.bn2(self.conv2(h)) + self.short(x))

    def resnet():
        widths = [64, 64, 64, 128, 128, 256, 256, 512, 512]
        blocks = [ResNetBlock(a, b, 1 if a == b else 2) for a, b in zip(widths, widths[1:])]
        return nn.Sequential(
            nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1),
            *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 1000),
        )  # fmt: skip

    return {
        "mlp": lambda: Mlp(0.2), "plain_mlp": lambda: Mlp(0.0), "lenet": lenet, "vgg": vgg,
        "gpt": Gpt, "lstm": Lstm, "resnet": resnet,
    }  # fmt: skip


def optimizer_of(model, parameters, torch, **adamw):
    """The optimizer that the network is trained with; `adamw` are settings that only AdamW has."""
    if model == "gpt":
        return torch.optim.AdamW(parameters, lr=1e-3, **adamw)
    rate = {"mlp": 0.1, "plain_mlp": 0.1, "lstm": 0.1}.get(model, 0.05)
    return torch.optim.SGD(parameters, lr=rate, momentum=0.0 if model in ("plain_mlp", "lstm") else 0.9)


def loss_of(model, output, y, torch):
    if model == "lstm":
        return torch.nn.functional.mse_loss(output, y)
    return torch.nn.functional.cross_entropy(output.reshape(-1, output.shape[-1]), y.reshape(-1))


def train(model, net, optimizer, x, y, torch):
    """A training step."""
    optimizer.zero_grad()
    loss = loss_of(model, net(x), y, torch)
    loss.backward()
    if model == "mlp":
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    optimizer.step()
    return loss
