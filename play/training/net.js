// The two-layer net and its training: Affine, activation, Affine, softmax loss; SGD on batches.

// Deviations of the initial weights, by the size of the matrix (layers/initializers.py).
const INITIAL = {
  he_normal: (nIn) => Math.sqrt(2 / nIn),
  xavier_normal: (nIn, nOut) => Math.sqrt(2 / (nIn + nOut)),
  small: () => 0.01,
  zeros: () => 0,
};

class TwoLayerNet {
  // sizes: [inputs, hidden neurons, classes]. Biases begin at 0.
  constructor(sizes, activation, initial, random) {
    const affine = (nIn, nOut) => {
      const deviation = INITIAL[initial](nIn, nOut);
      return new Affine(
        new Matrix(nIn, nOut).map(() => deviation * random.normal()), new Matrix(1, nOut));
    };
    this.affine1 = affine(sizes[0], sizes[1]);
    this.activation = new ACTIVATIONS[activation]();
    this.affine2 = affine(sizes[1], sizes[2]);
    this.lossLayer = new SoftmaxWithLoss();
  }

  // The learned arrays by the names that Lamina's TwoLayerNet gives them.
  parameters() {
    const { affine1, affine2 } = this;
    return { W1: affine1.W, b1: affine1.b, W2: affine2.W, b2: affine2.b };
  }

  // X (N, 2) -> scores (N, C). Z and H, before and after the activation, are kept to be looked at.
  forward(X) {
    this.X = X;
    this.Z = this.affine1.forward(X);
    this.H = this.activation.forward(this.Z);
    this.scores = this.affine2.forward(this.H);
    return this.scores;
  }

  loss(X, t) {
    this.L = this.lossLayer.forward(this.forward(X), t);
    return this.L;
  }

  // After `loss`: sets the gradient of each parameter, and keeps those on the way.
  backward() {
    this.dscores = this.lossLayer.backward(1);
    this.dH = this.affine2.backward(this.dscores);
    this.dZ = this.activation.backward(this.dH);
    this.dX = this.affine1.backward(this.dZ);
  }
}

// w ← w - lr · (g + λ w): optimizers/sgd.py, with λ the weight decay.
function update(param, lr, weightDecay) {
  const w = param.data.data, g = param.grad.data;
  for (let i = 0; i < w.length; i++) w[i] -= lr * (g[i] + weightDecay * w[i]);
}

// The class with the largest score; -1, no class, where a score is NaN.
function largest(row) {
  if (row.some(Number.isNaN)) return -1;
  let best = 0;
  for (let j = 1; j < row.length; j++) if (row[j] > row[best]) best = j;
  return best;
}

class Training {
  // settings: hidden, activation, initial, lr, batchSize, weightDecay, seed. The rate, the batch
  // size and the weight decay may be changed between steps.
  constructor(data, settings) {
    this.data = data;
    this.settings = settings;
    const sizes = [2, settings.hidden, data.classes.length];
    this.net = new TwoLayerNet(
      sizes, settings.activation, settings.initial, new Random(settings.seed, 1));
    this.random = new Random(settings.seed, 2);
    this.iteration = 0;
    this.seen = 0; // samples so far, which make the epochs
    this.waiting = []; // what the epoch still has
  }

  // Every sample once per epoch, in a new order; a batch goes on into the next epoch, as in
  // datasets/minibatches.py.
  nextBatch() {
    const n = this.data.train.t.length, batch = [];
    if (this.settings.batchSize >= n) this.waiting = []; // all samples, each of them once
    while (batch.length < Math.min(this.settings.batchSize, n)) {
      if (!this.waiting.length) this.waiting = this.random.permutation(n);
      batch.push(this.waiting.pop());
    }
    return batch;
  }

  // One iteration: the loss of a batch, its gradients, the update. Returns the loss.
  step(batch = this.nextBatch()) {
    const { train } = this.data, { lr, weightDecay } = this.settings;
    const loss = this.net.loss(train.X.take(batch), batch.map((n) => train.t[n]));
    this.net.backward();
    for (const param of Object.values(this.net.parameters())) update(param, lr, weightDecay);
    this.iteration += 1;
    this.seen += batch.length;
    return loss;
  }

  get epoch() {
    return this.seen / this.data.train.t.length;
  }

  // {loss, accuracy} of all training or all test points.
  evaluate(part) {
    const { X, t } = this.data[part], loss = this.net.loss(X, t);
    const right = t.filter((target, n) => largest(this.net.scores.row(n)) === target).length;
    return { loss, accuracy: right / t.length };
  }

  // Is every weight still a number?
  isFinite() {
    return Object.values(this.net.parameters()).every((p) => p.data.data.every(Number.isFinite));
  }
}
